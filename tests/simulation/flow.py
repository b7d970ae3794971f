"""What a flow is: one thing that people do with the bank, what they meant, and what must and must not come of it."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import ClassVar, NamedTuple

from tests.simulation.books import Books
from tests.simulation.city import City
from tests.simulation.people import People


class Act(NamedTuple):
    """Something that somebody may do, and how often beside the others (deposits: 14, a transfer: 36)."""

    do: Callable[[], object]
    weight: float


class Flow:
    """One flow, in a file of its own; all that it need not say has a default.

    An act writes down an intent *before* anything comes of it, so that the model never learns from the program what was
    meant. ``rng`` is the flow's own: another flow's change leaves it alone.
    """

    receipts: ClassVar[frozenset[str]] = frozenset()
    """Kinds of postings whose entry has a receipt, which somebody must have been shown."""

    unrest: ClassVar[Mapping[str, str]] = {}
    """By name, a SELECT that finds something as long as the flow has not come to rest (``:now`` is in milliseconds)."""

    def __init__(self, city: City, people: People) -> None:
        self.city = city
        self.people = people
        self.rng = city.random(f"flow {type(self).__name__}")

    def acts(self) -> Sequence[Act]:
        """Return what people do."""
        raise NotImplementedError

    def begin(self) -> None:
        """Do what must be done once, when the program runs and everybody has an account."""

    async def attend(self) -> None:
        """Do beside the acts, from `begin` to the end of the run, what takes time."""

    def calm(self) -> None:
        """Let people do what must be done before a quiet point, so that everything can come to its end."""

    def problems(self, books: Books) -> Iterator[str]:
        """Yield what is wrong now: what was meant and did not come, or came and was not meant."""
        del books
        return iter(())

    def owned(self, books: Books) -> Mapping[int, int]:
        """Return by account what this flow gave it in all, or (negative) took from it, in base units.

        The sum over all flows must be the balance of every account there is: members, BOT_TREASURY, UNCLAIMED,
        escrows, shared accounts; and 0 for the rest.
        """
        del books
        return {}
