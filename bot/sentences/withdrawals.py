"""Coins that go out, and who approves them."""

from typing import Final

from bot.html import Html, escape, join
from bot.words import Compose, Composed, Facts, Keys, Words, explorer_key

RETURN_REASONS: Final = {
    "expired": "the network did not take it in time",
    "failed": "the network refused it",
}

ANSWERS: Final = {
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
}

NEWS: Final = {
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
}

REFUSALS: Final = {
    "unlisted_denom": "That asset cannot be withdrawn here.",
    "withdrawal_below_minimum": "The least that can be withdrawn is {minimum}.",
    "withdrawal_over_own_limit": (
        "{most} is the most that one person can withdraw in 24 hours; {left} of it is left to you now."
    ),
    "withdrawal_over_total_limit": (
        "{most} is the most that can leave here in 24 hours, all people together; {left} of it is left now."
    ),
    "approval_own": "A second admin has to decide on withdrawal {withdrawal}: nobody approves what they asked for.",
    "approval_settled": "Withdrawal {withdrawal} does not wait for approval any more.",
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
}

LABELS: Final = {
    "withdraw.confirm": "Withdraw",
    "withdraw.drop": "Don't",
    "withdraw.cancel": "Cancel it",
    "approvals.approve": "Approve {withdrawal}",
    "approvals.reject": "Reject {withdrawal}",
    "link.explorer": "See it on the chain",
}

TOASTS: Final = {
    "withdraw.queued": "Queued.",
    "withdraw.waits": "It waits for a second admin.",
    "approvals.approved": "Approved.",
    "approvals.rejected": "Rejected.",
    "withdraw.cancelled": "Cancelled; it is back on your balance.",
}

MOVES: Final = {
    ("withdrawal", False): "withdrawn, with its fee",
    ("withdrawal_returned", True): "returned from a withdrawal",
    ("withdrawal_cancelled", True): "from a cancelled withdrawal",
    ("withdrawal_manual", True): "returned from a withdrawal by the owner",
}


def _withdraw_question(words: Words, facts: Facts) -> Html:
    template = ANSWERS["withdraw.memo" if facts.get("memo") else "withdraw.no_memo"]
    waits = "threshold" in facts
    return words.fill(
        ANSWERS["withdraw.asks"],
        facts,
        memo_line=words.fill(template, facts),
        approval_line=words.fill(ANSWERS["withdraw.approval"], facts) if waits else Html(""),
    )


def _approvals(words: Words, facts: Facts) -> Html:
    lines = [words.fill(ANSWERS["approvals.line"], each) for each in facts.get("waiting", ())]
    template = ANSWERS["approvals.listed" if lines else "approvals.none"]
    return words.fill(template, facts, lines=join("\n", lines))


def _withdrawal(say: str) -> Compose:
    def compose(words: Words, facts: Facts) -> Html:
        memo = words.fill(ANSWERS["withdraw.memo"], facts) if facts.get("memo") else None
        kept = "\nThe network kept {network_fee} of the fee." if facts.get("network_fee") else ""
        because = RETURN_REASONS.get(str(facts.get("reason")), "it was ended by the owner")
        total = int(facts.get("amount", 0)) + int(facts.get("fee", 0))
        return words.fill(
            NEWS.get(say) or ANSWERS[say],
            {**facts, "total": total},
            memo_line=Html(f"\n{memo}") if memo else Html(""),
            network_line=words.fill(kept, facts),
            returned_because=escape(because),
        )

    return compose


COMPOSED: Final[Composed] = {
    "withdraw.asks": _withdraw_question,
    "approvals.listed": _approvals,
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
KEYS: Final[Keys] = {"withdrawal.confirmed": explorer_key}
