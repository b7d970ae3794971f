"""How a sentence is written: templates filled with facts, safely.

Facts are JSON: amounts are base units and become text here; everything else is cleaned and escaped, so nothing that a
member chose can be markup. A fact that is missing shows as an ellipsis: a receipt with a gap beats no receipt.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from bot.html import ELLIPSIS, Html, clean_line, cut, escape, render
from bot.outgoing import Key, Link, plain
from ledger.money import Asset, AssetsByDenom, Denom, format_amount

_DETAIL_LINES: Final = 12
_VALUE_LIMIT: Final = 200
_NOTE: Final = "\n“{note}”"

Facts = Mapping[str, Any]


class _Gaps(dict[str, Html]):
    """Values for a template; what is missing shows as an ellipsis."""

    def __missing__(self, _name: str) -> Html:
        return Html(ELLIPSIS)


class Words:
    """Fills templates.

    ``labels`` are words on buttons by action, ``moves`` what a line of history says, ``alerts`` titles; ``amounts`` names the facts that are base units, of the asset of the fact
    ``denom``, of the main asset without one. ``explorer_tx`` has ``{hash}`` in it, or is empty: then no link is shown.
    ``redact`` strikes secrets out of what alerts quote: the words of an error may be anybody's.
    """

    def __init__(
        self,
        assets: Sequence[Asset],
        explorer_tx: str = "",
        redact: Callable[[str], str] = str,
        *,
        labels: Mapping[str, str],
        moves: Mapping[tuple[str, bool], str],
        alerts: Mapping[str, str],
        amounts: frozenset[str],
    ) -> None:
        self._assets = AssetsByDenom(assets)
        self._main = assets[0]
        self._labels = labels
        self._moves = moves
        self._alerts = alerts
        self._amounts = amounts
        self.explorer_tx = explorer_tx
        self.redact = redact

    def asset(self, facts: Facts) -> Asset:
        """Return the asset that ``facts`` speak of; one that is not listed any more is shown by its denom."""
        denom = facts.get("denom")
        return self._main if denom is None else self._assets[Denom(denom)]

    def amount(self, value: int, facts: Facts) -> Html:
        """Return base units as people read them."""
        return escape(format_amount(value, self.asset(facts)))

    def fill(self, template: str, facts: Facts, **more: Html) -> Html:
        """Return ``template`` with ``facts`` in its fields, and ``more``, which is markup already."""
        values = _Gaps({name: self.shown(name, value, facts) for name, value in facts.items()})
        values.setdefault("symbol", escape(self.asset(facts).symbol))
        values.update(more)
        return render(template, values)

    def label(self, action: str, facts: Facts) -> str:
        """Return the words on the button of ``action``."""
        return plain(self.fill(self._labels.get(action, escape(action)), facts))

    def move(self, kind: str, name: str, *, came_in: bool) -> Html:
        """Return what a move of ``kind`` was, seen from one side; one without words is shown by its own name."""
        return self.fill(
            self._moves.get((kind, came_in), "{kind}"), {"name": name, "kind": kind.replace("_", " ")}
        )

    def alert(self, code: str) -> Html:
        """Return the title of an alert; one without words is shown by its code."""
        return escape(self._alerts.get(code, code))

    def details(self, facts: Facts) -> list[Html]:
        """Return facts as they are, one a line, for operators."""
        lines: list[Html] = []
        for name, value in list(facts.items())[:_DETAIL_LINES]:
            text = value if isinstance(value, str) else json.dumps(value)
            if self._is_amount(name, value):
                text = format_amount(value, self.asset(facts))
            shown = cut(clean_line(self.redact(text)), _VALUE_LIMIT)
            lines.append(
                render("{name}: <code>{value}</code>", {"name": escape(name), "value": escape(shown)})
            )
        return lines

    def shown(self, name: str, value: Any, facts: Facts) -> Html:
        """Return the fact ``name`` as people read it: an amount with its symbol, everything else clean and escaped."""
        return self.amount(value, facts) if self._is_amount(name, value) else escape(clean_line(str(value)))

    def _is_amount(self, name: str, value: Any) -> bool:
        return name in self._amounts and isinstance(value, int)


def moment(at: int) -> Html:
    """Return the time ``at`` (milliseconds) as each reader's own clock shows it; where that is not known, in UTC."""
    at_utc = datetime.fromtimestamp(at / 1000, UTC)
    values = {"unix": escape(at // 1000), "utc": escape(f"{at_utc.day} {at_utc:%b %H:%M} UTC")}
    return render('<tg-time unix="{unix}" format="dt">{utc}</tg-time>', values)


Compose = Callable[[Words, Facts], Html]
Composed = Mapping[str, Compose]
"""Sentences that are made of parts; all others are one template."""
Keys = Mapping[str, Callable[[Words, Facts], list[Key]]]
"""Buttons that a sentence has whatever the command gave it: copies and links."""


def note_line(words: Words, facts: Facts) -> Html:
    """Return the note as a line of its own, nothing without one."""
    return words.fill(_NOTE, facts) if facts.get("note") else Html("")


def mention(facts: Facts, account: str, name: str) -> Html:
    """Return a name that leads to its person, so that they are told of it in a group too."""
    values = {
        "id": escape(int(facts.get(account, 0))),
        "name": escape(clean_line(str(facts.get(name, ELLIPSIS)))),
    }
    return render('<a href="tg://user?id={id}">{name}</a>', values)


def explorer_key(words: Words, facts: Facts) -> list[Key]:
    """Return the button that shows the transaction ``tx`` on the chain, if there is an explorer."""
    if not facts.get("tx") or not words.explorer_tx:
        return []
    return [Link(words.label("link.explorer", facts), words.explorer_tx.replace("{hash}", str(facts["tx"])))]
