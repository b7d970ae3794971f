"""Somebody in front of the sandbox's page, who plays several people of the group with a mouse and a keyboard."""

import os
import re
from pathlib import Path
from typing import Final
from urllib.parse import quote

from playwright.sync_api import Locator, Page, expect

GROUP: Final = "Moneta Plaza"
BOT: Final = "Moneta"
PATIENCE_MS: Final = 60_000


class Visitor:
    """One browser window. What is awaited must come within `PATIENCE_MS`, or the test fails with what was there."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self.url = page, url
        self.page.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        self.page.goto(url)
        expect(self._person("Ana")).to_be_visible()

    def _person(self, name: str) -> Locator:
        return self.page.locator("#people button", has_text=re.compile(rf"{name}$"))

    def be(self, name: str, chat: str = GROUP) -> None:
        """Play ``name``, in ``chat``."""
        self._person(name).click()
        expect(self.page.locator("#as")).to_have_text(f"as {name}")
        self.page.locator(
            "#chats button", has=self.page.locator("b", has_text=re.compile(rf"^{chat}$"))
        ).click()
        expect(self.page.locator("#chat-title")).to_have_text(chat)

    def say(self, text: str) -> None:
        """Type ``text`` and send it; it stands in the chat then."""
        self.send(text)
        expect(self.page.locator("#log article.mine").last).to_contain_text(text)

    def send(self, text: str) -> None:
        """Type ``text`` and send it, whether it stays or not."""
        self.page.locator("#text").fill(text)
        self.page.get_by_role("button", name="Send", exact=True).click()

    def speak_as(self, name: str, text: str) -> None:
        """Let ``name`` write into the group from elsewhere: the page shows it when it hears of it."""
        people = self.page.request.get(f"{self.url}api/people").json()
        person = next(each["id"] for each in people if each["name"] == name)
        chats = self.page.request.get(f"{self.url}api/people/{person}/chats").json()
        group = next(each["key"] for each in chats if each["title"] == GROUP)
        said = self.page.request.post(
            f"{self.url}api/people/{person}/chats/{quote(group)}/messages", data={"text": text}
        )
        expect(said).to_be_ok()

    def attach(self, kind: str) -> None:
        """Send something else than words, such as a sticker."""
        self.page.get_by_role("button", name="Send something else than words").click()
        self.page.locator("#hints button", has_text=kind).first.click()

    def sees(self, words: str) -> Locator:
        """Wait for a message with ``words``, and return the newest."""
        message = self.page.locator("#log article", has_text=words).last
        expect(message).to_be_visible()
        return message

    def press(self, words: str, label: str) -> None:
        """Press the button that begins with ``label`` under the newest message with ``words``."""
        self.sees(words).locator(".keys button", has_text=label).first.click()

    def is_told(self, words: str) -> None:
        """Wait for ``words`` over the chat."""
        expect(self.page.locator("#toasts .toast", has_text=words).first).to_be_visible()

    def pay_in(self, amount: str, memo: str | None = None) -> None:
        """Send a deposit from the own wallet; ``memo`` None is the own one."""
        self.page.locator("#amount").fill(amount)
        if memo is None:
            self.page.locator("#memo-mine").click()
        else:
            self.page.locator("#memo").fill(memo)
        self.page.get_by_role("button", name="Send a deposit").click()
        expect(self.page.locator("#deposited")).to_contain_text("waits for a block")

    def owns(self, name: str, amount: str) -> None:
        """Wait until the ledger at the side shows ``amount`` (``2.5 JUNO``) beside ``name``."""
        row = self.page.locator(
            "#balances .row", has=self.page.locator("span", has_text=re.compile(rf"^{name}$"))
        )
        expect(row.locator("b")).to_have_text(amount)

    def all_agrees(self) -> None:
        """Wait until books and chain agree."""
        expect(self.page.locator("#agrees")).to_contain_text("Every coin is accounted for")

    def picture(self, name: str) -> None:
        """Keep a picture of the page, where MONETA_PICTURES says: to look at what people are shown."""
        if place := os.environ.get("MONETA_PICTURES"):
            self.page.screenshot(path=Path(place) / f"{name}.png")
