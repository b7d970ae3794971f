"""Shared accounts: one balance of several people."""

from typing import Final

from bot.html import Html, escape, join
from bot.sentences.balances import history_page
from bot.sentences.deposits import copies
from bot.words import Compose, Composed, Facts, Keys, Words, explorer_key, mention, note_line

ROLES: Final = {
    "view": "sees it and puts coins in",
    "spend": "pays from it",
    "admin": "pays from it, invites, and closes it",
}

ANSWERS: Final = {
    "shared.none": (
        "You have no shared account. It is one balance for several people, each with a role and limits of their own. "
        "<code>/shared new Picnic</code> opens one."
    ),
    "shared.listed": "<b>Your shared accounts</b>\n\n{lines}\n\n<code>/shared 100</code>, with its number or name, shows one.",
    "shared.line": "<b>{number}</b> · {name} · {balances} · {role}",
    "shared.line.invited": "<b>{number}</b> · {name} · {who} invites you: {role}{limits}",
    "shared.line.closed": "<b>{number}</b> · {name} · closed",
    "shared.created": (
        "<b>{name}</b> is open, and its number is {number}.\n\n"
        "<code>/shared {number} deposit 5</code> puts coins in; from the chain they come with the memo "
        "<code>{memo}</code>.\n"
        "<code>/shared {number} invite @name spend 5 20</code> lets somebody pay from it: 5 at once and 20 in 24 hours "
        "at most."
    ),
    "shared.card": (
        "<b>{name}</b> · shared account {number}\n\n"
        "In it: <b>{balances}</b>\n\n"
        "{members}\n\n"
        "From the chain, coins get in at\n<code>{address}</code>\nwith the memo\n<code>{memo}</code>"
    ),
    "shared.card.closed": "<b>{name}</b> · shared account {number}\n\nIt is closed. Its history stays.",
    "shared.card.empty": "nothing yet",
    "shared.member": "• {who} ({person}): {role}{limits}{invited}",
    "shared.member.invited": ", invited",
    "shared.limits.once": "{per_transaction} at once",
    "shared.limits.day": "{per_day} in 24 hours",
    "shared.limits": ", {limits} at most",
    "shared.fill.asks": (
        "<b>Put coins into {name}</b>\n\n"
        "How much of your balance? <code>/shared {number} deposit 2.5</code> for any other amount.\n\n"
        "From the chain: to\n<code>{address}</code>\nwith the memo\n<code>{memo}</code>"
    ),
    "shared.filled": (
        "You put <b>{amount}</b> into {name}; {after} is in it now. You have {left} left. Receipt {receipt}."
    ),
    "shared.sent": (
        "Sent <b>{amount}</b> from {name} to {to}.{note_line}\n{left} is left in {name}. Receipt {receipt}."
    ),
    "shared.invite.asks": (
        "{typed} may have changed hands; it is <b>{to}</b> (id {recipient}) as far as I know. "
        "Invite them to {name}?"
    ),
    "shared.dropped": "All right, nothing was done.",
    "shared.invitation_sent": (
        "{to} is invited to {name}: {role}{limits}. Nothing is theirs to see or spend before they say yes; they were "
        "asked in private."
    ),
    "shared.welcome": "You are in <b>{name}</b> ({number}) now: {role}{limits}. <code>/shared {number}</code> shows it.",
    "shared.refused_invitation": "All right, you are not in {name}.",
    "shared.changed_for": "{to} in {name} from now on: {role}{limits}.",
    "shared.revoked_from": "{to} has no part in {name} any more.",
    "shared.left_it": "You have left {name}.",
    "shared.renamed": "{before} is called <b>{name}</b> now; its number stays {number}.",
    "shared.ended": (
        "<b>{name}</b> is closed. <code>/shared {number} history</code> stays. Please send nothing to its memo any more."
    ),
    "shared.page": "<b>{name}</b> ({number}) · {symbol}\n\n{lines}",
}

