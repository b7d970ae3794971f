"""What must hold at a quiet point, worked out from what people meant and from the chain, not from the program's word.

Each check yields sentences about what is wrong; none is a pass. What is one flow's own stands in its file.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, Final

from ledger.audit import audit
from tests.simulation.books import Books, shown
from tests.simulation.city import TREASURY, City
from tests.simulation.flow import Flow
from tests.simulation.people import People
from tests.simulation.witness import Witness

_LEFT: Final = re.compile(
    r"^You .*have (\S+ JUNO) left\. Receipt|^(\S+ JUNO) is left in .*Receipt", re.MULTILINE
)
"""What the payer has left, as their receipt says."""
_PRIVATE: Final = re.compile(
    r"[Yy]ou have [\d.]+ JUNO|(?:leaves|left|on) your balance|^Your JUNO$|· then ", re.MULTILINE
)
"""What somebody owns: nothing for a group."""
_DONE: Final = re.compile(
    r"(\S+ JUNO) is yours\.|You paid (\S+ JUNO) of bail\.|Cancelled; .*|You are in\. .*|It (waits|comes|is in\b).*|"
    r"(Sent|Queued|Paid|Approved|Rejected|Assigned|Done)\."
)
"""What is told over the chat after a press that did what its button says, and how much it moved."""


class Checks:
    """Looks at the books, the chain and the chats of one city."""

    def __init__(self, city: City, people: People, flows: Sequence[Flow]) -> None:
        self._city = city
        self._people = people
        self._flows = flows
        self._witness = Witness(city.node.chain, TREASURY)

    def problems(self) -> list[str]:
        """Return all that is wrong now."""
        books = Books(self._city, self._people, self._witness)
        # What flows say is about commands that were answered: a program that died, or left some, is told first.
        whole = [*self.program(), *self._audit(), *self._chain_agrees(books), *self._answers(books)]
        if whole:
            return whole
        return [
            *(problem for flow in self._flows for problem in flow.problems(books)),
            *self._balances(books),
            *self._receipts(books),
            *self._told_rightly(books),
            *self._toasts(books),
            *self._hidden(),
        ]

    def program(self) -> Iterator[str]:
        """Yield what the program died of, and what it or the world may never do, whatever the books say."""
        for death in self._city.died:
            yield f"the program died by itself: {death!r}"
        if not self._city.moved_ms:
            yield from self._city.told_by_two
        for error in self._city.network.errors:
            yield f"the world itself broke: {error!r}"

    def _audit(self) -> Iterator[str]:
        report = audit(self._city.disk.path)
        for problem in report.problems:
            yield f"audit: {problem}"

    def _chain_agrees(self, books: Books) -> Iterator[str]:
        cursor = books.select("SELECT height FROM cursor")
        if not cursor:
            yield "the books were never opened"
            return
        height = int(cursor[0]["height"])
        held, owned = self._witness.balance(TREASURY, height), books.total()
        if held != owned:
            yield f"at height {height} the treasury holds {held}, the books say {owned}"

    def _balances(self, books: Books) -> Iterator[str]:
        """Compare every balance with what people meant and what became of it."""
        own: Counter[int] = Counter()
        for flow in self._flows:
            own.update(flow.owned(books))
        balances = books.balances()
        for account in sorted({*balances, *own}):
            if balances.get(account, 0) != own[account]:
                yield f"account {account} owns {balances.get(account, 0)}, but should own {own[account]}"

    def _answers(self, books: Books) -> Iterator[str]:
        for row in books.select("SELECT key FROM inbox WHERE state = 'new'"):
            yield f"{row[0]} was never answered"
        for row in books.select("SELECT id, event, state FROM outbox WHERE state IN ('pending', 'dropped')"):
            yield f"news {row['id']} ({row['event']}) is {row['state']}"

    def _receipts(self, books: Books) -> Iterator[str]:
        """What people were told must be so: a receipt names an entry that stands, and each that stands was told."""
        if books.doubled > self._city.excuses:
            yield (
                f"{books.doubled} receipts were told again, but only {self._city.excuses} sendings may have been in doubt"
            )
        kinds = {kind for flow in self._flows for kind in flow.receipts}
        rows = books.select("SELECT DISTINCT entry_id, kind FROM transactions")
        standing = {row["entry_id"] for row in rows if row["kind"] in kinds}
        for receipt in sorted(books.told.keys() - standing):
            yield f"receipt {receipt} was told, but no such entry stands"
        for receipt in sorted(standing - books.told.keys()):
            yield f"entry {receipt} stands, but nobody was told"

    def _told_rightly(self, books: Books) -> Iterator[str]:
        """A receipt says what its entry moved, and what that left to whoever paid."""
        moved: dict[int, list[Any]] = {}
        for row in books.select("SELECT entry_id, amount, from_after FROM transactions"):
            moved.setdefault(row["entry_id"], []).append(row)
        for receipt, texts in books.receipts.items():
            rows = moved.get(receipt, [])
            for text in texts if len(rows) == 1 else ():
                left = _LEFT.search(text)
                if shown(rows[0]["amount"]) not in text:
                    yield f"receipt {receipt} is of {shown(rows[0]['amount'])}, and says {text!r}"
                elif left and (left[1] or left[2]) != shown(rows[0]["from_after"]):
                    yield f"receipt {receipt} left {shown(rows[0]['from_after'])}, and says {text!r}"

    def _toasts(self, books: Books) -> Iterator[str]:
        """What a press is answered with, over the chat, is what came of it."""
        for query in self._city.telegram.state.queries.values():
            text = (query.answer or {}).get("text")
            if not text or books.losses.has_press(query.id):
                continue
            pressed, done = books.press(query.person, query.id), _DONE.fullmatch(text)
            if pressed is None:
                yield f"{query.person} pressed what never came in, and reads {text!r}"
            elif (pressed["code"] is None) != (done is not None):
                yield f"{query.person} reads {text!r} of a press that ended with {pressed['code']}"
            elif done and (moved := done[1] or done[2]) and moved not in books.paid(query.person):
                yield f"{query.person} reads {text!r}, and nothing like that moved"

    def _hidden(self) -> Iterator[str]:
        for chat in (self._people.plaza, self._people.office):
            for message in self._city.telegram.replies(chat):
                if message.receiver is None and _PRIVATE.search(message.text):
                    yield f"{chat.key} reads what somebody owns: {message.text!r}"
