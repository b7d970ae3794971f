"""Every outcome has its sentence, and no sentence shames anybody or breaks Telegram's rules."""

import ast
import re
import string
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot import sentences, slips
from bot.html import clean_line, shown_length
from bot.intents import width
from bot.names import Doubt
from bot.outgoing import Copy, Link, Press, plain
from bot.sentences import commands
from bot.speech import Sentences
from ledger.money import Asset, Denom

ROOT = Path(__file__).parents[2]
JUNO = Asset(Denom("ujuno"), "JUNO", 6)
USDC = Asset(Denom("ibc/4A4"), "USDC", 6)
SPEECH = Sentences((JUNO, USDC), "https://explorer.example/tx/{hash}")
ALL = {**sentences.ANSWERS, **sentences.NEWS, **sentences.REFUSALS}
TAGS = {"b", "i", "code", "a", "tg-time"}


def sources() -> Iterator[ast.AST]:
    for package in ("ledger", "chain", "bot"):
        for path in sorted((ROOT / package).rglob("*.py")):
            yield ast.parse(path.read_text())


def literals(node: ast.expr) -> Iterator[str]:
    """Return the texts that ``node`` may be: a literal, or one of two by a condition."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    if isinstance(node, ast.IfExp):
        yield from literals(node.body)
        yield from literals(node.orelse)


def first_arguments(*names: str) -> set[str]:
    """Return every literal that the program gives first to a call of one of ``names``."""
    calls = (node for tree in sources() for node in ast.walk(tree) if isinstance(node, ast.Call))
    named = (
        call for call in calls if isinstance(call.func, ast.Name) and call.func.id in names and call.args
    )
    return {text for call in named for text in literals(call.args[0])}


def alerts() -> set[str]:
    """Return every alert that the program writes by a literal: a fact of news, or given to a function that alerts."""
    nodes = [node for tree in sources() for node in ast.walk(tree)]
    facts = [
        pair
        for node in nodes
        if isinstance(node, ast.Dict)
        for pair in zip(node.keys, node.values, strict=True)
    ]
    named = {text for key, value in facts if key and "alert" in literals(key) for text in literals(value)}
    calls = [node for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    alerting = [
        call
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr in ("alert", "_alert", "_alarm", "_break")
    ]
    given = {text for call in alerting for argument in call.args for text in literals(argument)}
    return named | {text for text in given if "." in text}


CODES = sorted(first_arguments("Refused", "_refusal", "_Form"))


ANSWERED = sorted(first_arguments("Answer"))


def test_the_walk_finds_codes_of_every_layer() -> None:
    assert {"insufficient_balance", "bad_checksum", "amount_comma", "button_used", "recipient_bot"} <= set(
        CODES
    )


@pytest.mark.parametrize("code", CODES)
def test_every_refusal_has_a_sentence(code: str) -> None:
    assert code in sentences.REFUSALS


@pytest.mark.parametrize("code", sorted(sentences.REFUSALS))
def test_every_sentence_is_of_a_refusal(code: str) -> None:
    assert code in CODES or f"refused.{code}" in ANSWERED


@pytest.mark.parametrize("say", ANSWERED)
def test_every_answer_has_a_sentence(say: str) -> None:
    assert say.removeprefix("refused.") in ALL


@pytest.mark.parametrize("doubt", list(Doubt))
def test_every_doubt_has_a_question(doubt: Doubt) -> None:
    assert f"send.asks.{doubt}" in sentences.ANSWERS


@pytest.mark.parametrize("event", sorted(first_arguments("news") | first_arguments("tell")))
def test_every_news_has_a_sentence(event: str) -> None:
    assert event in sentences.NEWS


@pytest.mark.parametrize("alert", sorted(alerts()))
def test_every_alert_has_a_title(alert: str) -> None:
    assert alert in sentences.ALERTS


@pytest.mark.parametrize("action", sorted(first_arguments("Choice")))
def test_every_button_has_words(action: str) -> None:
    assert action in sentences.LABELS


@pytest.mark.parametrize("code", sorted(sentences.REFUSALS))
def test_what_a_group_may_read_tells_nothing_about_money(code: str) -> None:
    """Refusals that go to groups name no balance, no need and no place to fill it up."""
    if code.startswith(slips.OPEN_CODES):
        fields = {field for _, field, _, _ in string.Formatter().parse(sentences.REFUSALS[code]) if field}
        # The rank that a command needs is no money.
        told = fields - {"needed"} if code == "role_too_low" else fields
        assert not told & {"balance", "needed", "left", "fee", "minimum"}
        assert "/deposit" not in sentences.REFUSALS[code]


@pytest.mark.parametrize(
    "code", ["insufficient_balance", "nothing_to_send", "withdrawals_frozen", "unlisted_denom"]
)
def test_refusals_about_money_stay_out_of_groups(code: str) -> None:
    assert not code.startswith(slips.OPEN_CODES)


@pytest.mark.parametrize("code", sorted(sentences.REFUSALS))
def test_nobody_is_blamed(code: str) -> None:
    words = set(re.findall(r"[a-z]+", sentences.REFUSALS[code].lower()))
    assert not words & {"invalid", "illegal", "forbidden", "denied", "must", "insufficient", "error", "poor"}


@pytest.mark.parametrize("say", sorted(ALL))
def test_every_sentence_is_well_formed_without_any_fact(say: str) -> None:
    check_markup(SPEECH.render(f"refused.{say}" if say in sentences.REFUSALS else say, {}).html)


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the base class's
        assert tag in TAGS
        self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def check_markup(html: str) -> None:
    """Only Telegram's tags, each closed in its turn, and no bare ampersand or bracket."""
    reader = _Tags()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    assert not re.search(r"&(?!(?:lt|gt|amp|quot|#x27|#39);)", html)


