"""As a group would: what members do together, at the page of the sandbox."""

import pytest
from playwright.sync_api import expect

from tests.browser.visitor import BOT, Visitor

pytestmark = [pytest.mark.slow, pytest.mark.browser]


def with_money(visitor: Visitor, name: str, amount: str = "50") -> None:
    """Let ``name`` open an account and pay in."""
    visitor.be(name, BOT)
    visitor.say("/start")
    visitor.sees(f"Welcome, {name}")
    visitor.pay_in(amount)
    visitor.owns(name, f"{amount} JUNO")


def test_a_giveaway_with_three_people(visitor: Visitor) -> None:
    with_money(visitor, "Ana")
    visitor.be("Ana")
    visitor.say("/giveaway 9 3")
    visitor.sees("9 JUNO")
    visitor.picture("giveaway begins")
    for name in ("Ben", "Chi", "Dev"):
        visitor.be(name)
        visitor.press("9 JUNO", "Claim")
        visitor.is_told("3 JUNO is yours")
        visitor.owns(name, "3 JUNO")
    visitor.owns("Ana", "41 JUNO")
    visitor.sees("It is over: 3 of 3 taken")
    visitor.all_agrees()
    visitor.picture("giveaway ends")


def test_an_unclaimed_deposit_is_assigned(visitor: Visitor) -> None:
    visitor.be("Ben", BOT)
    visitor.say("/start")
    visitor.sees("Welcome, Ben")
    visitor.pay_in("5", "thanks!")
    visitor.owns("Unclaimed", "5 JUNO")
    visitor.be("Olga", BOT)
    visitor.say("/unclaimed")
    visitor.sees("5 JUNO")
    visitor.picture("unclaimed")
    visitor.say("/assign 1 @ben_juno he showed me the transaction")
    visitor.owns("Ben", "5 JUNO")
    visitor.be("Ben", BOT)
    visitor.sees("Olga assigned it to you")
    visitor.picture("assigned")
    visitor.all_agrees()


def test_a_shared_account_is_filled_and_spent(visitor: Visitor) -> None:
    with_money(visitor, "Ana")
    visitor.be("Ben", BOT)
    visitor.say("/start")
    visitor.sees("Welcome, Ben")
    visitor.be("Ana", BOT)
    visitor.say("/shared new Picnic")
    visitor.sees("Picnic")
    visitor.picture("shared account")
    visitor.say("/shared Picnic deposit 20")
    visitor.owns("Ana", "30 JUNO")
    visitor.say("/shared Picnic invite @ben_juno spend 5")
    visitor.be("Ben", BOT)
    visitor.press("Picnic", "Join")
    visitor.say("/shared Picnic send 4 @ana_juno for the bread")
    visitor.owns("Ana", "34 JUNO")
    visitor.say("/shared Picnic send 6 @ana_juno too much")
    visitor.sees("the most that you may take out of this account at once")
    visitor.picture("shared spent")
    visitor.owns("Ana", "34 JUNO")
    visitor.all_agrees()


def test_a_friend_pays_bail(visitor: Visitor) -> None:
    with_money(visitor, "Ana")
    visitor.be("Ben")
    visitor.say("BUY MY COIN")
    visitor.be("Olga")
    visitor.say("/jail @ben_juno 1h 2 advertising")
    visitor.sees("Bail is 2 JUNO")
    visitor.picture("jailed")
    visitor.be("Ana")
    visitor.press("Bail is 2 JUNO", "Pay bail")
    visitor.owns("Ana", "48 JUNO")
    visitor.owns("Bot treasury", "2 JUNO")
    visitor.sees("and Ben is free")
    visitor.all_agrees()
    visitor.picture("bailed")


def test_what_breaks_a_rule_goes_and_everybody_reads_why(visitor: Visitor) -> None:
    visitor.be("Olga")
    visitor.say("/rules stickers delete warn")
    visitor.sees("no stickers: the message goes, a warning")
    visitor.say("/rules links delete jail 10m bail 1")
    visitor.sees("no links: the message goes, jail for 10m, bail 1 JUNO")

    visitor.be("Ben")
    visitor.attach("sticker")
    visitor.sees("Ben: stickers are not wanted here (rule 1). I removed the message. This is a warning.")
    visitor.send("look: https://evil.example")
    visitor.sees("Ben: links are not wanted here (rule 2).")
    expect(visitor.page.locator("#log article.mine")).to_have_count(0)
    visitor.picture("rules")
