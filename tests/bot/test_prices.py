"""Amounts in dollars: read strictly, priced by what a source says, refused when nobody says it."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from fractions import Fraction
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.prices import LONGEST_ANSWER, TIMEOUT_SECONDS, Prices, PriceSource, take_usd
from ledger.errors import Refused
from ledger.money import Asset, Denom
from tests.jumping import JumpingLoop
from tests.ledger.desk import StoppedClock

JUNO = Asset(Denom("ujuno"), "JUNO", 6)
SOURCE = PriceSource("https://prices.example/now?key=hidden", ("juno-network", "usd"), 300)


def source_of(text: str, path: tuple[str, ...] = SOURCE.path) -> Prices:
    return prices(lambda _: httpx.Response(200, text=text), path)


def prices(
    answer: Callable[[httpx.Request], httpx.Response],
    path: tuple[str, ...] = SOURCE.path,
    clock: StoppedClock | None = None,
) -> Prices:
    source = SOURCE._replace(path=path)
    return Prices(source, JUNO, clock or StoppedClock(), httpx.MockTransport(answer))


def told(price: object) -> str:
    return json.dumps({"juno-network": {"usd": price}})


@pytest.mark.parametrize(
    ("words", "cents", "rest"),
    [
        ("$5 spam", 500, ["spam"]),
        ("$5.5", 550, []),
        ("$0.05", 5, []),
        ("5 USD spam", 500, ["spam"]),
        ("5 usd", 500, []),
        ("5USD spam", 500, ["spam"]),
        ("12.34 USD", 1234, []),
    ],
)
def test_dollars_are_read(words: str, cents: int, rest: list[str]) -> None:
    assert take_usd(words.split()) == (cents, rest)


@pytest.mark.parametrize("words", ["", "5", "5 JUNO", "5 spam USD", "usdc"])
def test_other_amounts_are_no_dollars(words: str) -> None:
    assert take_usd(words.split()) is None


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("$", "price_unreadable"),
        ("$5.123", "price_unreadable"),
        ("$-5", "price_unreadable"),
        ("-5 USD", "price_unreadable"),
        ("$1,000", "price_unreadable"),
        ("$1e3", "price_unreadable"),
        ("$१", "price_unreadable"),
        ("$12345678901", "price_unreadable"),
        ("$0", "amount_zero"),
        ("0.00 USD", "amount_zero"),
    ],
)
def test_wrong_dollars_are_refused(words: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        take_usd(words.split())
    assert refused.value.code == code


@pytest.mark.parametrize(
    ("price", "cents", "amount"),
    [
        (0.25, 500, 20_000_000),
        ("0.25", 500, 20_000_000),
        (3, 100, 333_333),
        (0.1, 10, 1_000_000),
        (1e-05, 1, 1_000_000_000),
    ],
)
async def test_an_amount_is_frozen_at_the_price(price: object, cents: int, amount: int) -> None:
    priced = await source_of(told(price)).priced(cents)
    assert priced == (amount, "ujuno", cents)


@given(cents=st.integers(1, 10**9), price=st.integers(1, 10**9))
async def test_whoever_pays_never_pays_more_than_was_typed(cents: int, price: int) -> None:
    """The amount is worth at most the dollars, and less than one smallest unit below them. The price is in millionths."""
    text = f"{price // 10**6}.{price % 10**6:06}"
    try:
        priced = await source_of(told(text)).priced(cents)
    except Refused as refused:
        assert refused.code == "amount_too_large"  # noqa: PT017 - which refusal is the point
        return
    exact = Fraction(cents, 100) / Fraction(price, 10**6) * 10**6
    assert 0 <= exact - priced.amount < 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "no json",
        "[]",
        told(None),
        told(0),
        told("0.0"),
        told(-1),
        told("NaN"),
        told("Infinity"),
        told("1e999999"),
        told("1e-999999"),
        told("abc"),
        told({}),
        json.dumps({"juno-network": {}}),
        "[" * 100_000,
        " " * (LONGEST_ANSWER + 1) + told(1),
    ],
)
async def test_without_a_price_the_answer_is_unavailable_and_never_zero(text: str) -> None:
    with pytest.raises(Refused) as refused:
        await source_of(text).priced(500)
    assert refused.value.code == "price_unavailable"


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(500, text=told(1)),
        httpx.Response(302, headers={"location": "http://elsewhere.example"}),
        httpx.ReadTimeout("late"),
        httpx.ConnectError("nobody"),
    ],
)
async def test_a_source_that_fails_is_unavailable(answer: Any) -> None:
    def respond(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        response: httpx.Response = answer
        return response

    with pytest.raises(Refused, match="price_unavailable"):
        await prices(respond).priced(500)


def test_a_source_that_sends_a_byte_now_and_then_is_given_up() -> None:
    async def trickle() -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(TIMEOUT_SECONDS / 2)
            yield b" "

    loop = JumpingLoop()
    slow = prices(lambda _: httpx.Response(200, content=trickle()))
    with closing(loop), pytest.raises(Refused, match="price_unavailable"):
        loop.run_until_complete(slow.priced(500))
    assert loop.time() < 2 * TIMEOUT_SECONDS


async def test_a_place_in_a_list_is_a_step_too() -> None:
    assert (
        await source_of(json.dumps({"data": [{"p": 2}]}), ("data", "0", "p")).priced(200)
    ).amount == 1_000_000


async def test_dollars_below_the_smallest_unit_are_refused() -> None:
    with pytest.raises(Refused, match="amount_zero"):
        await source_of(told(10**9)).priced(1)


async def test_a_price_is_used_until_it_is_too_old_and_then_asked_for_anew() -> None:
    clock, asked = StoppedClock(), []

    def answer(_: httpx.Request) -> httpx.Response:
        asked.append(clock.time)
        return httpx.Response(200 if len(asked) < 3 else 503, text=told(len(asked)))

    source = prices(answer, clock=clock)
    assert (await source.priced(100)).amount == 1_000_000
    clock.time += 299_999
    assert (await source.priced(100)).amount == 1_000_000
    clock.time += 1
    assert (await source.priced(100)).amount == 500_000
    clock.time += 300_000
    with pytest.raises(Refused, match="price_unavailable"):
        await source.priced(100)


def test_its_address_is_not_shown() -> None:
    assert "hidden" not in repr(source_of(""))


async def test_a_price_of_a_clock_that_was_ahead_is_not_used_until_then() -> None:
    clock, answers = StoppedClock(), iter(("0.25", "0.5"))
    source = prices(lambda _: httpx.Response(200, text=told(next(answers))), clock=clock)
    clock.time += 86_400_000
    await source.priced(100)
    clock.time -= 86_400_000
    assert (await source.priced(100)).amount == 2_000_000
