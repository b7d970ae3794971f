"""The page itself: what its visitor does while it is drawn anew."""

import pytest
from playwright.sync_api import expect

from tests.browser.visitor import BOT, GROUP, Visitor

pytestmark = [pytest.mark.slow, pytest.mark.browser]

DRAWN = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def test_a_press_is_not_lost_because_something_is_new(visitor: Visitor) -> None:
    visitor.be("Ana", BOT)
    visitor.say("/start")
    visitor.sees("Welcome, Ana")
    button = visitor.page.locator("#chats button", has_text=GROUP)
    button.hover()
    visitor.page.mouse.down()
    with visitor.page.expect_response(lambda answer: answer.url.endswith("/chats")):
        visitor.speak_as("Ben", "good morning")
    visitor.page.evaluate(DRAWN)
    visitor.page.mouse.up()
    expect(visitor.page.locator("#chat-title")).to_have_text(GROUP)
    visitor.sees("good morning")


def test_the_keyboard_stays_where_it_is(visitor: Visitor) -> None:
    visitor.be("Ana")
    button = visitor.page.locator("#people button", has_text="Dev")
    button.focus()
    visitor.speak_as("Ben", "good morning")
    visitor.sees("good morning")
    visitor.page.evaluate(DRAWN)
    expect(button).to_be_focused()
