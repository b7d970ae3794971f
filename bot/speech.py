"""From a sentence's name and its facts to a finished message.

Facts are JSON: amounts are base units and become text here; everything else is cleaned and escaped, so nothing that a
member chose can be markup. A fact that is missing shows as an ellipsis: a receipt with a gap beats no receipt.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

from bot import sentences
from bot.html import (
    CALLBACK_ANSWER_LIMIT,
    CAPTION_LIMIT,
    COPY_LIMIT,
    ELLIPSIS,
    TEXT_LIMIT,
    Html,
    clean_line,
    cut,
    escape,
    fit,
    join,
    render,
)
from bot.outgoing import Copy, Key, Keyboard, Link, Message, Press, plain
from bot.qr import address_png
from ledger.money import Asset, format_amount

REFUSED: Final = "refused."
_AMOUNTS: Final = frozenset(
    {"amount", "fee", "balance", "needed", "minimum", "returned", "network_fee", "total", "left", "after"}
    | {"most", "threshold", "owed"}
)
"""Facts that are base units of the asset of the fact ``denom``, of the main asset without one."""
_ALERT_LINES: Final = 12
_VALUE_LIMIT: Final = 200

Facts = Mapping[str, Any]
_OWN_ROW: Final = frozenset({"history.statement"})
"""Actions whose button has a row to itself."""

_Words = Callable[["Sentences", Facts], Html]


class _Gaps(dict[str, Html]):
    """Values for a template; what is missing shows as an ellipsis."""

    def __missing__(self, _name: str) -> Html:
        return Html(ELLIPSIS)


class Sentences:
    """The program's `bot.outgoing.Speech`.

    ``explorer_tx`` has ``{hash}`` in it, or is empty: then no link is shown. ``redact`` strikes secrets out of what
    alerts quote: the words of an error may be anybody's.
    """

    def __init__(
        self, assets: Sequence[Asset], explorer_tx: str = "", redact: Callable[[str], str] = str
    ) -> None:
        self._assets = {asset.denom: asset for asset in assets}
        self._main = assets[0]
        self._explorer_tx = explorer_tx
        self.redact = redact

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
            text = sentences.TOASTS.get(say, "")
        return cut(text, CALLBACK_ANSWER_LIMIT)

    def asset(self, facts: Facts) -> Asset:
        """Return the asset that ``facts`` speak of; one that is not listed any more is shown by its denom."""
        denom = facts.get("denom")
        if denom is None:
            return self._main
        return self._assets.get(denom) or Asset(denom, str(denom), 0)

    def amount(self, value: int, facts: Facts) -> Html:
        """Return base units as people read them."""
        return escape(format_amount(value, self.asset(facts)))

    def fill(self, template: str, facts: Facts, **more: Html) -> Html:
        """Return ``template`` with ``facts`` in its fields, and ``more``, which is markup already."""
        values = _Gaps({name: self._shown(name, value, facts) for name, value in facts.items()})
        values.setdefault("symbol", escape(self.asset(facts).symbol))
        values.update(more)
        return render(template, values)

    def _shown(self, name: str, value: Any, facts: Facts) -> Html:
        if name in _AMOUNTS and isinstance(value, int):
            return self.amount(value, facts)
        return escape(clean_line(str(value)))

    def _words(self, say: str, facts: Facts) -> Html:
        if say.startswith(REFUSED):
            return self._refused(say.removeprefix(REFUSED), facts)
        composed = _COMPOSED.get(say)
        if composed:
            return composed(self, facts)
        template = sentences.ANSWERS.get(say) or sentences.NEWS.get(say)
        if template is None:
            # A sentence that was forgotten must not cost the news: tests look for it, people get the bare facts.
            return join("\n", [render("<b>{say}</b>", {"say": escape(say)}), *_details(self, facts)])
        return self.fill(template, facts)

    # Refusals

    def _refused(self, code: str, facts: Facts) -> Html:
        """Return what was wrong and what to do, whether money moved, and a reference."""
        tail = [] if code in sentences.MAY_HAVE_MOVED else [escape(sentences.NOTHING_MOVED)]
        if facts.get("reference"):
            tail.append(self.fill(sentences.REFERENCE, {"reference": facts["reference"]}))
        said = self._refusal(code, facts)
        return render("{said}\n<i>{tail}</i>", {"said": said, "tail": join(" ", tail)}) if tail else said

    def _refusal(self, code: str, facts: Facts) -> Html:
        template = sentences.REFUSALS.get(code, sentences.UNKNOWN_REFUSAL)
        known = {"code": code, "needed": facts.get("amount", 0), **facts}
        elsewhere = "private chat with me" if facts.get("private") else "groups"
        return self.fill(template, known, offer=self._offer(facts), elsewhere=escape(elsewhere))

    def _offer(self, facts: Facts) -> Html:
        """Return what may have been meant: the spellings that would be accepted."""
        instead = facts.get("instead") or []
        if not instead:
            return Html(sentences.OFFER_NONE)
        one, other = instead[0], instead[-1]
        template = sentences.OFFER_ONE if len(instead) == 1 else sentences.OFFER_TWO
        return self.fill(template, {**facts, "one": one, "other": other})

    # Buttons

    def _keyboard(self, say: str, facts: Facts) -> Keyboard:
        choices = facts.get("choices", ())
        own = [(key,) for key in self._own_keys(say, facts)]
        beside = tuple(self._press(each, facts) for each in choices if each["action"] not in _OWN_ROW)
        alone = [(self._press(each, facts),) for each in choices if each["action"] in _OWN_ROW]
        return (*own, beside, *alone) if beside else (*own, *alone)

    def _press(self, choice: Facts, facts: Facts) -> Press:
        label = self._label(choice["action"], {**facts, **choice.get("arguments", {})})
        return Press(label, choice["token"])

    def _own_keys(self, say: str, facts: Facts) -> list[Key]:
        if say == "deposit.card" and {"address", "memo"} <= facts.keys():
            return [
                Copy(self._label("copy.address", facts), str(facts["address"])[:COPY_LIMIT]),
                Copy(self._label("copy.memo", facts), str(facts["memo"])[:COPY_LIMIT]),
            ]
        if say in ("withdrawal.confirmed", "deposit.credited") and facts.get("tx") and self._explorer_tx:
            return [
                Link(
                    self._label("link.explorer", facts), self._explorer_tx.replace("{hash}", str(facts["tx"]))
                )
            ]
        if say in ("private.elsewhere", "start.group") and facts.get("link"):
            return [Link(self._label("link.private", facts), str(facts["link"]))]
        return []

    def _label(self, action: str, facts: Facts) -> str:
        return plain(self.fill(sentences.LABELS.get(action, escape(action)), facts))


@lru_cache(maxsize=8)
def _png(address: str) -> bytes:
    return address_png(address)


def _note_line(speech: Sentences, facts: Facts) -> Html:
    return speech.fill(sentences.ANSWERS["send.note"], facts) if facts.get("note") else Html("")


def _mention(facts: Facts, account: str, name: str) -> Html:
    """Return a name that leads to its person, so that they are told of it in a group too."""
    values = {
        "id": escape(int(facts.get(account, 0))),
        "name": escape(clean_line(str(facts.get(name, ELLIPSIS)))),
    }
    return render('<a href="tg://user?id={id}">{name}</a>', values)


def _sent(say: str) -> _Words:
    def words(speech: Sentences, facts: Facts) -> Html:
        return speech.fill(
            sentences.ANSWERS[say],
            facts,
            to=_mention(facts, "recipient", "to"),
            who=_mention(facts, "sender", "who"),
            note_line=_note_line(speech, facts),
        )

    return words


def _received(speech: Sentences, facts: Facts) -> Html:
    sender = _mention(facts, "sender", "who")
    return speech.fill(
        sentences.NEWS["transfer.received"], facts, from_name=sender, note_line=_note_line(speech, facts)
    )


def _statement(speech: Sentences, facts: Facts) -> Html:
    cut_line = speech.fill(sentences.ANSWERS["history.cut"], facts) if facts.get("cut") else Html("")
    return speech.fill(sentences.NEWS["statement.asked"], facts, cut_line=cut_line)


def _balance(speech: Sentences, facts: Facts) -> Html:
    owned = [speech.amount(each["amount"], each) for each in facts.get("balances", ())]
    waiting = [speech.fill(sentences.ANSWERS["balance.waiting"], each) for each in facts.get("waiting", ())]
    template = sentences.ANSWERS["balance.shown" if owned else "balance.empty"]
    return speech.fill(template, facts, balances=join(", ", owned), waiting=join("", waiting))


def _help(speech: Sentences, facts: Facts) -> Html:
    lines = [speech.fill("<code>{usage}</code> · {summary}", each) for each in facts.get("commands", ())]
    return speech.fill(sentences.ANSWERS["help.listed"], {}, commands=join("\n", lines))


def _help_command(speech: Sentences, facts: Facts) -> Html:
    examples = [
        speech.fill("\n<code>{example}</code>", {"example": each}) for each in facts.get("examples", ())
    ]
    aliases = [speech.fill("\nAlso /{alias}.", {"alias": each}) for each in facts.get("aliases", ())]
    template = sentences.ANSWERS["help.command"]
    return speech.fill(template, facts, examples=join("", examples), aliases=join("", aliases))


def _withdraw_question(speech: Sentences, facts: Facts) -> Html:
    template = sentences.ANSWERS["withdraw.memo" if facts.get("memo") else "withdraw.no_memo"]
    waits = "threshold" in facts
    return speech.fill(
        sentences.ANSWERS["withdraw.asks"],
        facts,
        memo_line=speech.fill(template, facts),
        approval_line=speech.fill(sentences.ANSWERS["withdraw.approval"], facts) if waits else Html(""),
    )


def _approvals(speech: Sentences, facts: Facts) -> Html:
    lines = [speech.fill(sentences.ANSWERS["approvals.line"], each) for each in facts.get("waiting", ())]
    template = sentences.ANSWERS["approvals.listed" if lines else "approvals.none"]
    return speech.fill(template, facts, lines=join("\n", lines))


def _withdrawal(say: str) -> _Words:
    def words(speech: Sentences, facts: Facts) -> Html:
        memo = speech.fill(sentences.ANSWERS["withdraw.memo"], facts) if facts.get("memo") else None
        kept = "\nThe network kept {network_fee} of the fee." if facts.get("network_fee") else ""
        because = sentences.RETURN_REASONS.get(str(facts.get("reason")), "it was ended by the owner")
        total = int(facts.get("amount", 0)) + int(facts.get("fee", 0))
        return speech.fill(
            sentences.NEWS.get(say) or sentences.ANSWERS[say],
            {**facts, "total": total},
            memo_line=Html(f"\n{memo}") if memo else Html(""),
            network_line=speech.fill(kept, facts),
            returned_because=escape(because),
        )

    return words


def _credited(speech: Sentences, facts: Facts) -> Html:
    """Return the news for the member whose it is, or for the operators when it went to an account of the system."""
    account = int(facts.get("account", 1))
    if account > 0:
        return speech.fill(sentences.NEWS["deposit.credited"], facts)
    owner = sentences.ACCOUNTS.get(account, f"shared account {-account}")
    return speech.fill(sentences.NEWS["deposit.credited.system"], facts, owner=escape(owner))


def _unclaimed(speech: Sentences, facts: Facts) -> Html:
    reason = sentences.UNCLAIMED_REASONS.get(str(facts.get("reason")), str(facts.get("reason")))
    sender = (
        speech.fill("\nFrom <code>{sender}</code>, memo “{memo}”.", facts)
        if facts.get("sender")
        else Html("")
    )
    others = int(facts.get("parts", 1)) - 1
    more = escape(f" and {others} more of the same transaction" if others else "")
    template = sentences.NEWS["deposit.unclaimed"]
    return speech.fill(template, facts, reason=escape(reason), sender_line=sender, more_parts=more)


def _alert(speech: Sentences, facts: Facts) -> Html:
    code = str(facts.get("alert"))
    title = escape(sentences.ALERTS.get(code, code))
    rest = {name: value for name, value in facts.items() if name not in ("alert", "reference")}
    return speech.fill(
        sentences.NEWS["alert.raised"], {}, title=title, details=join("\n", _details(speech, rest))
    )


def _details(speech: Sentences, facts: Facts) -> list[Html]:
    """Return facts as they are, one a line, for operators."""
    lines: list[Html] = []
    for name, value in list(facts.items())[:_ALERT_LINES]:
        text = value if isinstance(value, str) else json.dumps(value)
        if _is_amount(name, value):
            text = format_amount(value, speech.asset(facts))
        shown = cut(clean_line(speech.redact(text)), _VALUE_LIMIT)
        lines.append(render("{name}: <code>{value}</code>", {"name": escape(name), "value": escape(shown)}))
    return lines


def _is_amount(name: str, value: Any) -> bool:
    return name in _AMOUNTS and isinstance(value, int)


def _history(speech: Sentences, facts: Facts) -> Html:
    """Return a page, newest first, with a heading for each day."""
    parts: list[Html] = []
    day = ""
    for line in facts.get("lines", ()):
        moment = datetime.fromtimestamp(line["at"] / 1000, UTC)
        if (heading := f"{moment.day} {moment:%B %Y}") != day:
            day = heading
            parts.append(speech.fill(sentences.ANSWERS["history.day"], {"day": day}))
        parts.append(_history_line(speech, {**line, "denom": facts.get("denom")}, f"{moment:%H:%M}"))
    if not parts:
        return speech.fill(sentences.ANSWERS["history.end" if facts.get("paged") else "history.empty"], facts)
    return speech.fill(sentences.ANSWERS["history.page"], facts, lines=join("\n", parts))


def _history_line(speech: Sentences, line: Facts, time: str) -> Html:
    came_in = line["change"] > 0
    what = sentences.MOVES.get((line["kind"], came_in), sentences.OTHER_MOVE)
    amount = format_amount(line["change"], speech.asset(line))
    return speech.fill(
        sentences.ANSWERS["history.line"],
        line,
        change=render("<b>{amount}</b>", {"amount": escape(f"+{amount}" if came_in else amount)}),
        what=speech.fill(what, {"name": line.get("name", ELLIPSIS), "kind": line["kind"].replace("_", " ")}),
        note_line=_note_line(speech, line),
        time=escape(time),
    )


_COMPOSED: Final[Mapping[str, _Words]] = {
    "balance.shown": _balance,
    "help.listed": _help,
    "help.command": _help_command,
    "history.page": _history,
    "send.private": _sent("send.private"),
    "send.group": _sent("send.group"),
    "withdraw.asks": _withdraw_question,
    "approvals.listed": _approvals,
    "transfer.received": _received,
    "statement.asked": _statement,
    "deposit.credited": _credited,
    "deposit.unclaimed": _unclaimed,
    "alert.raised": _alert,
    **{
        say: _withdrawal(say)
        for say in (
            "withdraw.waits",
            "withdrawal.requested",
            "withdrawal.awaiting_approval",
            "withdrawal.approved",
            "withdrawal.rejected",
            "withdrawal.signed",
            "withdrawal.confirmed",
            "withdrawal.returned",
            "withdrawal.cancelled",
        )
    },
}
"""Sentences that are made of parts; all others are one template."""
