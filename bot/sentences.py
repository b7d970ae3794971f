"""Every sentence that people read, in one place.

Fields in braces are facts; `bot.speech` writes amounts with their symbol, cleans and escapes all text, and adds what
every refusal ends with: that nothing moved, and a reference. A refusal says what was wrong and what to type instead.
Nobody is shamed: what a group may read tells nothing about anybody's money.
"""

from typing import Final

ANSWERS: Final = {
    # Commands
    "start.private": (
        "<b>Welcome, {name}.</b> Your account is open.\n\n"
        "I keep {symbol} for you and move it inside Telegram: instantly, and for free.\n\n"
        "• /deposit: put {symbol} in\n"
        "• /send: pay somebody, such as <code>/send 5 @name</code>\n"
        "• /withdraw: take it out, to any address\n"
        "• /balance and /history: what you have, and why\n\n"
        "/help lists everything."
    ),
    "start.group": (
        "Hello. I keep {symbol} for the people here. Reply to somebody with <code>/tip 1</code> and it is theirs at "
        "once. What concerns only you, I tell you in private."
    ),
    "help.listed": "<b>What I can do</b>\n\n{commands}\n\n/help and a command's name tells more of it.",
    "help.command": "<code>{usage}</code>\n{summary}{examples}{aliases}",
    "balance.shown": "You have <b>{balances}</b>.{waiting}",
    "balance.empty": "Nothing here yet.{waiting} /deposit shows how to put {symbol} in.",
    "balance.waiting": "\nOn its way out: {amount} (withdrawal {withdrawal}).",
    "deposit.card": (
        "<b>Put {symbol} in</b>\n\n"
        "Send it to\n<code>{address}</code>\n"
        "with the memo\n<code>{memo}</code>\n\n"
        "The memo is how I know that it is yours: an exchange may call it tag or note. "
        "This message changes when your deposit arrives, usually within seconds."
    ),
    "withdraw.asks": (
        "<b>Withdraw {amount}?</b>\n\n"
        "To <code>{address}</code>\n"
        "Fee {fee}, so {total} leaves your balance; {left} stays.\n"
        "{memo_line}{approval_line}\n\n"
        "What arrives there cannot be called back. Please compare the address."
    ),
    "withdraw.approval": "\n\nMore than {threshold} leaves at once only after a second admin approved it.",
    "withdraw.memo": "Memo <code>{memo}</code>",
    "withdraw.no_memo": (
        "Without a memo. If this is an exchange, it probably needs one: "
        "<code>/withdraw &lt;amount&gt; &lt;address&gt; &lt;memo&gt;</code>"
    ),
    "withdraw.dropped": "All right, nothing was withdrawn.",
    "withdraw.waits": (
        "<b>Withdrawal {withdrawal}</b> · waits for approval\n\n{amount} to <code>{address}</code>{memo_line}\nFee {fee}. "
        "{total} left your balance and waits for it.\n\nIt is so much that a second admin has to approve it; they were "
        "asked. You can cancel until it is signed."
    ),
    "approvals.none": "No withdrawal waits for approval.",
    "approvals.listed": "<b>Withdrawals that wait for approval</b>\n\n{lines}",
    "approvals.line": "<b>{withdrawal}</b>: {amount} for {who} to <code>{address}</code>",
    "approvals.approved": "<b>Withdrawal {withdrawal}</b>: {amount} for {who} was approved by {by}. It is queued.",
    "approvals.rejected": (
        "<b>Withdrawal {withdrawal}</b>: {amount} for {who} was rejected by {by}. Everything is back on their balance."
    ),
    "send.private": "Sent <b>{amount}</b> to {to}.{note_line}\nYou have {left} left. Receipt {receipt}.",
    "send.group": "{who} sent <b>{amount}</b> to {to}.{note_line}\n<i>Receipt {receipt}</i>",
    "send.note": "\n“{note}”",
    "send.asks.moved": (
        "{typed} belonged to somebody else not long ago and is <b>{to}</b> (id {recipient}) now. Send {amount} there?"
    ),
    "send.asks.renamed": (
        "<b>{to}</b> (id {recipient}) was {typed} when I last saw them, and goes by another name now. "
        "Send {amount} there?"
    ),
    "send.asks.stale": (
        "I have not seen {typed} for long; it was <b>{to}</b> (id {recipient}). Names change hands. Send {amount} there?"
    ),
    "send.dropped": "All right, nothing was sent.",
    "history.page": "<b>Your {symbol}</b>\n\n{lines}",
    "history.empty": "Nothing has happened yet. /deposit shows how to put {symbol} in.",
    "history.end": "Nothing older than that.",
    "history.cut": "\nOlder ones are left out: one statement has no more.",
    "history.day": "<b>{day}</b>",
    "history.line": "{change} {what}{note_line}\n<i>{time} UTC · then {after}</i>",
    # The one path
    "command.old": (
        "You sent <code>{typed}</code> some time ago, while I was away. I have not done it. Do you still want it?"
    ),
    "command.dismissed": "All right, nothing was done.",
    "command.done": "Done. /history shows it.",
    "private.elsewhere": "The answer is for you alone, and waits in our private chat.",
}
"""Answers of commands."""

