"""What the chain knows: accounts and balances in their real places, behind layers that can be thrown away."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from chain import cosmos
from sandbox.node.decoding import NO_AMOUNT, Coin
from sandbox.node.multistore import Change
from sandbox.node.refusal import INSUFFICIENT_FUNDS, INVALID_COINS, Refusal, stumbled

_DENOM: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9/:._-]{2,127}\Z")
_SUPPLY: Final = b"\x00"
_BALANCES: Final = b"\x02"
_ACCOUNTS: Final = b"\x01"
_NEXT_NUMBER: Final = b"globalAccountNumber"


class Readable(Protocol):
    """Anything that answers for a key of a store."""

    def get(self, store: str, key: bytes) -> bytes | None:
        """Return the value at ``key``, None when it is absent."""
        ...


class Layer:
    """Writes over a state that stay apart until they are kept."""

    def __init__(self, below: Readable) -> None:
        self._below = below
        self._written: dict[tuple[str, bytes], bytes | None] = {}

    def get(self, store: str, key: bytes) -> bytes | None:
        """Return the value at ``key`` with this layer's writes over those below."""
        return self._written[store, key] if (store, key) in self._written else self._below.get(store, key)

    def put(self, store: str, key: bytes, value: bytes | None) -> None:
        """Write ``value``; None removes the key."""
        self._written[store, key] = value

    def keep(self, above: "Layer") -> None:
        """Take over what ``above`` wrote."""
        self._written.update(above._written)  # noqa: SLF001 - its own kind

    def changes(self) -> list[Change]:
        """Return the writes in the order in which the chain commits them: by store and key."""
        return [Change(store, key, value) for (store, key), value in sorted(self._written.items())]


@dataclass(frozen=True, slots=True)
class Account:
    """A person's account; the key is empty until it signed for the first time."""

    address: str
    number: int
    sequence: int = 0
    public_key: bytes = b""

    def packed(self) -> bytes:
        """Return the bytes that the chain stores: a ``BaseAccount`` inside an ``Any``."""
        account = cosmos.BaseAccount(address=self.address, account_number=self.number, sequence=self.sequence)
        if self.public_key:
            key = cosmos.pack(cosmos.SECP256K1_URL, cosmos.Secp256k1PubKey(key=self.public_key))
            account.pub_key.CopyFrom(key)
        return cosmos.encode(cosmos.pack(cosmos.BASE_ACCOUNT_URL, account))

    @classmethod
    def unpacked(cls, stored: bytes) -> "Account":
        """Read what ``packed`` wrote."""
        account = cosmos.decode(cosmos.BaseAccount, cosmos.decode(cosmos.Packed, stored).value)
        key = (
            cosmos.decode(cosmos.Secp256k1PubKey, account.pub_key.value).key
            if account.HasField("pub_key")
            else b""
        )
        return cls(account.address, account.account_number, account.sequence, key)


def account_key(address: bytes) -> bytes:
    """Return where ``acc`` keeps an account."""
    return _ACCOUNTS + address


def balance_key(address: bytes, denom: str) -> bytes:
    """Return where ``bank`` keeps a balance."""
    return balances_prefix(address) + denom.encode()


def balances_prefix(address: bytes) -> bytes:
    """Return what the keys of all balances of ``address`` start with."""
    return _BALANCES + bytes((len(address),)) + address


def account(state: Readable, address: bytes) -> Account | None:
    """Return the account of ``address``, None before its first coin."""
    stored = state.get("acc", account_key(address))
    return None if stored is None else Account.unpacked(stored)


def save(state: Layer, address: bytes, kept: Account) -> None:
    """Write an account."""
    state.put("acc", account_key(address), kept.packed())


def open_account(state: Layer, address: bytes, text: str) -> Account:
    """Give ``address`` (``text`` in bech32) the next account number."""
    stored = state.get("acc", _NEXT_NUMBER)
    number = int.from_bytes(stored, "big") if stored else 0
    state.put("acc", _NEXT_NUMBER, (number + 1).to_bytes(8, "big"))
    opened = Account(text, number)
    save(state, address, opened)
    return opened


def advance(state: Layer, address: bytes) -> None:
    """Count one more signature of ``address``."""
    signer = account(state, address)
    assert signer is not None
    save(state, address, replace(signer, sequence=signer.sequence + 1))


def balance(state: Readable, address: bytes, denom: str) -> int:
    """Return what ``address`` holds of ``denom``."""
    return int(state.get("bank", balance_key(address, denom)) or 0)


def supply(state: Readable, denom: str) -> int:
    """Return how much of ``denom`` exists."""
    return int(state.get("bank", _SUPPLY + denom.encode()) or 0)


def is_denom(text: str) -> bool:
    """Tell whether the chain takes ``text`` for the name of a coin."""
    return _DENOM.match(text) is not None


def require_valid(coins: Sequence[Coin]) -> None:
    """Refuse what the chain refuses: denoms out of order or twice, amounts not above zero."""
    if any(coin.amount == NO_AMOUNT for coin in coins):
        raise stumbled("runtime error: invalid memory address or nil pointer dereference")
    denoms = [coin.denom for coin in coins]
    named = all(map(is_denom, denoms)) and denoms == sorted(set(denoms))
    if not coins or not named or any(coin.amount <= 0 for coin in coins):
        raise Refusal(INVALID_COINS, ",".join(map(str, coins)))


def take(state: Layer, address: bytes, coins: Sequence[Coin]) -> None:
    """Take ``coins`` from ``address``; refuses with code 5 what it does not have."""
    for coin in coins:
        held = balance(state, address, coin.denom)
        if held < coin.amount:
            raise Refusal(INSUFFICIENT_FUNDS, f"spendable balance {held}{coin.denom} is smaller than {coin}")
        _write(state, address, coin.denom, held - coin.amount)


def give(state: Layer, address: bytes, coins: Sequence[Coin]) -> None:
    """Give ``coins`` to ``address``."""
    for coin in coins:
        _write(state, address, coin.denom, balance(state, address, coin.denom) + coin.amount)


def issue(state: Layer, coins: Sequence[Coin]) -> None:
    """Count ``coins`` as new, or with negative amounts as gone."""
    for coin in coins:
        key = _SUPPLY + coin.denom.encode()
        state.put("bank", key, str(supply(state, coin.denom) + coin.amount).encode())


def _write(state: Layer, address: bytes, denom: str, amount: int) -> None:
    """Keep a balance as the chain does: decimal digits, and nothing at all for zero."""
    state.put("bank", balance_key(address, denom), str(amount).encode() if amount else None)
