"""Copies of the books: one taken while they are written to, and one put in their place.

A copy counts only when an audit of it came out clean, and no file bears its final name before that. A restore keeps
what it replaces, and writes down that it happened: from then on blocks are replayed before anything is signed
(replay.py; chain.md, Withdrawals).
"""

import errno
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, NamedTuple

from ledger.audit import AuditReport, audit
from ledger.clocks import DRIFT_MS, seconds_behind
from ledger.connect import copy_database, fold_log, open_reader, open_writer
from ledger.errors import BrokenInvariant, Unavailable
from ledger.identity import require_own
from ledger.migrate import migrate, missing
from ledger.ports import Clock, Millis
from ledger.presence import Presence
from ledger.queries import queries
from ledger.reader import Reader
from ledger.store import Fault, fault_of

RESTORING: Final = "restore"
"""The presence of a restore beside the database: nobody starts while it is alive."""

_COPYING: Final = "copy"
_NO_LINKS: Final = frozenset({errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS})
"""What a file system says that knows no links (FAT, some shares)."""
_SQL: Final = queries("backup")


class CannotCopy(Exception):  # noqa: N818 - says what is the case
    """The files that were named do not allow it; nothing was changed. Whoever asked must ask otherwise."""


class ClockBehind(Exception):  # noqa: N818 - says what is the case
    """Postings of the backup were made later than now: either clock was wrong, and only people know which."""


class Restored(NamedTuple):
    """What a restore put in place, and where it keeps what was there (None: nothing was)."""

    report: AuditReport
    replaced: Path | None


class _Reached(NamedTuple):
    """How far books had read the chain, and for how many blocks their signed bytes may have lived at most.

    ``restored`` is when they were restored themselves, if they had not caught up since.
    """

    height: int = 0
    time: int = 0
    life: int = 0
    restored: int = 0


def back_up(database: Path, target: Path) -> AuditReport:
    """Copy the books at ``database``, which may be in use, into the new file ``target``; return the copy's audit.

    The copy is one file that only its owner may read, and stands for one moment.

    Raises:
        CannotCopy: there is no database, or ``target`` exists: a backup is never written over.
        BrokenInvariant: the copy does not pass its audit, and is gone again.
        WrongDatabase: the database is from a newer program, or holds no books.
        Unavailable: another process holds the database, or writes to the same target.
        OSError, sqlite3.Error: the disk.
    """
    if not database.exists():
        raise CannotCopy(f"{database} does not exist")
    if target.exists():
        raise CannotCopy(f"{target} exists; a backup is never written over")
    if not target.parent.is_dir():
        raise CannotCopy(f"{target.parent} is no directory")
    with _claimed(target, _COPYING), _draft_of(target) as draft:
        copy_database(database, draft)
        report = _audit_of_any(draft)
        _flush(draft)
        _publish(draft, target)
    _flush(target.parent)
    return report


def restore(
    backup: Path,
    database: Path,
    *,
    clock: Clock,
    identity: Mapping[str, str],
    quiet_blocks: int,
    clock_is_right: bool = False,
) -> Restored:
    """Put a copy of ``backup`` in the place of ``database``, brought to this program's schema and audited.

    ``identity`` is what the settings say the books belong to; ``quiet_blocks`` how long they let signed bytes live: the
    replay waits longer if either books hold bytes that live longer. ``clock_is_right``: whoever restores has looked, so
    postings of a later time were made while it was ahead. The database before is kept beside the new one; ``backup``
    stays as it is.

    Raises:
        CannotCopy: there is no backup, or it is the database itself.
        ClockBehind: a posting is of a later time than ``clock`` tells, which nobody called right.
        WrongDatabase: the backup is from a newer program, or of another chain, address or bot.
        BrokenInvariant: the backup does not pass its audit.
        Unavailable: a process runs on the database.
        OSError, sqlite3.Error: the disk, or a file that is no database.
    """
    if not backup.is_file():
        raise CannotCopy(f"{backup} does not exist")
    if database.exists() and backup.samefile(database):
        raise CannotCopy(f"{backup} is the database itself")
    with _claimed(database, RESTORING) as presence, _draft_of(database) as draft:
        _refuse_company(presence)
        copy_database(backup, draft)
        migrate(draft, clock.now())
        _check_identity(draft, identity)
        # Read before they are set aside: how far the lost books came says how long the replay must be.
        reached = _reached(database)
        if not clock_is_right:
            _check_clock(draft, clock.now(), reached)
        # Marked before it has the name: a stop at any instant leaves no restored books that would sign at once.
        _mark(draft, clock.now(), reached, quiet_blocks)
        fold_log(draft)
        report = _clean_audit(draft)
        _flush(draft)
        _give(draft, database)
        replaced = _set_aside(database, clock.now()) if database.exists() else None
        draft.replace(database)
    _flush(database.parent)
    return Restored(report, replaced)


@contextmanager
def _claimed(path: Path, name: str) -> Iterator[Presence]:
    """Be the only process that writes this file; one that was killed has no claim any more."""
    try:
        presence = Presence(path, name)
    except BlockingIOError as error:
        raise Unavailable(f"another {name} is writing {path}") from error
    try:
        yield presence
    finally:
        presence.close()


