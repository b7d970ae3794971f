"""What arrived for nobody, and how it finds whose it is."""

from datetime import UTC, datetime
from typing import Final

from bot.html import COPY_LIMIT, Html, escape, join
from bot.outgoing import Copy, Key
from bot.sentences.deposits import UNCLAIMED_REASONS
from bot.words import Composed, Facts, Keys, Words, mention

ANSWERS: Final = {
    "unclaimed.listed": "<b>Waiting for whose it is</b>: {total}\n\n{lines}\n\n{hint}",
    "unclaimed.none": "Nothing waits: everything that arrived is somebody's.",
    "unclaimed.end": "Nothing older waits.",
    "unclaimed.total": "{amount} in {rows}",
    "unclaimed.line": (
        "<b>{deposit}</b> · <b>{remaining}</b>{of_amount} · {why}\n<i>{day}, block {height}{origin}</i>{details}"
    ),
    "unclaimed.of_amount": " left of {amount}",
    "unclaimed.origin": ", transaction {tx}, from {sender}",
    "unclaimed.details": "\nFrom <code>{sender}</code>\nTransaction <code>{tx}</code>\nMemo “{memo}”",
    "unclaimed.evidence": "\nWhat may explain it, unproved: <code>{evidence}</code>",
    "unclaimed.hint.everyone": (
        "Is one of them yours? <code>/claimdeposit {deposit}</code> in our private chat gives it to whoever signs with the "
        "address that sent it. From an exchange, ask an admin instead."
    ),
    "unclaimed.hint.admin": "<code>/assign {deposit} @name reason</code> gives one to somebody, whole or in parts.",
    "assign.asks": (
        "<b>Assign {amount} of deposit {deposit}?</b>\n\n"
        "To <b>{to}</b> (id {account}). {doubt_line}\n"
        "{remaining} of it would stay.\n\n“{reason}”"
    ),
    "assign.dropped": "All right, nothing was assigned.",
    "assign.done": "<b>{amount}</b> of deposit {deposit} is {to}'s now, and they know.{rest}\n<i>Receipt {receipt}</i>",
    "assign.rest": "\n{remaining} of it waits still.",
    "claim.asks": (
        "<b>Sign this text with {sender}</b>\n\n<code>{document}</code>\n\n"
        "Wallets call it ADR-36, or “sign arbitrary”; it moves nothing and costs nothing. Then send me here what the "
        "wallet gave, as it is, or <code>/claimdeposit {deposit}</code> with the signature and the public key behind it.\n\n"
        "It is good for {minutes} minutes, once, and for you alone. If you sent from an exchange, that address is theirs: "
        "ask an admin instead."
    ),
    "claim.done": "<b>{total}</b> is yours now. /balance{more_line}\n<i>Receipt {receipt}, deposit {deposit}</i>",
    "claim.more": "\nThat transaction brought more: <code>/claimdeposit {deposit}</code> again takes the next part.",
}

DOUBTS: Final = {
    "moved": "{typed} belonged to somebody else not long ago.",
    "renamed": "They were {typed} when I last saw them, and go by another name now.",
    "stale": "I have not seen {typed} for long, and names change hands.",
    "id": "You typed the id: please compare the name.",
    "part": "Please compare the amount.",
}

NEWS: Final = {
    "deposit.assigned": (
        "<b>{amount}</b> that had arrived for nobody is yours now: {by} assigned it to you.\n“{reason}”\n/balance\n"
        "<i>Receipt {receipt}, deposit {deposit}</i>"
    ),
    "unclaimed.assigned": (
        "{by_name} assigned <b>{amount}</b> of unclaimed deposit {deposit} to {to}.\n“{reason}”{rest}\n"
        "<i>Receipt {receipt}</i>"
    ),
    "unclaimed.claimed": (
        "{to} claimed <b>{total}</b> of unclaimed deposit {deposit} with a signature of <code>{address}</code>.\n"
        "<i>Receipt {receipt}</i>"
    ),
}

REFUSALS: Final = {
    "deposit_unreadable": (
        "I can't read “{typed}” as a deposit. Write its number as /unclaimed shows it, or the whole hash of its "
        "transaction."
    ),
    "unknown_deposit": "There is no unclaimed deposit {deposit}. /unclaimed lists what waits.",
    "unknown_transaction": (
        "Nothing of transaction {tx} waits here. If it is fresh, try again in a few seconds; if it had a memo, it may "
        "have gone to whom that names."
    ),
    "deposit_ambiguous": "That transaction brought {count} that wait: {numbers}. Please write the number of one.",
    "deposit_taken": "Nothing of deposit {deposit} waits any more: it has found whose it is.",
    "assignment_too_large": "Only {remaining} of deposit {deposit} waits. Please write that much at most.",
    "assignment_other_asset": "Deposit {deposit} is not in {symbol}. /unclaimed shows what it is.",
    "assignment_own": "Nobody assigns a deposit to themselves: please ask another admin, or an owner.",
    "deposit_without_sender": (
        "Deposit {deposit} has no single address that could sign for it. Please tell an admin what you know of it."
    ),
    "signature_unreadable": (
        "I can't read that as a signature. Send what the wallet gave, whole: "
        '<code>{{"pub_key": …, "signature": …}}</code>, or the signature and the public key, both in base64.'
    ),
    "signature_key_type": (
        "That key is of a kind that no address here has. Please sign with the address that sent the deposit."
    ),
    "signature_wrong": (
        "That signature does not fit. It came with the key of {signer}; I need {sender}, over exactly the text that I "
        "sent you, with nothing added."
    ),
    "challenge_missing": (
        "I have not given you a text for that yet: <code>/claimdeposit</code> and the deposit's number shows it."
    ),
    "challenge_used": "That signature was used already, and each is good once. /history shows what it brought.",
    "challenge_expired": (
        "That text is too old by now. <code>/claimdeposit {deposit}</code> gives you another one to sign."
    ),
}

