"""What a node tells of a transaction beside its result. No hash covers it (chain.md, Deposits 2)."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from sandbox.node.decoding import Coin


class Event(NamedTuple):
    """A type and its attributes in order."""

    type: str
    attributes: tuple[tuple[str, str], ...]

    def to_json(self) -> dict[str, Any]:
        """Return the event as ``/block_results`` shows it."""
        attributes = [{"key": key, "value": value, "index": True} for key, value in self.attributes]
        return {"type": self.type, "attributes": attributes}

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> "Event":
        """Read what ``to_json`` wrote."""
        return cls(document["type"], tuple((each["key"], each["value"]) for each in document["attributes"]))

    def with_attribute(self, key: str, value: str) -> "Event":
        """Return the event with one attribute more."""
        return Event(self.type, (*self.attributes, (key, value)))


def spelled(coins: Sequence[Coin]) -> str:
    """Return coins as events spell them."""
    return ",".join(map(str, coins))


def spent(spender: str, coins: Sequence[Coin]) -> Event:
    """Return the event of coins leaving an account."""
    return Event("coin_spent", (("spender", spender), ("amount", spelled(coins))))


def received(receiver: str, coins: Sequence[Coin]) -> Event:
    """Return the event of coins reaching an account."""
    return Event("coin_received", (("receiver", receiver), ("amount", spelled(coins))))


def transfer(sender: str, recipient: str, coins: Sequence[Coin]) -> Event:
    """Return the event that most clients believe, though nothing proves it."""
    return Event("transfer", (("recipient", recipient), ("sender", sender), ("amount", spelled(coins))))


def message(*attributes: tuple[str, str]) -> Event:
    """Return a ``message`` event."""
    return Event("message", attributes)