NEWS: Final = {
    "deposit.seen": "<b>{amount}</b> is on its way to you. One more block and it is yours.",
    "deposit.credited": "<b>{amount}</b> arrived and is yours. /balance\n<i>Deposit {transaction}, block {height}</i>",
    "deposit.credited.system": "<b>{amount}</b> arrived for {owner}.\n<i>Deposit {transaction}, block {height}</i>",
    "deposit.unclaimed": (
        "<b>{amount}</b> arrived for nobody: {reason}. It waits in UNCLAIMED as number {transaction}{more_parts}.{sender_line}"
    ),
    "withdrawal.requested": (
        "<b>Withdrawal {withdrawal}</b> · queued\n\n{amount} to <code>{address}</code>{memo_line}\nFee {fee}. "
        "{total} left your balance and waits for it.\n\nYou can cancel until it is signed."
    ),
    "withdrawal.awaiting_approval": (
        "<b>Withdrawal {withdrawal} waits for approval</b>\n\n{who} wants to take out {amount} to "
        "<code>{address}</code>{memo_line}\n\nAn admin or owner decides, not {who}. /approvals lists all that wait."
    ),
    "withdrawal.approved": (
        "<b>Withdrawal {withdrawal}</b> · queued\n\n{amount} to <code>{address}</code>{memo_line}\nFee {fee}.\n\n"
        "A second admin approved it. You can cancel until it is signed."
    ),
    "withdrawal.rejected": (
        "<b>Withdrawal {withdrawal}</b> · not approved\n\nA second admin did not approve it. {returned} is back on your "
        "balance, the fee included."
    ),
    "withdrawal.signed": (
        "<b>Withdrawal {withdrawal}</b> · on its way\n\n{amount} to <code>{address}</code>{memo_line}\nFee {fee}.\n\n"
        "It is signed and offered to the network; the next blocks decide."
    ),
    "withdrawal.confirmed": (
        "<b>Withdrawal {withdrawal}</b> · arrived\n\n{amount} to <code>{address}</code>{memo_line}\nFee {fee}."
    ),
    "withdrawal.returned": (
        "<b>Withdrawal {withdrawal}</b> · returned\n\n{amount} to <code>{address}</code> did not go through: "
        "{returned_because}. {returned} is back on your balance.{network_line} Nothing else moved.\n\n"
        "You can try again with /withdraw."
    ),
    "withdrawal.cancelled": (
        "<b>Withdrawal {withdrawal}</b> · cancelled\n\n{returned} is back on your balance, the fee included."
    ),
    "transfer.received": "{from_name} sent you <b>{amount}</b>.{note_line}\n/balance\n<i>Receipt {receipt}</i>",
    "statement.asked": "<b>Your {symbol} statement</b>\nLines: {lines}, newest first, times in UTC.{cut_line}",
    "alert.raised": "⚠️ <b>{title}</b>\n{details}",
}
"""News from the outbox."""

ACCOUNTS: Final = {-1: "BOT_TREASURY", -5: "REWARDS_POOL"}
"""The system's accounts that a memo can name."""

