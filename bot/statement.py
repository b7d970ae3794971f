"""A member's statement: the whole history of one asset as a CSV document.

The outbox keeps what it is of (account, denom, newest posting), never the document: that is written when it is sent,
and again the same if sending failed.
"""

import asyncio
import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from bot.html import clean_line
from bot.names import NameBook
from bot.outgoing import Document
from ledger.accounts import AccountId
from ledger.errors import Unavailable
from ledger.journal import Journal
from ledger.money import Asset, AssetsByDenom, Denom
from ledger.outbox import news
from ledger.pool import LongReads
from ledger.statement import StatementLine, walk
from ledger.units import Beside, Decision, Unit, View

MOST_LINES: Final = 50_000
MOST_AT_ONCE: Final = 2
"""Statements written at once; the carriers of other messages must not all wait for exports."""
LIMIT_SECONDS: Final = 30.0

ASKED: Final = "statement.asked"
WAITS: Final = """
SELECT 1 FROM outbox
WHERE state = 'pending' AND event = 'statement.asked' AND recipient = ?
    AND json_extract(facts, '$.account') = ? AND json_extract(facts, '$.denom') = ?
"""

NOTED: Final = frozenset({"transfer", "shared_spend"})
"""Kinds whose notes are a member's, to be shown; those of other kinds are the books' own."""

FORMULA_SIGNS: Final = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""What makes a spreadsheet take a cell for a formula; the wide ones do so in East Asian editions."""
ENCODING: Final = "utf-8-sig"
"""With its mark in front, or a widely used spreadsheet shows names in another alphabet as garbage."""


class Statement(NamedTuple):
    """A finished document, and what its message tells of it."""

    document: Document
    lines: int
    cut: bool
    """There were more lines, which are left out."""


async def ask(
    journal: Journal,
    person: AccountId,
    account: AccountId,
    denom: Denom,
    newest: int,
    *,
    beside: Beside | None,
) -> None:
    """Have the statement of ``account`` sent to ``person`` in private; one of it that still waits to be sent is enough."""

    def decide(view: View) -> Decision[None]:
        if view.select(WAITS, (person, account, denom)):
            return Decision(None)
        facts = {"account": account, "denom": denom, "newest": newest}
        return Decision(None, rows=(news("statement.asked", person, facts, view.now),))

    await journal.submit(Unit(decide, beside=beside))


@dataclass
class Statements:
    """Writes statements. ``most_lines`` bounds each: what is older is left out."""

    reads: LongReads
    names: NameBook
    assets: Sequence[Asset]
    most_lines: int = MOST_LINES
    most_at_once: int = MOST_AT_ONCE
    _running: int = field(default=0, init=False)

    async def of(self, facts: Mapping[str, Any]) -> Statement:
        """Return the statement that ``facts`` (account, denom, newest) ask for; Unavailable: later."""
        if self._running >= self.most_at_once:
            raise Unavailable("other statements are being written")
        self._running += 1
        try:
            async with asyncio.timeout(LIMIT_SECONDS):
                return await self._of(AccountId(facts["account"]), Denom(facts["denom"]), facts["newest"])
        except TimeoutError as error:
            raise Unavailable("a statement took too long") from error
        finally:
            self._running -= 1

    async def _of(self, account: AccountId, denom: Denom, newest: int) -> Statement:
        asset = AssetsByDenom(self.assets)[denom]
        paper = Paper(asset)
        # One more than may be shown tells whether there were more.
        left = self.most_lines
        names: dict[AccountId, str] = {}
        async for part in walk(self.reads, account, denom, newest, left + 1):
            for line in part[:left]:
                paper.add(line, self._name(names, line.counterparty))
            left -= len(part)
        document = Document(_file_name(asset, newest), paper.content())
        return Statement(document, min(self.most_lines - left, self.most_lines), cut=left < 0)

    def _name(self, known: dict[AccountId, str], account: AccountId | None) -> str:
        if account is None:
            return ""
        if account not in known:
            known[account] = self.names.counterparty(account)
        return known[account]


class Paper:
    """The CSV (RFC 4180) as it is written, line by line."""

    def __init__(self, asset: Asset) -> None:
        self._decimals = asset.decimals
        self._text = io.StringIO(newline="")
        self._rows = csv.writer(self._text)
        moved = text_cell(f"amount ({asset.symbol})")
        left = text_cell(f"balance after ({asset.symbol})")
        self._rows.writerow(("date", "what", "counterparty", moved, left, "note", "receipt"))

    def add(self, line: StatementLine, counterparty: str) -> None:
        """Write one posting."""
        self._rows.writerow(
            (
                datetime.fromtimestamp(line.at // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                text_cell(line.kind.replace("_", " ")),
                text_cell(counterparty),
                number_cell(line.change, self._decimals),
                number_cell(line.balance_after, self._decimals),
                text_cell(line.note if line.kind in NOTED else ""),
                line.receipt,
            )
        )

    def content(self) -> bytes:
        """Return the document."""
        return self._text.getvalue().encode(ENCODING)


def text_cell(text: str) -> str:
    """Return ``text`` in one line, as no spreadsheet takes it for a formula: an apostrophe goes before a formula sign.

    Amounts are never given to this: they are made of digits by `number_cell`, and a leading minus before digits alone
    is a number everywhere. Text that merely looks like such a number is neutralised like any other.
    """
    shown = clean_line(text)
    return f"'{shown}" if shown[:1] in FORMULA_SIGNS else shown


def number_cell(amount: int, decimals: int) -> str:
    """Return ``amount`` base units as a plain number: all its decimals, a minus when it left, no plus, no symbol."""
    whole, fraction = divmod(abs(amount), 10**decimals)
    digits = f"{whole}.{fraction:0{decimals}d}" if decimals else str(whole)
    return f"-{digits}" if amount < 0 else digits


def _file_name(asset: Asset, newest: int) -> str:
    symbol = "".join(_plain_letters(asset.symbol.lower())) or "asset"
    return f"statement-{symbol}-{newest}.csv"


def _plain_letters(text: str) -> Iterable[str]:
    return (letter for letter in text if letter.isascii() and letter.isalnum())