NEWS: Final = {
    "shared.invited": (
        "{by} invites you to the shared account <b>{name}</b> ({number}).\nYour part: {role}{limits}.\n\n"
        "You put nothing at risk by joining: your own balance stays yours alone."
    ),
    "shared.joined": "{by} has joined <b>{name}</b> ({number}).",
    "shared.declined": "{by} would rather not join <b>{name}</b> ({number}).",
    "shared.changed": "{by} changed your part in <b>{name}</b> ({number}): {role}{limits}.",
    "shared.revoked": "{by} ended your part in the shared account <b>{name}</b> ({number}).",
    "shared.left": "{by} has left <b>{name}</b> ({number}).",
    "shared.closed": "{by} closed the shared account <b>{name}</b> ({number}). It was empty.",
    "shared.received": (
        "{by} sent you <b>{amount}</b> from the shared account {name}.{note_line}\n/balance\n<i>Receipt {receipt}</i>"
    ),
    "shared.spent": "{by} paid <b>{amount}</b> from {name} ({number}) to {to}.{note_line}\n<i>Receipt {receipt}</i>",
    "shared.arrived": (
        "<b>{amount}</b> arrived in the shared account {name} ({number}).\n<i>Deposit {transaction}, block {height}</i>"
    ),
}

REFUSALS: Final = {
    "shared_unknown": "You have no part in a shared account {number}. /shared lists yours.",
    "shared_unknown_name": (
        "You have no shared account called “{typed}”. /shared lists yours; <code>/shared new {typed}</code> opens one."
    ),
    "shared_word_unknown": "I don't know what “{typed}” is about a shared account. What I know: {words}.",
    "shared_words_left": "I don't know what “{typed}” is for there. Please send it again without.",
    "shared_send_incomplete": "How much, and to whom? <code>/shared {number} send 5 @name</code>",
    "shared_withdraw": (
        "Coins leave for the chain from somebody's own balance. Send them to yourself, with your @name: "
        "<code>/shared {number} send 5 @name</code>; then /withdraw pays them out."
    ),
    "shared_limit_missing": (
        "Which limits? At once and in 24 hours, or <code>none</code>: <code>/shared {number} limit @name 5 20</code>"
    ),
    "shared_closed": "{name} is closed. <code>/shared {number} history</code> is what is left of it.",
    "shared_not_joined": "You are invited to {name} and have not said yes. /shared shows the buttons.",
    "shared_role_too_low": "In {name} that takes the role {needed}. An admin of the account can give it.",
    "shared_too_many_created": "One person can open {limit} shared accounts, closed ones among them. Somebody else may.",
    "shared_numbers_used_up": "All numbers of shared accounts are used up, and none is used twice.",
    "shared_name_missing": "What shall it be called? <code>/shared new Picnic</code>",
    "shared_name_too_long": "That name is too long: {limit} characters at most.",
    "shared_name_reserved": (
        "“{typed}” would be read as something else. Please let the name begin with another word: not with a number, "
        "@, #, / or “new”."
    ),
    "shared_name_taken": "There is an open shared account called “{typed}”. Please choose another name.",
    "shared_not_empty": (
        "There is still {left} in {name}. <code>/shared {number} send all {symbol} @name</code> takes it out; then it can "
        "be closed."
    ),
    "shared_withdrawal_open": "Withdrawal {withdrawal} from {name} has not ended, and may come back. Please close it then.",
    "shared_role_missing": "As what? <code>view</code>, <code>spend</code> or <code>admin</code>, behind the name.",
    "shared_role_unknown": "“{typed}” is no role. There are <code>view</code>, <code>spend</code> and <code>admin</code>.",
    "shared_limits_for_view": "Whoever only views spends nothing, so there is nothing to limit. Leave the amounts out.",
    "shared_limits_two_coins": "Both limits have to be of the same coin.",
    "shared_limits_too_many": "Two limits at most: at once, and in 24 hours. What is “{typed}” for?",
    "shared_member_already": "They have a part in {name} already. <code>/shared</code> and its number shows it.",
    "shared_invited_already": "They are invited to {name} already, and have not answered.",
    "shared_too_many_members": "A shared account has {limit} members and invited people at most.",
    "shared_invited_too_often": "They were asked {limit} times in the last 24 hours. Please let a day pass.",
    "shared_invitation_over": "That invitation does not stand any more.",
    "shared_not_a_member": "They have no part in {name}.",
    "shared_last_admin": "An open account keeps an admin. Make somebody else one first, or close it.",
    "shared_other_coin": "Your limits in this account are in {symbol}, so you spend {symbol} alone.",
    "shared_over_transaction_limit": "{most} is the most that you may take out of this account at once.",
    "shared_over_day_limit": (
        "{most} is the most that you may take out of this account in 24 hours; {left} of it is left to you now."
    ),
    "shared_insufficient": (
        "That takes {needed}, and {name} has {balance}. <code>/shared {number} deposit 5</code> adds to it."
    ),
    "shared_nothing": "There is no {symbol} in it to send.",
}

