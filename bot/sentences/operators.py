"""What whoever runs this is told, and what they cannot do."""

from typing import Final

from bot.html import Html, join
from bot.words import Composed, Facts, Words

NEWS: Final = {
    "alert.raised": "⚠️ <b>{title}</b>\n{details}",
}

ALERTS: Final = {
    "key.stranger": "Somebody else may hold the treasury's key. Withdrawals are frozen.",
    "key.contradiction": "The treasury's account contradicts the books. Withdrawals are frozen.",
    "chain.contradiction": "A block contradicts what was proved of our transaction. Withdrawals are frozen.",
    "reconciliation.shortfall": "The treasury holds less than the books owe. Withdrawals are frozen.",
    "reconciliation.unseen": "The chain paid more than the books held: coins had come that no transaction shows.",
    "withdrawals.frozen": "Withdrawals were frozen.",
    "clock.behind": "The machine's clock is behind the books. Set it right; the log stays in order meanwhile.",
    "restore.unknown_payment": (
        "The restored books met a payment of the treasury that they don't know. SYSTEM_RESERVE bears it until "
        "moneta attribute says whose it was."
    ),
    "restore.payment_explained": "An unknown payment was explained.",
    "restore.replayed": "The restored books have caught up with the chain. Withdrawals go on unless a freeze stands.",
    "withdrawals.unfrozen": "A freeze of withdrawals was lifted.",
    "loop.halted": "A part of the program halted and needs you.",
    "loop.failing": "A part of the program keeps failing.",
    "chain.halted": "The chain can't be followed any further before you look.",
    "chain.pruned": "No node has the blocks any more that come next. Add a node that does.",
    "chain.unavailable": "No node answers, or none shows a new block. Deposits and withdrawals wait, everything else goes on.",
    "node.lied": "A node gave an answer that the validators did not sign. Another one is used.",
    "treasury.short": "BOT_TREASURY can't pay the network fee, so withdrawals wait. A deposit with the memo topup helps.",
    "payout.blocked": (
        "Somebody else used the sequence of a signed payout, so it can't be made any more, and nothing else is paid. "
        "Find out whether the coins arrived; <code>moneta resolve</code> says so to the books."
    ),
    "broadcast.rejected": "The nodes refuse a signed withdrawal. It stays pending until the chain decides.",
    "message.dropped": "A message could not be told and was given up. No money depends on it.",
    "command.broke": "A command failed by a mistake of mine. Nothing of it was committed.",
    "key.conflicted": "One key came with two different acts: a mistake of mine. The second was not done.",
    "update.poison": "Something came in that cannot be read. It was put aside, the rest goes on.",
}

REFUSALS: Final = {
    "reserve_owes_nothing": "SYSTEM_RESERVE owes nothing, so there is nothing to refill.",
    "refill_too_much": "SYSTEM_RESERVE owes {owed}; please refill that much at most.",
    "treasury_too_low": (
        "That takes {needed}, and BOT_TREASURY has {balance}. A deposit with the memo <code>topup</code> adds to it."
    ),
    "replay_unfinished": (
        "The books were restored from a backup and still catch up with the chain. Withdrawals go on by themselves then."
    ),
    "unknown_payment": "There is no unknown payment {payment}.",
    "payment_explained": "The unknown payment {payment} is explained already.",
    "reason_too_long": "The reason is too long: {limit} characters at most.",
    "reason_missing": "Please say why, at the end of the command: it goes into the audit log.",
    "already_frozen": "That is frozen already.",
    "not_frozen": "That is not frozen.",
    "reserve_negative": "The shortfall is still open. <code>/treasury topup</code> closes it first.",
}


def _alert(words: Words, facts: Facts) -> Html:
    title = words.alert(str(facts.get("alert")))
    rest = {name: value for name, value in facts.items() if name not in ("alert", "reference")}
    return words.fill(NEWS["alert.raised"], {}, title=title, details=join("\n", words.details(rest)))


COMPOSED: Final[Composed] = {"alert.raised": _alert}
