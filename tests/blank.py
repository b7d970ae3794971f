"""Blank books for tests: the schema as the program's own migrations make it, made once a process and then copied.

Making it takes longer than most tests. What a program does with a file that is not there is tested where that matters
(tests/ledger/test_migrate.py, the processes of tests/scenarios).
"""

import tempfile
from functools import cache
from pathlib import Path

from ledger.migrate import migrate
from ledger.ports import Millis


def lay_blank(path: Path) -> None:
    """Put migrated books without a row at ``path``; books that are there already are left alone."""
    if not path.exists():
        path.write_bytes(_blank())


@cache
def _blank() -> bytes:
    with tempfile.TemporaryDirectory(prefix="moneta-blank-") as directory:
        path = Path(directory) / "blank.sqlite3"
        migrate(path, Millis(0))
        return path.read_bytes()
