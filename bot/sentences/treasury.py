"""What the treasury holds and pays, what is frozen, and the books against the chain."""

from typing import Final

from bot.html import Html, escape, join
from bot.words import Compose, Composed, Facts, Words, mention

STALE_MS: Final = 120_000
"""A newest block older than this: no node tells what the chain holds now."""

ANSWERS: Final = {
    "treasury.shown": "<b>The treasury</b>\n\n{holdings}\n\nAddress <code>{address}</code>\n{state}",
    "treasury.empty": "Nothing was booked yet.",
    "treasury.holding": (
        "<b>{symbol}</b>\nBOT_TREASURY {treasury}\nSYSTEM_RESERVE {reserve}\nUNCLAIMED {unclaimed}\nWITHDRAWALS "
        "{withdrawals}\nREWARDS_POOL {rewards}\nGiveaways {escrows}\nShared accounts {shared}\nMembers {members}"
    ),
    "treasury.waiting": "Withdrawals that wait for approval: {waiting}.",
    "treasury.asks": (
        "<b>Send {amount} from BOT_TREASURY to {to}?</b>\n“{reason}”\n\nBOT_TREASURY has {balance}; {left} stays. It pays "
        "the network's fees, too."
    ),
    "treasury.granted": "{amount} went from BOT_TREASURY to {to}.\n“{reason}”\nReceipt {receipt}.",
    "treasury.refill_asks": (
        "<b>Refill SYSTEM_RESERVE with {amount} from BOT_TREASURY?</b>\n“{reason}”\n\nIt owes {owed}, and BOT_TREASURY has "
        "{balance}."
    ),
    "treasury.refilled": (
        "SYSTEM_RESERVE got {amount} from BOT_TREASURY.\n“{reason}”\n\nWhen it owes nothing any more, an owner lifts the "
        "freeze: <code>/unfreeze shortfall &lt;reason&gt;</code>"
    ),
    "treasury.topup": (
        "{owed_line}\n\nTo add to BOT_TREASURY, send coins to <code>{address}</code> with the memo <code>topup</code>."
    ),
    "treasury.owes": (
        "SYSTEM_RESERVE owes {owed}. An owner refills it from BOT_TREASURY: "
        "<code>/treasury topup [amount] &lt;reason&gt;</code>"
    ),
    "treasury.owes_nothing": "SYSTEM_RESERVE owes nothing.",
    "treasury.dropped": "All right, nothing moved.",
    "freeze.listed": "<b>Withdrawals</b>\n{frozen_lines}",
    "freeze.line": "Frozen for {whose}: {why}.",
    "freeze.none": "Nothing is frozen.",
    "freeze.begun": "Withdrawals of {whose} are frozen. /unfreeze lets them go on.",
    "freeze.lifted": "That freeze of withdrawals is lifted ({whose}). /freeze lists what still stands.",
    "reconcile.shown": "<b>Books and chain</b>\n{reach}\n\n{comparisons}",
    "reconcile.reach": "At height {height}, {age} ago.",
    "reconcile.stale": (
        "No block was read for {age}, so what the chain holds now is unknown. This is what was proved at height {height}."
    ),
    "reconcile.unread": "No block was read yet: what the chain holds is unknown.",
    "reconcile.equal": "<b>{symbol}</b>: the chain holds {chain}, the books say {books}. They agree.",
    "reconcile.differs": "<b>{symbol}</b>: the chain holds {chain}, the books say {books}: {difference} apart.",
    "reconcile.unknown": (
        "<b>{symbol}</b>: the books say {books}. What the chain holds at this height is unknown: no node proved it."
    ),
    "reconcile.never": "<b>{symbol}</b>: the books say {books}. What the chain holds is unknown: no node proved it yet.",
    "reconcile.owed": " Found missing, and borne by SYSTEM_RESERVE: {owed}.",
    "owner.shown": (
        "<b>What stands here</b>\n\nOwners: {owner_names}\nAdmins: {admin_names}\n{state}\nUnknown payments: "
        "{unexplained}.\n\n{reach}\n{comparisons}\n\nPostings {postings}, links {links}, orders {orders}, migrations "
        "{migrations}.\nNewest link <code>{newest}</code>\n<code>moneta audit</code> replays all of it."
    ),
    "owner.nobody": "nobody",
    "owner.paused": "Money commands rest: “{paused}”",
    "owner.running": "Money commands run.",
    "limits.shown": (
        "<b>Withdrawals</b>\n\n{lines}\n\n<code>/limits person 500 &lt;reason&gt;</code> changes one, <code>none</code> "
        "lifts it, <code>settings</code> goes back to the settings."
    ),
    "limits.line": "{name}: {value}{mark}",
    "limits.none": "none ({symbol})",
    "limits.mark": " (an owner's word)",
    "limits.changed": "{name} is {value} from now on.",
}

NEWS: Final = {
    "treasury.sent": "The treasury sent you <b>{amount}</b>.\n“{reason}”\n/balance\n<i>Receipt {receipt}</i>",
}

ALERTS: Final = {
    "treasury.sent": "An owner sent coins from BOT_TREASURY.",
    "reserve.refilled": "SYSTEM_RESERVE was refilled from BOT_TREASURY.",
    "limits.changed": "An owner changed what may leave.",
}

REFUSALS: Final = {
    "limit_unknown": "I know no limit <code>{typed}</code>, only {listed}.",
    "limit_needs_number": "There is always a {term}: please name a number, 0 included.",
    "limit_same": "That is so already.",
}