FACTS = st.dictionaries(
    st.sampled_from(
        [
            "name",
            "typed",
            "note",
            "memo",
            "to",
            "who",
            "sender",
            "recipient",
            "address",
            "reason",
            "tx",
            "amount",
            "fee",
        ]
    ),
    st.one_of(st.text(max_size=60), st.integers(-(2**62), 2**62)),
)


@given(st.sampled_from(sorted(sentences.NEWS) + sorted(sentences.REFUSALS)), FACTS)
def test_hostile_facts_break_no_markup(say: str, facts: dict[str, Any]) -> None:
    facts = {
        name: value
        if name in ("amount", "fee", "sender", "recipient") and isinstance(value, int)
        else str(value)
        for name, value in facts.items()
    }
    for number in ("amount", "fee", "sender", "recipient"):
        if not isinstance(facts.get(number, 0), int):
            facts.pop(number)
    html = SPEECH.render(f"refused.{say}" if say in sentences.REFUSALS else say, facts).html
    check_markup(html)
    assert shown_length(html) <= 4096


@given(st.sampled_from(sorted(sentences.REFUSALS)), st.text(max_size=300))
def test_toasts_are_short_and_plain(code: str, typed: str) -> None:
    toast = SPEECH.toast(f"refused.{code}", {"typed": typed, "name": typed})
    assert width(toast) <= 200
    assert "<code>" not in toast or "<code>" in typed


def test_a_refusal_says_that_nothing_moved_and_a_reference() -> None:
    message = SPEECH.render("refused.amount_zero", {"reference": 42})
    assert plain(message.html).endswith("Nothing moved. Reference 42.")


def test_a_mistake_of_ours_promises_nothing() -> None:
    message = SPEECH.render("refused.internal_error", {"reference": 42})
    assert commands.NOTHING_MOVED not in message.html


def test_a_code_without_sentence_is_still_told() -> None:
    assert "brand_new" in SPEECH.render("refused.brand_new", {}).html


@pytest.mark.parametrize(
    ("instead", "said"),
    [
        (["1.5"], "Did you mean 1.5 JUNO?"),
        (["1.000", "1000"], "Did you mean 1.000 JUNO or 1000 JUNO?"),
        ([], "like 1.5"),
    ],
)
def test_a_comma_asks(instead: list[str], said: str) -> None:
    facts = {"typed": "1,5", "symbol": "JUNO", "instead": instead}
    assert said in plain(SPEECH.render("refused.amount_comma", facts).html)


def test_amounts_are_written_with_their_asset() -> None:
    facts = {"needed": 1_500_000, "balance": 0, "denom": "ibc/4A4"}
    assert (
        "That takes 1.5 USDC, and you have 0 USDC."
        in SPEECH.render("refused.insufficient_balance", facts).html
    )


def test_what_is_left_in_a_shared_account_is_taken_out_in_its_coin() -> None:
    facts = {"left": 5_000_000, "denom": USDC.denom, "name": "Picnic", "number": 100}
    told = SPEECH.render("refused.shared_not_empty", facts).html
    assert "There is still 5 USDC in Picnic. <code>/shared 100 send all USDC @name</code>" in told


def test_a_limit_that_is_none_is_told_with_its_coin() -> None:
    facts = {"name": "person", "denom": USDC.denom, "amount": None}
    assert SPEECH.render("limits.changed", facts).html == "person is none (USDC) from now on."


def test_a_transfers_refusal_needs_its_amount() -> None:
    facts = {"amount": 2_000_000, "balance": 1, "denom": "ujuno", "account": 11}
    assert "That takes 2 JUNO" in SPEECH.render("refused.insufficient_balance", facts).html


def test_the_deposit_card_has_a_picture_and_two_copy_buttons() -> None:
    facts = {"address": "juno1abc", "memo": "11", "symbol": "JUNO"}
    card = SPEECH.render("deposit.card", facts)
    assert card.photo is not None
    assert card.photo.startswith(b"\x89PNG")
    assert card.keyboard == (
        (Copy("Copy the address", "juno1abc"),),
        (Copy("Copy the memo 11", "11"),),
    )
    assert shown_length(card.html) <= 1024


