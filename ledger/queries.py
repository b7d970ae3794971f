"""Statements of a book from its ``.sql`` file: SQL is read as SQL, and each statement says what it is for."""

import re
from importlib.resources import files
from typing import Final

_NAMED: Final = re.compile(r"^-- name: (?P<name>[a-z_]+)\n(?P<sql>(?:(?!^-- name:).*\n?)*)", re.MULTILINE)


def queries(book: str) -> dict[str, str]:
    """Return the statements of ``ledger/sql/<book>.sql`` by name; each begins with ``-- name: ...``.

    A comment goes with its statement, so that a trace of the database shows what a statement was for.
    """
    text = files("ledger").joinpath(f"sql/{book}.sql").read_text(encoding="utf-8")
    return {found["name"]: found["sql"].strip() for found in _NAMED.finditer(text)}