UNCLAIMED_REASONS: Final = {
    "no_memo": "it had no memo",
    "unusable_memo": "its memo names no account",
    "unknown_user": "its memo names somebody who has no account",
    "unknown_shared_account": "its memo names a shared account that does not exist",
    "residue": "it came by a way that names nobody, and shows only in the proved balance",
}

RETURN_REASONS: Final = {
    "expired": "the network did not take it in time",
    "failed": "the network refused it",
}

ALERTS: Final = {
    "key.stranger": "Somebody else may hold the treasury's key. Withdrawals are frozen.",
    "key.contradiction": "The treasury's account contradicts the books. Withdrawals are frozen.",
    "chain.contradiction": "A block contradicts what was proved of our transaction. Withdrawals are frozen.",
    "reconciliation.shortfall": "The treasury holds less than the books owe. Withdrawals are frozen.",
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
    "chain.unavailable": "No node answers. Deposits and withdrawals wait, everything else goes on.",
    "node.lied": "A node gave an answer that the validators did not sign. Another one is used.",
    "treasury.short": "BOT_TREASURY can't pay the network fee, so withdrawals wait. A deposit with the memo topup helps.",
    "broadcast.rejected": "The nodes refuse a signed withdrawal. It stays pending until the chain decides.",
    "message.dropped": "A message could not be told and was given up. No money depends on it.",
    "command_broke": "A command failed by a mistake of mine. Nothing of it was committed.",
    "conflict": "One key came with two different acts: a mistake of mine. The second was not done.",
    "update.poison": "Something came in that cannot be read. It was put aside, the rest goes on.",
}
"""Titles of alerts; one that is not listed is shown by its code. Details follow by themselves."""

NOTHING_MOVED: Final = "Nothing moved."
REFERENCE: Final = "Reference {reference}."

_LIKE: Final = "Digits and a dot, like <code>1.5</code>."

