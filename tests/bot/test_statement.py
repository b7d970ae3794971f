"""The statement as a document: what a spreadsheet and a parser find in it."""

import asyncio
import csv
import io
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.html import clean_line
from bot.names import NameBook
from bot.statement import FORMULA_SIGNS, Paper, Statements, ask, number_cell, text_cell
from ledger.accounts import AccountId
from ledger.errors import Unavailable
from ledger.money import Amount, Asset, Denom
from ledger.pool import ReaderPool
from ledger.ports import Millis
from ledger.service import LedgerService
from ledger.statement import StatementLine
from sandbox.telegram import User
from tests.bot.stage import JUNO, Stage, stage
from tests.jumping import JumpingLoop

NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?\Z")
NASTY = st.text(st.one_of(st.sampled_from("=+-@\t\r\n,;\"' \uff1d\u200b"), st.characters()), max_size=40)
LINES = st.builds(
    StatementLine,
    st.integers(1, 2**62),
    st.sampled_from(["transfer", "deposit", "withdrawal_returned"]),
    st.integers(-(2**62), 2**62).map(Amount),
    st.none(),
    st.integers(0, 2**62).map(Amount),
    NASTY,
    st.integers(0, 4_000_000_000_000).map(Millis),
)


def parsed(content: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True))


def written(lines: list[tuple[StatementLine, str]], asset: Asset = JUNO) -> list[list[str]]:
    paper = Paper(asset)
    for line, name in lines:
        paper.add(line, name)
    return parsed(paper.content())


@given(st.lists(st.tuples(LINES, NASTY), max_size=5), NASTY)
def test_no_cell_begins_a_formula(lines: list[tuple[StatementLine, str]], symbol: str) -> None:
    for row in written(lines, Asset(Denom("u"), symbol, 6)):
        assert all(NUMBER.match(cell) or cell[:1] not in FORMULA_SIGNS for cell in row)


@given(st.lists(st.tuples(LINES, NASTY), max_size=5))
def test_only_the_money_and_the_number_are_numbers_with_a_sign(
    lines: list[tuple[StatementLine, str]],
) -> None:
    for _, what, name, amount, after, note, receipt in written(lines)[1:]:
        assert all(NUMBER.match(cell) for cell in (amount, after, receipt))
        assert not any(cell.startswith("-") for cell in (what, name, note))


@given(st.lists(st.tuples(LINES, NASTY), max_size=5))
def test_it_parses_back(lines: list[tuple[StatementLine, str]]) -> None:
    rows = written(lines)[1:]
    assert len(rows) == len(lines)
    for row, (line, name) in zip(rows, lines, strict=True):
        note = clean_line(line.note) if line.kind == "transfer" else ""
        assert [cell.removeprefix("'") for cell in (row[2], row[5])] == [
            text.removeprefix("'") for text in (clean_line(name), note)
        ]
        assert [int(cell.replace(".", "")) for cell in row[3:5]] == [line.change, line.balance_after]
        assert row[6] == str(line.receipt)


def test_lines_end_as_the_standard_says() -> None:
    assert Paper(JUNO).content().endswith(b"note,receipt\r\n")


@pytest.mark.parametrize(
    ("text", "cell"),
    [
        ("tea", "tea"),
        ("=1+1", "'=1+1"),
        ("-5", "'-5"),
        ("@ana", "'@ana"),
        ("\t=1", "'=1"),
        ("\u200b+1", "'+1"),
    ],
)
def test_text_is_neutralised(text: str, cell: str) -> None:
    assert text_cell(text) == cell


@pytest.mark.parametrize(
    ("amount", "decimals", "cell"),
    [(-1_500_000, 6, "-1.500000"), (1, 6, "0.000001"), (-1, 6, "-0.000001"), (7, 0, "7"), (0, 6, "0.000000")],
)
def test_amounts_have_all_their_decimals(amount: int, decimals: int, cell: str) -> None:
    assert number_cell(amount, decimals) == cell