LABELS: Final = {
    "shared.show": "{name}",
    "shared.fill": "Put coins in",
    "shared.filling": "{amount}",
    "shared.history": "History",
    "shared.older": "Older",
    "shared.newer": "Newer",
    "shared.statement": "Statement (CSV)",
    "shared.pay": "Yes, send",
    "shared.ask": "Yes, invite",
    "shared.drop": "Don't",
    "shared.accept": "Join {name}",
    "shared.decline": "No, thanks",
}

TOASTS: Final = {
    "shared.filled": "It is in.",
}

MOVES: Final = {
    ("shared_deposit", True): "from {name}",
    ("shared_deposit", False): "into the shared account {name}",
    ("shared_spend", True): "from the shared account {name}",
    ("shared_spend", False): "to {name}",
}

AMOUNTS: Final = frozenset({"per_transaction", "per_day"})


def _limits(words: Words, facts: Facts) -> Html:
    """Return ``, 5 JUNO at once and 20 JUNO in 24 hours at most``, nothing without limits."""
    kinds = (("per_transaction", "shared.limits.once"), ("per_day", "shared.limits.day"))
    parts = [words.fill(ANSWERS[say], facts) for name, say in kinds if facts.get(name) is not None]
    return words.fill(ANSWERS["shared.limits"], {}, limits=join(" and ", parts)) if parts else Html("")


def _part(words: Words, facts: Facts) -> dict[str, Html]:
    """Return what a sentence about somebody's part in an account is filled with."""
    role = str(facts.get("role"))
    return {"role": escape(ROLES.get(role, role)), "limits": _limits(words, facts)}


def _of_part(say: str) -> Compose:
    def compose(words: Words, facts: Facts) -> Html:
        values = {
            **_part(words, facts),
            "by": mention(facts, "sender", "who"),
            "to": mention(facts, "recipient", "to"),
            "note_line": note_line(words, facts),
        }
        return words.fill(NEWS.get(say) or ANSWERS[say], facts, **values)

    return compose


def _balances(words: Words, facts: Facts) -> Html:
    owned = [words.amount(each["amount"], each) for each in facts.get("balances", ())]
    return join(", ", owned) if owned else Html(ANSWERS["shared.card.empty"])


def _listed(words: Words, facts: Facts) -> Html:
    lines = [_line(words, each) for each in facts.get("shares", ())]
    return words.fill(ANSWERS["shared.listed" if lines else "shared.none"], {}, lines=join("\n", lines))


def _line(words: Words, share: Facts) -> Html:
    form = ".invited" if share.get("invited") else ".closed" if share.get("closed") else ""
    values = {**_part(words, share), "balances": _balances(words, share)}
    return words.fill(ANSWERS[f"shared.line{form}"], share, **values)


def _card(words: Words, facts: Facts) -> Html:
    members = [_member(words, each) for each in facts.get("members", ())]
    template = ANSWERS["shared.card.closed" if facts.get("closed") else "shared.card"]
    return words.fill(template, facts, members=join("\n", members), balances=_balances(words, facts))


def _member(words: Words, member: Facts) -> Html:
    invited = Html(ANSWERS["shared.member.invited"] if member.get("invited") else "")
    return words.fill(ANSWERS["shared.member"], member, **_part(words, member), invited=invited)


COMPOSED: Final[Composed] = {
    "shared.listed": _listed,
    "shared.card": _card,
    "shared.page": history_page(ANSWERS["shared.page"]),
    **{
        say: _of_part(say)
        for say in (
            "shared.sent",
            "shared.invitation_sent",
            "shared.welcome",
            "shared.changed_for",
            "shared.revoked_from",
            "shared.invited",
            "shared.joined",
            "shared.declined",
            "shared.changed",
            "shared.revoked",
            "shared.left",
            "shared.closed",
            "shared.received",
            "shared.spent",
        )
    },
}
KEYS: Final[Keys] = {"shared.card": copies, "shared.fill.asks": copies, "shared.arrived": explorer_key}
