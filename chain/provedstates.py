"""Balances and accounts as the application's state holds them, proved against a verified block (chain.md, Deposits 2).

The scanner asks for the same few places after every block. So those that were asked for before are fetched along for
the blocks that come next, which turns the many round trips of catching up into few.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Final, NamedTuple

from chain import coins, cosmos
from chain.client import NodeClient, StateAnswer, StateKey
from chain.endpoints import Endpoints
from chain.errors import Halted, NodeUnavailable
from chain.light.errors import Unproven
from chain.light.proof import verify_membership, verify_non_membership
from chain.verified import AccountState, VerifiedBlock
from ledger.money import Denom

_BANK_STORE: Final = "bank"
_ACCOUNT_STORE: Final = "acc"
_BALANCES: Final = b"\x02"
_ACCOUNTS: Final = b"\x01"
_WATCHED_LIMIT: Final = 8
_BLOCKS_AT_ONCE: Final = 20


class _Proved(NamedTuple):
    """A value, b"" for one that is proved to be absent, and the application hash it was proved against."""

    app_hash: bytes
    value: bytes


class ProvedStates:
    """Reads state through nodes that may lie."""

    def __init__(self, endpoints: Endpoints) -> None:
        self._endpoints: Final = endpoints
        self._watched: Final[dict[StateKey, None]] = {}
        self._ready: dict[tuple[int, StateKey], _Proved] = {}
        self._fetches_along = True

    async def balance(
        self, block: VerifiedBlock, address: bytes, denom: Denom, ahead: Sequence[VerifiedBlock] = ()
    ) -> int:
        """Return what ``address`` holds after ``block``; ``ahead`` are blocks that will be asked about next.

        Raises Pruned when no node has that state any more, NotYet, Lied, NodeUnavailable.
        """
        key = _BALANCES + bytes((len(address),)) + address + denom.encode()
        value = await self._value(block, StateKey(_BANK_STORE, key), ahead)
        try:
            return coins.stored_amount(value)
        except ValueError as error:
            raise Halted(f"the bank holds what is no amount: {error}") from error

    async def account(
        self, block: VerifiedBlock, address: bytes, ahead: Sequence[VerifiedBlock] = ()
    ) -> AccountState | None:
        """Return the account of ``address`` after ``block``, None when its absence is proved.

        A stranger can make a fresh address a vesting account, so those are understood too; Halted for other kinds.
        Raises as `balance` does.
        """
        value = await self._value(block, StateKey(_ACCOUNT_STORE, _ACCOUNTS + address), ahead)
        if not value:
            return None
        try:
            account = cosmos.base_account(cosmos.decode(cosmos.Packed, value))
        except cosmos.Undecodable as error:
            raise Halted(f"the account is of an unknown kind: {error}") from error
        return AccountState(account.account_number, account.sequence)

    async def _value(self, block: VerifiedBlock, asked: StateKey, ahead: Sequence[VerifiedBlock]) -> bytes:
        self._watch(asked)
        found = self._ready.pop((block.header.height, asked), None)
        if found is None or found.app_hash != block.app_hash:
            blocks = [block, *islice(ahead, _BLOCKS_AT_ONCE - 1)] if self._fetches_along else [block]
            found = await self._fetch(asked, blocks)
        return found.value

    def _watch(self, asked: StateKey) -> None:
        self._watched.pop(asked, None)
        self._watched[asked] = None
        while len(self._watched) > _WATCHED_LIMIT:
            del self._watched[next(iter(self._watched))]

    async def _fetch(self, asked: StateKey, blocks: Sequence[VerifiedBlock]) -> _Proved:
        """Return ``asked`` after the first of ``blocks``; keep what came along for the rest.

        Where nodes have pruned that state, they have most likely pruned the next ones: then nothing is fetched along
        until an answer comes again.
        """
        self._fetches_along = False
        self._ready = await self._endpoints.ask(lambda node: self._proved(node.client, asked, blocks))
        self._fetches_along = True
        return self._ready.pop((blocks[0].header.height, asked))

    async def _proved(
        self, client: NodeClient, asked: StateKey, blocks: Sequence[VerifiedBlock]
    ) -> dict[tuple[int, StateKey], _Proved]:
        places = [asked, *(key for key in self._watched if key != asked)]
        wanted = [(block, key) for block in blocks for key in places]
        answers = await client.states([(key, block.header.height) for block, key in wanted])
        if isinstance(answers[0], NodeUnavailable):
            raise answers[0]
        return {
            (block.header.height, key): _checked(answer, block, key)
            for (block, key), answer in zip(wanted, answers, strict=True)
            if isinstance(answer, StateAnswer)
        }


def _checked(answer: StateAnswer, block: VerifiedBlock, asked: StateKey) -> _Proved:
    """Return the value if its proof holds after ``block``. Raises Unproven."""
    height = block.header.height
    if answer.height != height:
        raise Unproven(f"the state is of height {answer.height}, not {height}")
    if answer.value:
        verify_membership(answer.proof, block.app_hash, asked.store, asked.key, answer.value)
    else:
        verify_non_membership(answer.proof, block.app_hash, asked.store, asked.key)
    return _Proved(block.app_hash, answer.value)