# Over real books


@pytest.fixture
async def books(tmp_path: Path) -> AsyncIterator[Stage]:
    async with stage(tmp_path / "bank.sqlite3") as set_up:
        await set_up.start(only="nothing")
        yield set_up


async def spend(service: LedgerService, who: User, times: int) -> None:
    await service.users.register(AccountId(22), "Ben")
    for number in range(times):
        await service.transfer_between_users(
            AccountId(who.id), AccountId(22), Amount(1), JUNO.denom, key=f"t{number}"
        )


def facts_of(service: LedgerService, who: User) -> dict[str, object]:
    (newest,) = service.reader.history(AccountId(who.id), JUNO.denom, limit=1)
    return {"account": who.id, "denom": JUNO.denom, "newest": newest.id}


def statements(service: LedgerService, **more: int) -> Statements:
    return Statements(service.long_reads, NameBook(service.reader), (JUNO,), **more)


async def test_several_parts_are_one_document(books: Stage) -> None:
    ana = books.telegram.person("Ana", user_id=11)
    await books.fund(ana, 2_000)
    await spend(books.service, ana, 1_200)
    found = await statements(books.service).of(facts_of(books.service, ana))
    balances = [row[4] for row in parsed(found.document.content)[1:]]
    assert balances == [number_cell(each, 6) for each in range(800, 2_001)]
    assert (found.lines, found.cut) == (1_201, False)


@pytest.mark.parametrize(("most", "cut"), [(3, True), (4, False)])
async def test_what_is_older_than_the_limit_is_left_out(books: Stage, most: int, *, cut: bool) -> None:
    ana = books.telegram.person("Ana", user_id=11)
    await books.fund(ana, 10)
    await spend(books.service, ana, 3)
    found = await statements(books.service, most_lines=most).of(facts_of(books.service, ana))
    assert (found.lines, found.cut, len(parsed(found.document.content))) == (most, cut, most + 1)


async def test_written_again_it_is_the_same(books: Stage) -> None:
    ana = books.telegram.person("Ana", user_id=11)
    await books.fund(ana, 10)
    facts = facts_of(books.service, ana)
    first = await statements(books.service).of(facts)
    await spend(books.service, ana, 3)
    assert await statements(books.service).of(facts) == first


async def test_a_posting_of_others_shows_nothing(books: Stage) -> None:
    ana = books.telegram.person("Ana", user_id=11)
    await books.fund(ana, 10)
    found = await statements(books.service).of({**facts_of(books.service, ana), "account": 33})
    assert found.lines == 0


async def test_beyond_a_few_at_once_they_wait(books: Stage) -> None:
    with pytest.raises(Unavailable):
        await statements(books.service, most_at_once=0).of({})


async def test_the_pool_of_production_reads_the_same(books: Stage) -> None:
    ana = books.telegram.person("Ana", user_id=11)
    await books.fund(ana, 10)
    await spend(books.service, ana, 3)
    facts = facts_of(books.service, ana)
    pool = ReaderPool(books.path)
    await pool.open()
    reading = asyncio.ensure_future(Statements(pool, NameBook(books.service.reader), (JUNO,)).of(facts))
    loop = asyncio.get_running_loop()
    assert isinstance(loop, JumpingLoop)
    loop.hold(reading)  # the pool's threads are not the stage's
    found = await reading
    await pool.close()
    assert found == await statements(books.service).of(facts)


async def test_one_that_waits_is_not_asked_for_again(books: Stage) -> None:
    ana = books.telegram.person("Ana", user_id=11)
    await books.fund(ana, 1)
    for _ in range(2):
        await ask(books.service.journal, AccountId(ana.id), AccountId(ana.id), JUNO.denom, 1, beside=None)
    assert books.rows("SELECT count(*) FROM outbox WHERE event = 'statement.asked'") == [(1,)]