REFUSALS: Final = {
    # Amounts
    "amount_missing": "How much? Write the amount too, like <code>/send 5 @name</code>.",
    "amount_empty": "The amount is empty. " + _LIKE,
    "amount_all": "Here I need a number, not “all”. " + _LIKE,
    "amount_signed": "An amount has no sign in front. {offer}",
    "amount_exponent": "<code>{typed}</code> is in scientific notation, which I don't read. " + _LIKE,
    "amount_not_finite": "<code>{typed}</code> is not an amount of money. " + _LIKE,
    "amount_separated": "Please leave out whatever separates thousands. {offer}",
    "amount_underscored": "Please leave out the underscores. {offer}",
    "amount_foreign_digits": "I read only the digits 0 to 9. {offer}",
    "amount_comma": "A comma can mean two things, so I don't guess. {offer}",
    "amount_too_precise": "{symbol} has {decimals} decimals at most. {offer}",
    "amount_too_long": "That is more {symbol} than there is. Twelve digits before the dot at most.",
    "amount_too_large": "That is more than can be moved at once.",
    "amount_zero": "Zero is nothing to move. " + _LIKE,
    "amount_hex": "<code>{typed}</code> is not a decimal number. " + _LIKE,
    "amount_symbol": "I don't keep <code>{typed}</code> here, only {listed}. {offer}",
    "amount_or_note": (
        "Is <code>{typed}</code> a coin? I keep only {listed} here. If it is your note, name the coin before it: "
        "<code>{number} {symbol} {typed}</code>."
    ),
    "amount_base_units": "I count in {symbol}, not in its smallest unit. " + _LIKE,
    "amount_currency": "I count in {symbol}, not in other money: no currency sign. " + _LIKE,
    "amount_fraction": "Please write the fraction as a decimal, like <code>0.5</code>.",
    "amount_percent": "I don't know percent of what. " + _LIKE,
    "amount_abbreviated": "Please write <code>{typed}</code> out in digits.",
    "amount_leading_dot": "Please write a digit in front of the dot. {offer}",
    "amount_trailing_dot": "Something is missing behind the dot. {offer}",
    "amount_unreadable": "I can't read <code>{typed}</code> as an amount. " + _LIKE,
    "not_positive": "An amount is more than zero. " + _LIKE,
    # People
    "recipient_missing": "To whom? Reply to one of their messages, or write their @name: <code>/send 5 @name</code>.",
    "recipient_without_at": (
        "I don't know who “{typed}” is. Reply to one of their messages, or write their name with an @: "
        "<code>/send 5 @name</code>."
    ),
    "recipient_two": (
        "Did you mean {typed}, or the person whose message you answered? To pay {typed}, write that name right after "
        "the amount; to pay the other, leave it out."
    ),
    "recipient_unknown": (
        "I have never met {name}, so I can't tell who that is. Reply to one of their messages instead, or ask them to "
        "say something here or to send me /start."
    ),
    "recipient_bot": "{name} is a bot, and bots have no account here.",
    "recipient_nobody": (
        "That was written by a channel or an anonymous admin, so I can't tell who would get it. "
        "Write the person's @name, or reply to a message under their own name."
    ),
    "recipient_self": "That would go from you to yourself. Whom did you mean?",
    "same_account": "That would go from you to yourself. Whom did you mean?",
    "not_a_user": "That account belongs to no person, so nothing can be sent there.",
    "unknown_account": "They have no account yet. Ask them to send me /start, then try again.",
    "note_too_long": "The note is too long: {limit} characters at most.",
    # Money
    "insufficient_balance": "That takes {needed}, and you have {balance}. /deposit shows how to add some.",
    "nothing_to_send": "There is nothing to send yet. /deposit shows how to put {symbol} in.",
    "unlisted_denom": "That asset cannot be withdrawn here.",
    # Withdrawals
    "withdrawal_below_minimum": "The least that can be withdrawn is {minimum}.",
    "withdrawal_over_own_limit": (
        "{most} is the most that one person can withdraw in 24 hours; {left} of it is left to you now."
    ),
    "withdrawal_over_total_limit": (
        "{most} is the most that can leave here in 24 hours, all people together; {left} of it is left now."
    ),
    "approval_own": "A second admin has to decide on withdrawal {withdrawal}: nobody approves what they asked for.",
    "approval_settled": "Withdrawal {withdrawal} does not wait for approval any more.",
    "approver_too_low": "Approving is for admins.",
    "reserve_owes_nothing": "SYSTEM_RESERVE owes nothing, so there is nothing to refill.",
    "refill_too_much": "SYSTEM_RESERVE owes {owed}; please refill that much at most.",
    "treasury_too_low": (
        "That takes {needed}, and BOT_TREASURY has {balance}. A deposit with the memo <code>topup</code> adds to it."
    ),
    "withdrawal_fee_changed": (
        "The fee changed to {fee} since you were asked. Please start again with /withdraw."
    ),
    "withdrawals_frozen": (
        "Withdrawals are paused while the people who run this look at something. Your balance is safe, and /send works."
    ),
    "withdrawal_not_cancellable": (
        "Withdrawal {withdrawal} is signed already and can't be cancelled. It will arrive, or come back to you."
    ),
    "withdrawal_ended": "Withdrawal {withdrawal} has ended already. /history shows how.",
    "unknown_withdrawal": "You have no withdrawal {withdrawal}. /history shows yours.",
    "transaction_unresolved": (
        "Withdrawal {withdrawal} may still go through. Wait until the chain has shown what became of it."
    ),
    "replay_unfinished": (
        "The books were restored from a backup and still catch up with the chain. Withdrawals go on by themselves then."
    ),
    "unknown_payment": "There is no unknown payment {payment}.",
    "payment_explained": "The unknown payment {payment} is explained already.",
    # Addresses
    "address_missing": "To which address? <code>/withdraw 5 {prefix}1…</code>",
    "not_an_address": "That is not an address. It begins with <code>{prefix}1</code>; please copy it whole.",
    "mixed_case": "That address mixes capital and small letters, so something happened to it. Please copy it again.",
    "wrong_prefix": (
        "That address begins with <code>{found}</code>: it is of another chain. I pay to <code>{expected}1…</code> only."
    ),
    "bad_checksum": "There is a typing mistake in that address: its checksum is wrong. Please copy it again.",
    "wrong_length": "That address is too short or too long to be anybody's. Please copy it again.",
    "own_treasury": "That is my own address: your money would come back as a deposit. Which did you mean?",
    "module_account": "That address belongs to the chain itself ({module}), and what arrives there is lost.",
    "memo_too_long": "The memo is too long: {limit} bytes at most, and many letters take more than one.",
    "memo_not_text": "The memo holds something that is not text. Please type it again.",
    # Commands
    "command_missing": "I only understand commands. /help lists them.",
    "command_unknown": "I don't know /{command}. /help lists what I know.",
    "command_incomplete": "That needs a little more: <code>{usage}</code>\nFor example <code>{example}</code>",
    "command_edited": "I don't act on edited messages. Please send /{command} again, as a new message.",
    "command_elsewhere": "/{command} works in {elsewhere}.",
    "command_not_for_bots": "Only people have an account here.",
    "role_too_low": "/{command} is for {needed}s.",
    "reason_missing": "Please say why, at the end of the command: it goes into the audit log.",
    "already_frozen": "That is frozen already.",
    "not_frozen": "That is not frozen.",
    "reserve_negative": "The shortfall is still open. <code>/treasury topup</code> closes it first.",
    "too_many": (
        "You were faster than I am, so I left out what came after the first {limit}: none of that was done. "
        "Please wait for the answers, then send the rest again."
    ),
    # Buttons
    "button_unknown": "That button does nothing any more. Please send the command again.",
    "button_not_yours": "That button is somebody else's.",
    "button_used": "That is settled already.",
    "button_expired": "That question is too old. Please send the command again.",
    # Ourselves
    "internal_error": (
        "Something went wrong on my side, and the people who run this were told. "
        "Look at /history before you try again: if it is not there, nothing moved."
    ),
}
"""Refusals by code: a test walks the program and demands one for each."""