LABELS: Final = {
    "treasury.send": "Yes, send",
    "treasury.refill": "Yes, refill",
    "treasury.drop": "Don't",
}

TOASTS: Final = {
    "treasury.done": "Done.",
}

MOVES: Final = {
    ("grant", True): "from the treasury",
}

AMOUNTS: Final = frozenset(
    {"treasury", "reserve", "unclaimed", "withdrawals", "rewards", "escrows", "shared", "members"}
    | {"books", "chain", "difference", "user_per_day", "instance_per_day", "approval_above"}
)


def _state(words: Words, facts: Facts) -> Html:
    """Return what rests, is frozen, or waits."""
    paused = words.fill(ANSWERS["owner.paused" if facts.get("paused") else "owner.running"], facts)
    waiting = words.fill(ANSWERS["treasury.waiting"], facts)
    return join("\n", [paused, *_frozen(words, facts), waiting])


def _frozen(words: Words, facts: Facts) -> list[Html]:
    lines = [words.fill(ANSWERS["freeze.line"], each) for each in facts.get("frozen", ())]
    return lines or [words.fill(ANSWERS["freeze.none"], {})]


def _freezes(words: Words, facts: Facts) -> Html:
    return words.fill(ANSWERS["freeze.listed"], {}, frozen_lines=join("\n", _frozen(words, facts)))


def _treasury(words: Words, facts: Facts) -> Html:
    held = [words.fill(ANSWERS["treasury.holding"], each) for each in facts.get("holdings", ())]
    shown = join("\n\n", held) if held else words.fill(ANSWERS["treasury.empty"], {})
    address = {"address": facts.get("address", "")}
    return words.fill(ANSWERS["treasury.shown"], address, holdings=shown, state=_state(words, facts))


def _named(say: str) -> Compose:
    def compose(words: Words, facts: Facts) -> Html:
        return words.fill(ANSWERS[say], facts, to=mention(facts, "recipient", "to"))

    return compose


def _topup(words: Words, facts: Facts) -> Html:
    owed = ANSWERS["treasury.owes" if facts.get("owed") else "treasury.owes_nothing"]
    return words.fill(ANSWERS["treasury.topup"], facts, owed_line=words.fill(owed, facts))


def _reach(words: Words, facts: Facts) -> Html:
    age_ms = facts.get("age_ms")
    if age_ms is None:
        return words.fill(ANSWERS["reconcile.unread"], {})
    say = "reconcile.stale" if age_ms > STALE_MS else "reconcile.reach"
    return words.fill(ANSWERS[say], {"height": facts.get("height"), "age": shown_age(age_ms)})


def shown_age(age_ms: int) -> str:
    """Return a stretch of time as people say it, in its largest unit."""
    seconds = age_ms // 1000
    for unit, name in ((86_400, "days"), (3_600, "hours"), (60, "minutes")):
        if seconds >= 2 * unit:
            return f"{seconds // unit} {name}"
    return f"{seconds} seconds"


def _comparisons(words: Words, facts: Facts) -> Html:
    return join("\n", [_comparison(words, line) for line in facts.get("lines", ())])


def _comparison(words: Words, line: Facts) -> Html:
    if line.get("chain") is None:
        say = "reconcile.never"
    elif line.get("difference") is None:
        say = "reconcile.unknown"
    else:
        say = "reconcile.differs" if line["difference"] else "reconcile.equal"
    owed = words.fill(ANSWERS["reconcile.owed"], line) if line.get("owed") else Html("")
    return join("", [words.fill(ANSWERS[say], line), owed])


def _reconcile(words: Words, facts: Facts) -> Html:
    return words.fill(
        ANSWERS["reconcile.shown"], {}, reach=_reach(words, facts), comparisons=_comparisons(words, facts)
    )


def _owner(words: Words, facts: Facts) -> Html:
    names = {
        f"{kind}_names": escape(", ".join(facts.get(f"{kind}s", ())) or ANSWERS["owner.nobody"])
        for kind in ("owner", "admin")
    }
    return words.fill(
        ANSWERS["owner.shown"],
        facts,
        **names,
        state=_state(words, facts),
        reach=_reach(words, facts),
        comparisons=_comparisons(words, facts),
    )


def _limit(words: Words, facts: Facts) -> Html:
    value = facts.get("amount")
    return words.amount(value, facts) if isinstance(value, int) else words.fill(ANSWERS["limits.none"], facts)


def _limits(words: Words, facts: Facts) -> Html:
    lines = [
        words.fill(
            ANSWERS["limits.line"],
            line,
            value=_limit(words, line),
            mark=escape(ANSWERS["limits.mark"] if line.get("changed") else ""),
        )
        for line in facts.get("lines", ())
    ]
    return words.fill(ANSWERS["limits.shown"], {}, lines=join("\n", lines))


def _changed(words: Words, facts: Facts) -> Html:
    return words.fill(ANSWERS["limits.changed"], facts, value=_limit(words, facts))


COMPOSED: Final[Composed] = {
    "treasury.shown": _treasury,
    "treasury.asks": _named("treasury.asks"),
    "treasury.granted": _named("treasury.granted"),
    "treasury.topup": _topup,
    "freeze.listed": _freezes,
    "reconcile.shown": _reconcile,
    "owner.shown": _owner,
    "limits.shown": _limits,
    "limits.changed": _changed,
}
