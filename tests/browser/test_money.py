"""The first minute of a newcomer, at the page: coins in, around and out."""

import pytest

from tests.browser.visitor import BOT, Visitor

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def test_a_deposit_a_tip_and_a_withdrawal(visitor: Visitor) -> None:
    visitor.be("Ana", BOT)
    visitor.say("/start")
    visitor.sees("Welcome, Ana")
    visitor.say("/deposit")
    visitor.sees("with the memo")
    visitor.pay_in("20")
    visitor.sees("20 JUNO arrived and is yours")
    visitor.owns("Ana", "20 JUNO")

    visitor.be("Ana")
    visitor.say("/send 2.5 @ben_juno for the coffee")
    visitor.sees("sent 2.5 JUNO to Ben")
    visitor.owns("Ben", "2.5 JUNO")

    visitor.be("Ben", BOT)
    visitor.say("/history")
    visitor.sees("from Ana")
    wallet = visitor.page.locator("#address")
    wallet.click()
    address = visitor.page.evaluate(
        "fetch(`api/people/${app.me.id}/wallet`).then((r) => r.json()).then((w) => w.address)"
    )
    visitor.say(f"/withdraw 1 {address}")
    visitor.press("Withdraw 1 JUNO?", "Withdraw")
    visitor.sees("arrived")
    visitor.all_agrees()
    visitor.picture("withdrawal")


def test_a_deposit_without_a_memo_waits_for_somebody(visitor: Visitor) -> None:
    visitor.be("Ben", BOT)
    visitor.say("/start")
    visitor.sees("Welcome, Ben")
    visitor.pay_in("5", "")
    visitor.owns("Unclaimed", "5 JUNO")
    visitor.all_agrees()
