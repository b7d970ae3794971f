"""One current owner for each name; what is doubtful is told as doubtful."""

import sqlite3
from collections.abc import Iterator, Sequence
from importlib.resources import files
from typing import Any

import pytest

from bot.intents import Person
from bot.names import DAY_MS, Doubt, Known, NameBook, learn
from ledger.accounts import AccountId
from ledger.ports import Millis

NOW = Millis(1_700_000_000_000)
ALICE = Person(11, "Alice", "alice")
BOB = Person(22, "Bob", "Bob_B")


class Pages:
    """The migrated tables, and the book over them."""

    def __init__(self) -> None:
        self.connection = sqlite3.connect(":memory:")
        for script in sorted(files("migrations").iterdir(), key=lambda script: script.name):
            if script.name.endswith(".sql"):
                self.connection.executescript(script.read_text())
        self.book = NameBook(self)

    def select(self, sql: str, parameters: Sequence[Any] | dict[str, Any] = ()) -> list[Any]:
        return self.connection.execute(sql, parameters).fetchall()

    def see(self, *people: Person, at: int = NOW) -> None:
        for row in learn(people, Millis(at)):
            self.connection.execute(row.sql, row.parameters)

    def find(self, name: str, at: int = NOW) -> Known | None:
        return self.book.find(name, Millis(at))


@pytest.fixture
def pages() -> Iterator[Pages]:
    opened = Pages()
    yield opened
    opened.connection.close()


def test_a_name_never_seen_is_nobody(pages: Pages) -> None:
    assert pages.find("@alice") is None


@pytest.mark.parametrize("typed", ["bob_b", "@bob_b", "@BOB_B"])
def test_a_name_is_found_in_any_spelling(pages: Pages, typed: str) -> None:
    pages.see(BOB)
    assert pages.find(typed) == Known(AccountId(22), "Bob")


def test_a_name_that_moved_is_doubtful(pages: Pages) -> None:
    pages.see(ALICE, at=NOW - DAY_MS)
    pages.see(BOB._replace(username="alice"))
    assert pages.find("alice") == Known(AccountId(22), "Bob", Doubt.MOVED)


def test_a_name_that_moved_long_ago_is_its_owners(pages: Pages) -> None:
    pages.see(ALICE, at=NOW - 60 * DAY_MS)
    pages.see(BOB._replace(username="alice"), at=NOW - 40 * DAY_MS)
    assert pages.find("alice") == Known(AccountId(22), "Bob")


def test_a_name_that_was_given_up_is_doubtful(pages: Pages) -> None:
    pages.see(ALICE)
    pages.see(ALICE._replace(username=None))
    assert pages.find("alice") == Known(AccountId(11), "Alice", Doubt.RENAMED)


def test_a_name_not_seen_for_long_is_doubtful(pages: Pages) -> None:
    pages.see(ALICE, at=NOW - 91 * DAY_MS)
    assert pages.find("alice") == Known(AccountId(11), "Alice", Doubt.STALE)


def test_being_seen_again_keeps_a_name_fresh(pages: Pages) -> None:
    pages.see(ALICE, at=NOW - 91 * DAY_MS)
    pages.see(ALICE, at=NOW - 2 * DAY_MS)
    assert pages.find("alice") == Known(AccountId(11), "Alice")


def test_a_name_that_came_back_is_doubtful(pages: Pages) -> None:
    pages.see(ALICE, at=NOW - 3 * DAY_MS)
    pages.see(BOB._replace(username="alice"), at=NOW - 2 * DAY_MS)
    pages.see(ALICE, at=NOW - 1 * DAY_MS)
    assert pages.find("alice") == Known(AccountId(11), "Alice", Doubt.MOVED)


def test_a_name_that_a_bot_took_is_nobodys(pages: Pages) -> None:
    pages.see(ALICE)
    pages.see(Person(33, "Robot", "alice", is_bot=True))
    assert pages.find("alice") is None


@pytest.mark.parametrize("special", [1087968824, 136817688, 777000])
def test_ids_behind_which_nobody_stands_are_not_entered(pages: Pages, special: int) -> None:
    pages.see(Person(special, "Group", "someone"))
    assert pages.find("someone") is None


def test_names_are_shown_clean(pages: Pages) -> None:
    pages.see(Person(44, "\u202eE\u200bve"))
    assert pages.book.shown(44) == "Eve"


def test_who_was_never_seen_is_shown_by_number(pages: Pages) -> None:
    assert pages.book.shown(99) == "member 99"
