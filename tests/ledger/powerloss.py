"""A disk whose power fails: what the store wrote, in order, and every state that a cut can leave of it.

The store's own statements are taped on the standard module and played again through a VFS that logs each write and
sync. A cut keeps what was synced; of what was not, nothing, everything or any part, the last write torn.
"""

import argparse
import sqlite3
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any, Final, NamedTuple

import apsw

from ledger.audit import audit
from ledger.migrate import migrate
from ledger.money import Amount
from ledger.ports import Millis
from ledger.store import Store
from ledger.units import Decision, Posting, Row, Unit
from ledger.writer import Writer
from tests.ledger.desk import ANN, BEN, UJUNO, StoppedClock, funding, posting

SECTOR: Final = 512
LOG: Final = "-wal"


class Statement(NamedTuple):
    """What the store asked of its connection."""

    sql: str
    parameters: Any
    many: bool


class Taped:
    """A connection that keeps what is written through it."""

    def __init__(self, connection: Any, tape: list[Statement]) -> None:
        self._connection = connection
        self._tape = tape

    def execute(self, sql: str, parameters: Any = ()) -> Any:
        """Run and keep one statement."""
        self._keep(sql, parameters, many=False)
        return self._connection.execute(sql, parameters)

    def executemany(self, sql: str, parameters: Sequence[Any]) -> Any:
        """Run and keep one statement for many rows."""
        self._keep(sql, list(parameters), many=True)
        return self._connection.executemany(sql, parameters)

    def _keep(self, sql: str, parameters: Any, *, many: bool) -> None:
        if not sql.lstrip().upper().startswith(("SELECT", "PRAGMA")):
            self._tape.append(Statement(sql, parameters, many))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connection, name)


class TapedStore(Store):
    """The store as it is, on a taped connection."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.tape: list[Statement] = []

    @property
    def connection(self) -> Any:
        """Return the open connection."""
        return Taped(super().connection, self.tape)


class Event(NamedTuple):
    """One thing that happened to the disk: a write, a truncate, a sync, or a commit that was answered."""

    what: str
    file: str = ""
    offset: int = 0
    content: bytes = b""


class Disk(apsw.VFS):
    """The machine's own files, with a log of what happens to them."""

    def __init__(self) -> None:
        super().__init__("powerloss", "")
        self.events: list[Event] = []

    def xOpen(self, name: Any, flags: list[int]) -> "LoggedFile":  # noqa: N802 - SQLite's name
        """Open a file that logs."""
        return LoggedFile(self.events, name, flags)

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: N802
        """Delete a file."""
        self.events.append(Event("delete", LOG if filename.endswith(LOG) else ""))
        super().xDelete(filename, syncdir)


class LoggedFile(apsw.VFSFile):
    """A file that logs."""

    def __init__(self, events: list[Event], name: Any, flags: list[int]) -> None:
        super().__init__("", name, flags)
        filename = name.filename() if isinstance(name, apsw.URIFilename) else str(name)
        self._file = LOG if filename.endswith(LOG) else ""
        self._events = events

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802
        """Write ``data`` at ``offset``."""
        self._events.append(Event("write", self._file, offset, bytes(data)))
        super().xWrite(data, offset)

    def xTruncate(self, newsize: int) -> None:  # noqa: N802
        """Cut the file."""
        self._events.append(Event("truncate", self._file, newsize))
        super().xTruncate(newsize)

    def xSync(self, flags: int) -> None:  # noqa: N802
        """Have the file on disk."""
        self._events.append(Event("sync", self._file))
        super().xSync(flags)


def play(path: Path, tape: Sequence[Statement], *, synchronous: str, checkpoint_pages: int) -> list[Event]:
    """Play ``tape`` on the database at ``path`` and return what happened to the disk; ``answered`` tells how many links."""
    disk = Disk()
    connection = apsw.Connection(str(path), vfs="powerloss")
    cursor = connection.cursor()
    # The logging files have no shared memory; one connection that keeps the file to itself needs none.
    for pragma in (
        "locking_mode = EXCLUSIVE",
        "journal_mode = WAL",
        f"synchronous = {synchronous}",
        f"wal_autocheckpoint = {checkpoint_pages}",
        "foreign_keys = ON",
        "recursive_triggers = ON",
    ):
        cursor.execute(f"PRAGMA {pragma}").fetchall()
    disk.events.clear()
    links = 0
    for sql, parameters, many in tape:
        (cursor.executemany if many else cursor.execute)(sql, parameters)
        links = parameters[0] if sql.startswith("INSERT INTO links") else links
        if sql == "COMMIT":
            disk.events.append(Event("answered", offset=links))
    events = list(disk.events)
    connection.close()
    disk.unregister()
    return events


