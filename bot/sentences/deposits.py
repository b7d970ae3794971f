"""Coins that come in."""

from typing import Final

from bot.html import COPY_LIMIT, Html, escape
from bot.outgoing import Copy, Key
from bot.words import Composed, Facts, Keys, Words, explorer_key

ACCOUNTS: Final = {-1: "BOT_TREASURY", -5: "REWARDS_POOL"}
"""The system's accounts that a memo can name."""

UNCLAIMED_REASONS: Final = {
    "no_memo": "it had no memo",
    "unusable_memo": "its memo names no account",
    "unknown_user": "its memo names somebody who has no account",
    "unknown_shared_account": "its memo names a shared account that does not exist",
    "closed_shared_account": "its memo names a shared account that is closed",
    "residue": "it came by a way that names nobody, and shows only in the proved balance",
}

ANSWERS: Final = {
    "deposit.card": (
        "<b>Put {symbol} in</b>\n\n"
        "Send it to\n<code>{address}</code>\n"
        "with the memo\n<code>{memo}</code>\n\n"
        "The memo is how I know that it is yours: an exchange may call it tag or note. "
        "This message changes when your deposit arrives, usually within seconds."
    ),
}

NEWS: Final = {
    "deposit.seen": "<b>{amount}</b> is on its way to you. One more block and it is yours.",
    "deposit.credited": "<b>{amount}</b> arrived and is yours. /balance\n<i>Deposit {transaction}, block {height}</i>",
    "deposit.credited.system": "<b>{amount}</b> arrived for {owner}.\n<i>Deposit {transaction}, block {height}</i>",
    "deposit.unclaimed": (
        "<b>{amount}</b> arrived for nobody: {reason}. It waits in UNCLAIMED as number {transaction}{more_parts}.{sender_line}\n"
        "<code>/assign {transaction} @name reason</code> gives it to somebody; /unclaimed lists all that waits."
    ),
}

LABELS: Final = {
    "copy.address": "Copy the address",
    "copy.memo": "Copy the memo {memo}",
}

MOVES: Final = {
    ("deposit", True): "deposited",
    ("adjustment", True): "credited by reconciliation",
}


def _credited(words: Words, facts: Facts) -> Html:
    """Return the news for the member whose it is, or for the operators when it went to an account of the system."""
    account = int(facts.get("account", 1))
    if account > 0:
        return words.fill(NEWS["deposit.credited"], facts)
    return words.fill(NEWS["deposit.credited.system"], facts, owner=escape(ACCOUNTS.get(account, account)))


def _unclaimed(words: Words, facts: Facts) -> Html:
    reason = UNCLAIMED_REASONS.get(str(facts.get("reason")), str(facts.get("reason")))
    sender = (
        words.fill("\nFrom <code>{sender}</code>, memo “{memo}”.", facts) if facts.get("sender") else Html("")
    )
    others = int(facts.get("parts", 1)) - 1
    more = escape(f" and {others} more of the same transaction" if others else "")
    template = NEWS["deposit.unclaimed"]
    return words.fill(template, facts, reason=escape(reason), sender_line=sender, more_parts=more)


def copies(words: Words, facts: Facts) -> list[Key]:
    """Return the buttons that copy address and memo, where a message has both."""
    return (
        [
            Copy(words.label("copy.address", facts), str(facts["address"])[:COPY_LIMIT]),
            Copy(words.label("copy.memo", facts), str(facts["memo"])[:COPY_LIMIT]),
        ]
        if {"address", "memo"} <= facts.keys()
        else []
    )


COMPOSED: Final[Composed] = {"deposit.credited": _credited, "deposit.unclaimed": _unclaimed}
KEYS: Final[Keys] = {"deposit.card": copies, "deposit.credited": explorer_key}
