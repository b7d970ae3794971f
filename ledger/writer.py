"""The blocking side of the journal: a batch of units becomes one transaction.

Everything between BEGIN and COMMIT or ROLLBACK happens inside one call, so no cancellation of anybody can leave a
transaction open. Each unit gets its own answer; what fails for one is decided again one by one (ledger.md, Write path).
"""

import sqlite3
from collections.abc import Sequence
from typing import Any

from ledger.errors import BrokenInvariant, Conflict, LedgerError, OutcomeUnknown, Refused, Unavailable
from ledger.money import Amount
from ledger.ports import Clock, Millis
from ledger.store import Fault, Link, Standing, Store, fault_of
from ledger.units import AS_POSTED, Decision, Receipt, Unit
from ledger.view import NOTHING, Plan, WriterView

Answer = tuple[Any, Exception | None]
"""What one caller gets: an outcome, or an error to raise."""


class DatabaseLocked(Exception):  # noqa: N818
    """Another process is writing; nothing was begun, the same batch may be tried again."""


class Writer:
    """Commits batches through ``store``. Blocking, one call at a time."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._view = WriterView(store)
        self.broken: BrokenInvariant | None = None
        """Set when the books contradicted themselves: nothing is written any more."""

    def close(self) -> None:
        """Close the database."""
        self._view.forget()
        self._store.close()

    def commit(self, units: Sequence[Unit[Any]]) -> list[Answer]:
        """Commit ``units`` together and return their answers in order.

        Raises:
            DatabaseLocked: before anything was begun.
        """
        if self.broken is not None:
            return [(None, self.broken)] * len(units)
        try:
            return self._attempt(units)
        except DatabaseLocked:
            raise
        except sqlite3.Error as error:
            return self._recover(units, error, fault_of(error))
        except BrokenInvariant as error:
            return self._recover(units, error, Fault.CONSTRAINT)
        except Exception as error:  # noqa: BLE001 - a bug in one book is its caller's, not of others in the batch
            return self._recover(units, error, Fault.MISUSE)

    def _attempt(self, units: Sequence[Unit[Any]]) -> list[Answer]:
        self._begin()
        try:
            self._view.begin(self._clock.now(), [unit.key for unit in units if unit.key is not None])
            answers = [self._decide(unit) for unit in units]
            link = self._view.seal()
        except BaseException:
            self._abandon()
            raise
        # Refusals and keys that stand write nothing: nobody waits for an fsync then.
        if not self._view.wrote:
            self._store.rollback()
            return answers
        return self._commit(answers, link)

    def _begin(self) -> None:
        try:
            self._store.begin()
        except sqlite3.Error as error:
            if fault_of(error) is Fault.LOCKED:
                raise DatabaseLocked from error
            raise

    def _abandon(self) -> None:
        """End a failed transaction. It may be gone already: SQLITE_FULL rolls back without being asked."""
        self._view.forget()
        try:
            self._store.rollback()
        except sqlite3.Error:
            # A connection that cannot even roll back is of no use; closing it does the same.
            self._store.close()

    def _decide(self, unit: Unit[Any]) -> Answer:
        """Decide one unit NOW and keep what it does. Only its own refusals are answers; the rest is raised."""
        view = self._view
        refusal: Refused | None = None
        try:
            standing = view.standing.get(unit.key) if unit.key is not None else None
            decision = unit.decide(view) if standing is None else _recall(unit, view, standing)
            outcome, entries, rows = decision
            plan = view.plan(entries)
            if outcome is AS_POSTED:
                outcome = _posted(unit, view, plan)
        except Refused as error:
            refusal, outcome, rows, plan = error, None, (), NOTHING
        except (BrokenInvariant, sqlite3.Error):
            raise
        except LedgerError as error:
            return None, error
        if unit.beside is not None:
            try:
                rows = (*rows, *unit.beside(view, outcome if refusal is None else refusal))
            except LedgerError as error:
                # Nothing of this unit is adopted yet, so it is undone alone.
                return None, error
        view.adopt(plan, rows)
        return outcome, refusal

    def _commit(self, answers: list[Answer], link: Link | None) -> list[Answer]:
        try:
            self._store.commit()
        except sqlite3.Error as error:
            self._abandon()
            if fault_of(error) is Fault.LOCKED:
                raise DatabaseLocked from error
            if fault_of(error) is not Fault.DISK:
                raise
            return self._resolve(answers, link, error)
        return answers

    def _resolve(self, answers: list[Answer], link: Link | None, error: sqlite3.Error) -> list[Answer]:
        """Find out what a failed COMMIT left, by the link that it would have written."""
        try:
            stands = None if link is None else self._store.settle_doubt(link)
        except sqlite3.Error:
            stands = None
        finally:
            # What a connection believes after a failed COMMIT is worth nothing: the next batch opens a fresh one.
            self._store.close()
        if stands:
            return answers
        fault = OutcomeUnknown if stands is None else Unavailable
        return [(None, _because(fault, str(error), error))] * len(answers)

    def _recover(self, units: Sequence[Unit[Any]], error: Exception, fault: Fault) -> list[Answer]:
        """Answer a batch whose transaction failed as a whole and left nothing."""
        if fault is Fault.DISK or fault is Fault.LOCKED:
            self._store.close()
            return [(None, _because(Unavailable, str(error), error))] * len(units)
        if fault is Fault.CORRUPT:
            return self._stop(units, error)
        if len(units) > 1:
            return self._one_by_one(units)
        return self._stop(units, error) if fault is Fault.CONSTRAINT else [(None, error)]

    def _one_by_one(self, units: Sequence[Unit[Any]]) -> list[Answer]:
        answers: list[Answer] = []
        for unit in units:
            try:
                answers += self.commit([unit])
            except DatabaseLocked as error:
                answers.append((None, _because(Unavailable, Fault.LOCKED.value, error)))
        return answers

    def _stop(self, units: Sequence[Unit[Any]], error: Exception) -> list[Answer]:
        if isinstance(error, BrokenInvariant):
            self.broken = error
        else:
            self.broken = BrokenInvariant(f"{error} (units: {[unit.key for unit in units]})")
            self.broken.__cause__ = error
        return [(None, self.broken)] * len(units)


def _recall(unit: Unit[Any], view: WriterView, standing: Standing) -> Decision[Any]:
    """Answer a key that stands: the first outcome for the same inputs, Conflict for others."""
    entry_id, digest, amount, source_after, destination_after, at = standing
    if digest != unit.digest:
        raise Conflict(f"key {unit.key} was used before with other inputs")
    receipt = Receipt(
        entry_id,
        Amount(amount),
        None if source_after is None else Amount(source_after),
        None if destination_after is None else Amount(destination_after),
        Millis(at),
        replayed=True,
    )
    return Decision(receipt if unit.recall is None else unit.recall(view, receipt))


def _posted(unit: Unit[Any], view: WriterView, plan: Plan) -> Any:
    """Return what became of the first entry of ``plan``, in the words of the unit."""
    number, _, _, _, amount, _, _, _, source_after, _, destination_after, _, _, _, at = plan[2][0]
    receipt = Receipt(number, amount, source_after, destination_after, at)  # type: ignore[arg-type]  # NewTypes of columns
    return receipt if unit.recall is None else unit.recall(view, receipt)


def _because(kind: type[Unavailable], why: str, cause: Exception) -> Unavailable:
    error = kind(why)
    error.__cause__ = cause
    return error