LABELS: Final = {
    "unclaimed.older": "Older",
    "unclaimed.newer": "Newer",
    "assign.confirm": "Yes, assign",
    "assign.drop": "Don't",
    "copy.document": "Copy the text",
}

TOASTS: Final = {"assign.done": "Assigned."}

MOVES: Final = {("assignment", True): "from a deposit that was nobody's"}

AMOUNTS: Final = frozenset({"remaining"})


def _sums(words: Words, facts: Facts) -> Html:
    return join(", ", [words.amount(each["amount"], each) for each in facts.get("sums", ())])


def _claimed(words: Words, facts: Facts) -> Html:
    more = words.fill(ANSWERS["claim.more"], facts) if facts.get("more") else Html("")
    return words.fill(ANSWERS["claim.done"], facts, total=_sums(words, facts), more_line=more)


def _claim_announced(words: Words, facts: Facts) -> Html:
    to = mention(facts, "account", "who")
    return words.fill(NEWS["unclaimed.claimed"], facts, to=to, total=_sums(words, facts))


def _copy_document(words: Words, facts: Facts) -> list[Key]:
    """Return the button that copies the text to sign, unless it would be cut."""
    document = str(facts.get("document", ""))
    return [Copy(words.label("copy.document", facts), document)] if 0 < len(document) <= COPY_LIMIT else []


def _listed(words: Words, facts: Facts) -> Html:
    lines = facts.get("lines", ())
    if not lines:
        return words.fill(ANSWERS["unclaimed.end" if facts.get("paged") else "unclaimed.none"], facts)
    hint = ANSWERS["unclaimed.hint.admin" if facts.get("admin") else "unclaimed.hint.everyone"]
    return words.fill(
        ANSWERS["unclaimed.listed"],
        facts,
        total=join(", ", [_total(words, each) for each in facts.get("waiting", ())]),
        lines=join("\n", [_line(words, each) for each in lines]),
        hint=words.fill(hint, lines[0]),
    )


def _total(words: Words, waiting: Facts) -> Html:
    rows = int(waiting["rows"])
    counted = "1 deposit" if rows == 1 else f"{rows} deposits"
    return words.fill(ANSWERS["unclaimed.total"], waiting, rows=escape(counted))


def _line(words: Words, line: Facts) -> Html:
    moment = datetime.fromtimestamp(line["at"] / 1000, UTC)
    whole = line["remaining"] == line["amount"]
    return words.fill(
        ANSWERS["unclaimed.line"],
        line,
        why=escape(UNCLAIMED_REASONS.get(line["reason"], line["reason"])),
        of_amount=Html("") if whole else words.fill(ANSWERS["unclaimed.of_amount"], line),
        day=escape(f"{moment.day} {moment:%B %Y}"),
        origin=_origin(words, line),
        details=_details(words, line),
    )


def _origin(words: Words, line: Facts) -> Html:
    """Return where it came from, shortened; nothing where `_details` spells it out, or nobody knows."""
    known = line.get("tx") and "memo" not in line
    return words.fill(ANSWERS["unclaimed.origin"], line) if known else Html("")


def _details(words: Words, line: Facts) -> Html:
    if line.get("evidence"):
        return words.fill(ANSWERS["unclaimed.evidence"], line)
    return words.fill(ANSWERS["unclaimed.details"], line) if line.get("tx") and "memo" in line else Html("")


def _asked(words: Words, facts: Facts) -> Html:
    doubt = words.fill(DOUBTS.get(str(facts.get("doubt")), ""), facts)
    return words.fill(ANSWERS["assign.asks"], facts, doubt_line=doubt)


def _rest(words: Words, facts: Facts) -> Html:
    return words.fill(ANSWERS["assign.rest"], facts) if facts.get("remaining") else Html("")


def _done(words: Words, facts: Facts) -> Html:
    to = mention(facts, "account", "who")
    return words.fill(ANSWERS["assign.done"], facts, to=to, rest=_rest(words, facts))


def _announced(words: Words, facts: Facts) -> Html:
    return words.fill(
        NEWS["unclaimed.assigned"],
        facts,
        to=mention(facts, "account", "who"),
        by_name=mention(facts, "actor", "by"),
        rest=_rest(words, facts),
    )


COMPOSED: Final[Composed] = {
    "unclaimed.listed": _listed,
    "assign.asks": _asked,
    "assign.done": _done,
    "unclaimed.assigned": _announced,
    "unclaimed.claimed": _claim_announced,
    "claim.done": _claimed,
}
KEYS: Final[Keys] = {"claim.asks": _copy_document}