MAY_HAVE_MOVED: Final = frozenset({"internal_error", "too_many"})
"""Refusals that may not promise that nothing moved."""

UNKNOWN_REFUSAL: Final = "That cannot be done ({code})."

OFFER_ONE: Final = "Did you mean <code>{one} {symbol}</code>?"
OFFER_TWO: Final = "Did you mean <code>{one} {symbol}</code> or <code>{other} {symbol}</code>?"
OFFER_NONE: Final = _LIKE

LABELS: Final = {
    "command.again": "Yes, do it",
    "command.dismiss": "No",
    "withdraw.confirm": "Withdraw",
    "withdraw.drop": "Don't",
    "withdraw.cancel": "Cancel it",
    "approvals.approve": "Approve {withdrawal}",
    "approvals.reject": "Reject {withdrawal}",
    "send.confirm": "Yes, send",
    "send.drop": "Don't",
    "history.older": "Older",
    "history.newer": "Newer",
    "history.statement": "Statement (CSV)",
    "copy.address": "Copy the address",
    "copy.memo": "Copy the memo {memo}",
    "link.explorer": "See it on the chain",
    "link.private": "Open our private chat",
}
"""Words on buttons, by action."""

TOASTS: Final = {
    "withdraw.queued": "Queued.",
    "withdraw.waits": "It waits for a second admin.",
    "approvals.approved": "Approved.",
    "approvals.rejected": "Rejected.",
    "withdraw.cancelled": "Cancelled; it is back on your balance.",
    "send.sent": "Sent.",
    "history.statement": "It comes to our private chat.",
}
"""Words over the chat after a tap; refusals are shown by their own sentence."""

MOVES: Final = {
    ("transfer", True): "from {name}",
    ("transfer", False): "to {name}",
    ("deposit", True): "deposited",
    ("withdrawal", False): "withdrawn, with its fee",
    ("withdrawal_returned", True): "returned from a withdrawal",
    ("withdrawal_cancelled", True): "from a cancelled withdrawal",
    ("withdrawal_manual", True): "returned from a withdrawal by the owner",
    ("assignment", True): "assigned to you",
    ("adjustment", True): "credited by reconciliation",
}
"""What a line of history says, by kind and whether it came in; another kind is shown by its own name."""

OTHER_MOVE: Final = "{kind}"
