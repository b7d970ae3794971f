"""What the program needs from the world, injected so that all of it can run on a virtual clock."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NewType, Protocol, TypeVar

Millis = NewType("Millis", int)
"""Unix time in milliseconds, UTC."""

T = TypeVar("T")


class Clock(Protocol):
    """Wall-clock time. Waiting is the event loop's business (``asyncio.sleep``), telling time is this one's."""

    def now(self) -> Millis:
        """Return the current time."""
        ...


class Selects(Protocol):
    """The books as the writer or a reader sees them."""

    def select(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[Any]:
        """Run a SELECT; rows allow access by column name."""
        ...


class BlockingRunner(Protocol):
    """Runs a blocking call off the event loop: one thread in production, inline in a simulation.

    Calls given to one runner run one after another, in the order given.
    """

    def __call__(self, call: Callable[[], T]) -> Awaitable[T]:
        """Run ``call`` and return its result or raise its exception."""
        ...