@dataclass
class _File:
    synced: bytearray = field(default_factory=bytearray)
    pending: list[Event] = field(default_factory=list)

    def sync(self) -> None:
        self.synced = bytearray(self.after(self.pending))
        self.pending = []

    def after(self, events: Sequence[Event]) -> bytes:
        content = bytearray(self.synced)
        for event in events:
            _apply(content, event)
        return bytes(content)


def _apply(content: bytearray, event: Event) -> None:
    if event.what == "truncate":
        del content[event.offset :]
        return
    end = event.offset + len(event.content)
    content.extend(bytes(max(0, end - len(content))))
    content[event.offset : end] = event.content


class Remains(NamedTuple):
    """What a cut after ``position`` events may leave: the file, its log, and how many links were answered for."""

    position: int
    main: bytes
    log: bytes
    answered: int


def cuts(before: bytes, events: Sequence[Event], random: Random) -> Iterator[Remains]:
    """Yield, for a cut before each event and after the last, the states that it can leave."""
    files = {"": _File(bytearray(before)), LOG: _File()}
    answered = 0
    for position, event in enumerate((*events, Event("end"))):
        for choose in (_nothing, _everything, _some):
            main, log = (each.after(choose(each.pending, random)) for each in (files[""], files[LOG]))
            yield Remains(position, main, log, answered)
        if event.what == "answered":
            answered = event.offset
        elif event.what == "sync":
            files[event.file].sync()
        elif event.what == "delete":
            files[event.file] = _File()
        elif event.what != "end":
            files[event.file].pending.append(event)


def _nothing(_pending: Sequence[Event], _random: Random) -> Sequence[Event]:
    return ()


def _everything(pending: Sequence[Event], _random: Random) -> Sequence[Event]:
    return pending


def _some(pending: Sequence[Event], random: Random) -> Sequence[Event]:
    """Return any part of what was not synced, in any order of the disk's, one write torn at a sector."""
    kept = [event for event in pending if random.random() < 0.5]
    if kept:
        torn = random.randrange(len(kept))
        sectors = random.randrange(len(kept[torn].content) // SECTOR + 1)
        kept[torn] = kept[torn]._replace(content=kept[torn].content[: sectors * SECTOR])
    return kept


PEOPLE = """
INSERT INTO assets (denom, symbol, decimals) VALUES ('ujuno', 'JUNO', 6);
INSERT INTO users VALUES (11, 'member', 'Ann', 0), (22, 'member', 'Ben', 0);
"""


def books(path: Path) -> Path:
    migrate(path, Millis(0))
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(PEOPLE)
    return path


def taped(path: Path, commits: int) -> list[Statement]:
    """Return the statements of the real writer: postings in batches of several sizes, and rows beside them."""
    store = TapedStore(books(path))
    writer = Writer(store, StoppedClock())
    writer.commit([funding(ANN, 1_000_000)])
    for number in range(commits):
        sends = [
            posting(f"k{number}.{each}", Posting(ANN, BEN, Amount(1), UJUNO))
            for each in range(1 + number % 5)
        ]
        news = Row(
            "INSERT INTO outbox (event, recipient, facts, created_at, due_at) VALUES ('x', 0, '{}', 0, 0)", ()
        )
        writer.commit([*sends, Unit(lambda _, news=news: Decision(None, rows=(news,)))])  # type: ignore[misc]
    writer.close()
    return store.tape


def violations(place: Path, commits: int, *, synchronous: str, seed: int = 1) -> list[str]:
    """Cut the power at every write of a run, look at what is left, and return what is wrong with it."""
    tape = taped(place / "taped.db", commits)
    played = books(place / "played.db")
    before = played.read_bytes()
    events = play(played, tape, synchronous=synchronous, checkpoint_pages=12)
    assert any(event.what == "write" and not event.file for event in events), "no checkpoint was met"
    found: list[str] = []
    seen: set[int] = set()
    for position, main, log, answered in cuts(before, events, Random(seed)):
        state = hash((main, log, answered))
        if state not in seen:
            seen.add(state)
            found += [f"cut {position}: {wrong}" for wrong in _wrongs(place, main, log, answered)]
    return found


def _wrongs(place: Path, main: bytes, log: bytes, answered: int) -> list[str]:
    path = place / "remains.db"
    for suffix in ("-shm", "-wal", ""):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    path.write_bytes(main)
    path.with_name(f"{path.name}-wal").write_bytes(log)
    report = audit(path)
    lost = [f"{answered} commits were answered, {report.links} stand"] if report.links < answered else []
    return [*report.problems, *lost]


def main(argv: Sequence[str]) -> int:
    """Cut the power in one long run, and tell what is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.ledger.powerloss")
    parser.add_argument("--commits", type=int, default=80)
    parser.add_argument("--seed", type=int, default=1, help="draws what of the last writes is kept")
    options = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as directory:
        found = violations(Path(directory), options.commits, synchronous="FULL", seed=options.seed)
    sys.stdout.write("".join(f"{wrong}\n" for wrong in found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