@contextmanager
def _draft_of(path: Path) -> Iterator[Path]:
    """Give the name of an empty private file beside ``path``, and leave nothing there whatever happens."""
    draft = path.with_name(f".{path.name}.draft")
    _remove(draft)
    try:
        os.close(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        yield draft
    finally:
        _remove(draft)


def _remove(draft: Path) -> None:
    for name in (draft, _log_of(draft), _shared_of(draft)):
        name.unlink(missing_ok=True)


def _log_of(database: Path) -> Path:
    return database.with_name(f"{database.name}-wal")


def _shared_of(database: Path) -> Path:
    return database.with_name(f"{database.name}-shm")


def _audit_of_any(copy: Path) -> AuditReport:
    """Audit ``copy`` as it is; of an earlier program, as `migrate` brings it up: an audit knows one schema."""
    if not missing(copy):
        return _clean_audit(copy)
    with _draft_of(copy) as current:
        copy_database(copy, current)
        migrate(current, Millis(0))
        return _clean_audit(current)


def _clean_audit(copy: Path) -> AuditReport:
    report = audit(copy)
    if not report.clean:
        raise BrokenInvariant(f"the copy does not pass its audit: {report.problems[0]}")
    return report


def _flush(path: Path) -> None:
    """Have a file, or the names in a directory, on disk."""
    file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def _publish(draft: Path, target: Path) -> None:
    """Give ``draft`` its final name, unless somebody has taken that meanwhile: a link never replaces."""
    try:
        os.link(draft, target)
    except FileExistsError as error:
        raise CannotCopy(f"{target} exists; a backup is never written over") from error
    except OSError as error:
        if error.errno not in _NO_LINKS or target.exists():
            raise
        draft.replace(target)


@contextmanager
def in_use(database: Path, name: str) -> Iterator[Presence]:
    """Keep ``database`` from being restored, as ``name``: a word unlike any other's. Raises Unavailable while it is restored.

    What would be written meanwhile would be in the file that is replaced.
    """
    presence = Presence(database, name)
    try:
        if RESTORING in presence.others():
            raise Unavailable("a restore is under way")
        yield presence
    finally:
        presence.close()


def _refuse_company(presence: Presence) -> None:
    others = presence.others()
    if others:
        raise Unavailable(f"{len(others)} process(es) run on this database; stop them first")


def _check_identity(draft: Path, identity: Mapping[str, str]) -> None:
    with closing(Reader(draft)) as books:
        require_own(books, identity, kind="backup")


def _reached(database: Path) -> _Reached:
    """Return how far the books that are replaced had come, as far as they can still be read."""
    if not database.exists():
        return _Reached()
    try:
        with closing(open_reader(database)) as connection:
            return _Reached(*connection.execute(_SQL["reached"]).fetchone())
    except sqlite3.Error:
        # Damaged, or not books at all: the clock alone tells then what to catch up with.
        return _Reached()


def _check_clock(draft: Path, now: Millis, reached: _Reached) -> None:
    """Refuse a clock that may be behind: the replay would end before all that was signed can have come."""
    with closing(Reader(draft)) as books:
        late = seconds_behind(books, now)
    if late is not None:
        raise ClockBehind(f"the newest posting was made {late} seconds after now")
    ahead = reached.restored - DRIFT_MS - now
    if ahead > 0:
        raise ClockBehind(f"the books that are replaced were restored {ahead // 1000} seconds after now")


def _mark(draft: Path, now: Millis, reached: _Reached, quiet_blocks: int) -> None:
    """Write down that these books were restored, which blocks everything that is signed."""
    with closing(open_writer(draft)) as connection:
        copied = _Reached(*connection.execute(_SQL["reached"]).fetchone())
        facts = {
            # Validators signed the time of blocks; the clock may be behind by as much as is not noticed.
            "at": max(now + DRIFT_MS, reached.time, copied.time),
            "reach_height": reached.height,
            "quiet_blocks": max(quiet_blocks, reached.life, copied.life),
        }
        connection.execute(_SQL["mark"], facts)
        connection.execute(_SQL["show_giveaways"], {"now": now})


def _give(draft: Path, database: Path) -> None:
    """Let ``draft`` belong to whom ``database`` does: root may restore what the program of another user runs on."""
    if os.geteuid() == 0 and database.exists():
        owner = database.stat()
        os.chown(draft, owner.st_uid, owner.st_gid)


def _set_aside(database: Path, now: Millis) -> Path:
    """Keep the database that is replaced under a name of its own; return it.

    A log left behind would be read into the new file. Folded in first, a stop at any instant leaves either the old
    books whole or the new ones. Only a database that SQLite itself cannot fold keeps its log apart.
    """
    moment = datetime.fromtimestamp(now / 1000, UTC).strftime("%Y%m%dT%H%M%S")
    aside = database.with_name(f"{database.name}.replaced-{moment}")
    try:
        fold_log(database)
    except sqlite3.DatabaseError as error:
        if fault_of(error) is Fault.LOCKED:
            raise Unavailable("another process holds the database") from error
    _link(database, aside)
    if _log_of(database).exists():
        _link(_log_of(database), _log_of(aside))
        _log_of(database).unlink()
    _shared_of(database).unlink(missing_ok=True)
    return aside


def _link(path: Path, other: Path) -> None:
    try:
        os.link(path, other)
    except FileExistsError as error:
        raise CannotCopy(f"{other} exists; wait a second") from error
