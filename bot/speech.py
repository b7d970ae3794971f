"""From a sentence's name and its facts to a finished message: words, buttons, a picture, within Telegram's limits."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Final

from bot import sentences
from bot.html import CALLBACK_ANSWER_LIMIT, CAPTION_LIMIT, TEXT_LIMIT, Html, cut, escape, fit, join, render
from bot.outgoing import Keyboard, Message, Press, plain
from bot.qr import address_png
from bot.sentences import amounts, commands
from bot.words import Facts, Words
from ledger.money import Asset

REFUSED: Final = "refused."


class Sentences(Words):
    """The program's `bot.outgoing.Speech`."""

    def __init__(
        self, assets: Sequence[Asset], explorer_tx: str = "", redact: Callable[[str], str] = str
    ) -> None:
        super().__init__(
            assets,
            explorer_tx,
            redact,
            labels=sentences.LABELS,
            moves=sentences.MOVES,
            alerts=sentences.ALERTS,
            amounts=sentences.AMOUNTS,
        )

    def render(self, say: str, facts: Facts) -> Message:
        """Return the message for ``say``, within Telegram's limits."""
        photo = _png(str(facts["address"])) if say == "deposit.card" and "address" in facts else None
        text = fit(self._words(say, facts), CAPTION_LIMIT if photo else TEXT_LIMIT)
        return Message(text, self._keyboard(say, facts), photo)

    def toast(self, say: str, facts: Facts) -> str:
        """Return the words shown over the chat after a tap: plain, at most 200 UTF-16 units."""
        if say.startswith(REFUSED):
            text = plain(self._refusal(say.removeprefix(REFUSED), facts))
        else:
            text = plain(self.fill(sentences.TOASTS.get(say, ""), facts))
        return cut(text, CALLBACK_ANSWER_LIMIT)

    def _words(self, say: str, facts: Facts) -> Html:
        if say.startswith(REFUSED):
            return self._refused(say.removeprefix(REFUSED), facts)
        composed = sentences.COMPOSED.get(say)
        if composed:
            return composed(self, facts)
        template = sentences.ANSWERS.get(say) or sentences.NEWS.get(say)
        if template is None:
            # A sentence that was forgotten must not cost the news: tests look for it, people get the bare facts.
            return join("\n", [render("<b>{say}</b>", {"say": escape(say)}), *self.details(facts)])
        return self.fill(template, facts)

    # Refusals

    def _refused(self, code: str, facts: Facts) -> Html:
        """Return what was wrong and what to do, whether money moved, and a reference."""
        tail = [] if code in commands.MAY_HAVE_MOVED else [escape(commands.NOTHING_MOVED)]
        if facts.get("reference"):
            tail.append(self.fill(commands.REFERENCE, {"reference": facts["reference"]}))
        said = self._refusal(code, facts)
        return render("{said}\n<i>{tail}</i>", {"said": said, "tail": join(" ", tail)}) if tail else said

    def _refusal(self, code: str, facts: Facts) -> Html:
        template = sentences.REFUSALS.get(code, commands.UNKNOWN_REFUSAL)
        known = {"code": code, "needed": facts.get("amount", 0), **facts}
        elsewhere = "private chat with me" if facts.get("private") else "groups"
        return self.fill(template, known, offer=self._offer(facts), elsewhere=escape(elsewhere))

    def _offer(self, facts: Facts) -> Html:
        """Return what may have been meant: the spellings that would be accepted."""
        instead = facts.get("instead") or []
        if not instead:
            return Html(amounts.OFFER_NONE)
        one, other = instead[0], instead[-1]
        template = amounts.OFFER_ONE if len(instead) == 1 else amounts.OFFER_TWO
        return self.fill(template, {**facts, "one": one, "other": other})

    # Buttons

    def _keyboard(self, say: str, facts: Facts) -> Keyboard:
        """Return copies and links, one a row, and below them the choices, in the rows that they name."""
        own = sentences.KEYS[say](self, facts) if say in sentences.KEYS else []
        rows: dict[int, list[Press]] = {}
        for choice in facts.get("choices", ()):
            rows.setdefault(choice.get("row", 0), []).append(self._press(choice, facts))
        return (*[(key,) for key in own], *[tuple(rows[number]) for number in sorted(rows)])

    def _press(self, choice: Facts, facts: Facts) -> Press:
        label = self.label(choice["action"], {**facts, **choice.get("arguments", {})})
        return Press(label, choice["token"])


@lru_cache(maxsize=8)
def _png(address: str) -> bytes:
    return address_png(address)