def test_an_arrival_links_to_the_explorer() -> None:
    facts = {"amount": 1, "denom": "ujuno", "tx": "AB12", "height": 5, "transaction": 3}
    assert SPEECH.render("deposit.credited", facts).keyboard == (
        (Link("See it on the chain", "https://explorer.example/tx/AB12"),),
    )


def test_without_an_explorer_there_is_no_link() -> None:
    assert Sentences((JUNO,)).render("deposit.credited", {"amount": 1, "tx": "AB12"}).keyboard == ()


def test_choices_become_buttons() -> None:
    facts = {"choices": [{"action": "send.confirm", "token": "q.0", "arguments": {}}]}
    assert SPEECH.render("send.asks.moved", facts).keyboard == ((Press("Yes, send", "q.0"),),)


def test_a_member_in_a_group_line_is_told_by_a_mention() -> None:
    facts = {
        "sender": 11,
        "who": "Ana",
        "recipient": 22,
        "to": "<Ben>",
        "amount": 5_000_000,
        "denom": "ujuno",
    }
    html = SPEECH.render("send.group", {**facts, "note": "a < b", "receipt": 7}).html
    assert '<a href="tg://user?id=22">&lt;Ben&gt;</a>' in html
    assert plain(html) == "Ana sent 5 JUNO to <Ben>.\n“a < b”\nReceipt 7"


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ("withdrawal.requested", "You can cancel until it is signed."),
        ("withdrawal.signed", "on its way"),
        ("withdrawal.confirmed", "arrived"),
        ("withdrawal.returned", "the network refused it"),
        ("withdrawal.cancelled", "back on your balance"),
    ],
)
def test_the_tracker_tells_each_state(event: str, said: str) -> None:
    facts = {
        "withdrawal": 12,
        "amount": 5_000_000,
        "fee": 20_000,
        "denom": "ujuno",
        "address": "juno1abc",
        "memo": "104729",
        "returned": 5_020_000,
        "network_fee": 11_250,
        "reason": "failed",
        "tx": "AB",
    }
    text = plain(SPEECH.render(event, facts).html)
    assert text.startswith("Withdrawal 12")
    assert said in text


def test_an_alert_tells_its_facts() -> None:
    facts = {"alert": "reconciliation.shortfall", "amount": 5_000_000, "denom": "ujuno", "height": 9}
    text = plain(SPEECH.render("alert.raised", facts).html)
    assert "The treasury holds less than the books owe." in text
    assert "amount: 5 JUNO" in text


def test_an_alert_quotes_no_secret() -> None:
    speech = Sentences((JUNO,), redact=lambda text: text.replace("token", "[secret]"))
    assert (
        "token" not in speech.render("alert.raised", {"alert": "loop.failing", "why": "at /bot-token/x"}).html
    )


def test_a_deposit_for_the_treasury_is_told_as_such() -> None:
    facts = {"account": -1, "amount": 5_000_000, "denom": "ujuno", "transaction": 3, "height": 9}
    assert plain(SPEECH.render("deposit.credited", facts).html).startswith("5 JUNO arrived for BOT_TREASURY.")


def test_an_unknown_alert_is_told_by_its_code() -> None:
    assert "brand.new" in SPEECH.render("alert.raised", {"alert": "brand.new"}).html


def test_history_has_a_heading_for_each_day_and_signs() -> None:
    lines = [
        {
            "change": -2_000_000,
            "kind": "transfer",
            "name": "Ben",
            "after": 3_000_000,
            "note": "tea",
            "at": 1_700_000_000_000,
        },
        {
            "change": 5_000_000,
            "kind": "deposit",
            "name": "",
            "after": 5_000_000,
            "note": "",
            "at": 1_699_900_000_000,
        },
    ]
    text = plain(SPEECH.render("history.page", {"denom": "ujuno", "lines": lines}).html)
    assert text.splitlines() == [
        "Your JUNO",
        "",
        "14 November 2023",
        "-2 JUNO to Ben",
        "“tea”",
        "22:13 UTC · then 3 JUNO",
        "13 November 2023",
        "+5 JUNO deposited",
        "18:26 UTC · then 5 JUNO",
    ]


@given(st.text(max_size=200))
def test_a_note_is_shown_in_one_clean_line(note: str) -> None:
    facts = {"sender": 11, "who": "Ana", "amount": 1, "denom": "ujuno", "note": note, "receipt": 7}
    text = plain(SPEECH.render("transfer.received", facts).html)
    assert clean_line(note) in text


def test_parts_that_wait_in_unclaimed_are_counted() -> None:
    facts = {"amount": 300, "reason": "no_memo", "transaction": 7}
    assert "as number 7." in SPEECH.render("deposit.unclaimed", facts).html
    assert "as number 7 and 2 more of" in SPEECH.render("deposit.unclaimed", {**facts, "parts": 3}).html
