"""What can go wrong between a bot and Telegram, on purpose."""

from dataclasses import dataclass
from typing import Final, Literal

FaultKind = Literal["refuse", "lost_reply", "hang_after", "slow", "hang", "garbage"]
"""``refuse``: the call does nothing and ``code`` comes back. ``lost_reply``: it acts, then the connection breaks.
``hang_after``: it acts, then no answer for ``seconds``. ``slow``: it acts after ``seconds``. ``hang``: it never acts
and answers nothing for ``seconds``, then 504. ``garbage``: it does nothing and a page of HTML comes back."""

_MOST: Final = 1_000


@dataclass
class Fault:
    """One fault, for the next ``times`` calls of ``method`` (``*`` for any)."""

    kind: FaultKind
    method: str = "*"
    times: int = 1
    code: int = 500
    description: str = "Internal Server Error"
    retry_after: int = 0
    seconds: float = 0.0


class FaultTable:
    """The faults that wait for their call, oldest first."""

    def __init__(self) -> None:
        self.waiting: list[Fault] = []

    def add(self, fault: Fault) -> None:
        """Let ``fault`` happen. Raises ValueError when far too many wait."""
        if len(self.waiting) >= _MOST:
            raise ValueError(f"{_MOST} faults wait already")
        self.waiting.append(fault)

    def clear(self) -> None:
        """Let nothing go wrong any more."""
        self.waiting.clear()

    def take(self, method: str) -> Fault | None:
        """Return the fault for a call of ``method`` (in any case) that comes now, and count it."""
        for fault in self.waiting:
            if fault.method.lower() in {"*", method.lower()}:
                fault.times -= 1
                if fault.times <= 0:
                    self.waiting.remove(fault)
                return fault
        return None
