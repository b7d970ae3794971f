"""What really happened on the chain, read from its own blocks and not from what any node tells."""

from collections.abc import Iterable, Iterator
from hashlib import sha256

from chain import cosmos
from sandbox.node import addresses, state
from sandbox.node.blockchain import Blockchain
from sandbox.node.blocks import Block
from sandbox.node.decoding import Message, MultiSend, Send, decode_tx
from sandbox.node.execute import Result
from sandbox.node.messages import signers
from sandbox.node.node import SANDBOX_PARAMETERS
from tests.simulation.city import DENOM


class Witness:
    """Sees every block as it comes."""

    def __init__(self, chain: Blockchain, treasury: str) -> None:
        self._chain = chain
        self._treasury = treasury
        self.executed: set[bytes] = set()
        """Canonical hashes of all that succeeded."""
        self.fees = 0
        """Network fees that the treasury paid, of what succeeded and of what failed, in base units."""
        self.memos: dict[str, bytes] = {}
        """By address that the treasury paid, the memo that came with it last."""
        chain.followers.append(self._follow)

    def _follow(self, block: Block) -> None:
        for encoded, result in zip(block.txs, block.results, strict=True):
            self._see(encoded, result)

    def _see(self, encoded: bytes, result: Result) -> None:
        if result.outcome.code == 0:
            self.executed.add(canonical(encoded))
        # A refusal before the messages tells nothing, and costs nothing.
        if result.told:
            tx = decode_tx(encoded)
            if self._treasury in signers(tx.messages[0]):
                self.fees += sum(int(coin.amount) for coin in tx.fee)
                if result.outcome.code == 0:
                    self.memos |= dict.fromkeys(_payees(tx.messages), tx.memo)

    def balance(self, address: str, height: int | None = None) -> int:
        """Return what ``address`` holds after ``height`` (None: now), in base units."""
        raw = addresses.decode(address, SANDBOX_PARAMETERS.prefix)
        version = self._chain.latest() if height is None else self._chain.version(height)
        return state.balance(version, raw, DENOM)


def _payees(messages: Iterable[Message]) -> Iterator[str]:
    for message in messages:
        if isinstance(message, Send):
            yield message.recipient
        elif isinstance(message, MultiSend):
            yield from (side.address for side in message.outputs)


def canonical(encoded: bytes) -> bytes:
    """Return the hash of a transaction that no stranger can change."""
    return sha256(cosmos.encode(cosmos.TxRaw.FromString(encoded))).digest()
