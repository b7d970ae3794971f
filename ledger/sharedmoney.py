"""Coins in and out of shared accounts: what members put in, and what who may spend takes out within their limits.

A day is the 24 hours before, counted over what a person took out of that account; role, limits and balance are looked
at inside the writer, so that of many spends at once only those that fit are done.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ledger.accounts import AccountId
from ledger.drafts import digest_of
from ledger.errors import Refused
from ledger.limits import day_around
from ledger.money import MAX_AMOUNT, Amount, Denom
from ledger.outbox import news
from ledger.ports import Selects
from ledger.shared import (
    SQL,
    MemberRole,
    Membership,
    Share,
    facts_of,
    joined_of,
    require_member,
)
from ledger.transfers import MAX_NOTE
from ledger.units import AS_POSTED, Beside, Decision, Entry, Posting, Receipt, Row, Unit, View

NOTABLE_PARTS: Final = 10
"""The other admins hear of a spend that is at least this part of what was there: a tenth."""


class Fill(NamedTuple):
    """What member ``by`` puts from their own balance into ``account``; ``amount`` None is all of it."""

    account: AccountId
    by: AccountId
    amount: Amount | None
    denom: Denom


class Spend(NamedTuple):
    """What member ``by`` pays person ``to`` out of ``account``; ``amount`` None is all that is in it."""

    account: AccountId
    by: AccountId
    to: AccountId
    amount: Amount | None
    denom: Denom
    note: str = ""


class Outgo(NamedTuple):
    """What leaves ``account`` by the word of ``person``, in base units: what limits and balance are held against."""

    account: AccountId
    person: AccountId
    amount: Amount
    denom: Denom


def fill_unit(key: str, fill: Fill, beside: Beside | None = None) -> Unit[Receipt]:
    """Return the unit that puts coins into a shared account.

    Its decision refuses with ``not_positive``, ``amount_too_large``, those of `shared.require_member`,
    ``nothing_to_send`` (all of nothing), and ``insufficient_balance``.
    """
    digest = digest_of({"act": "shared_deposit", **fill._asdict()})

    def decide(view: View) -> Decision[Receipt]:
        _check_amount(fill.amount)
        require_member(view, fill.account, fill.by, MemberRole.VIEW)
        amount = view.balance(fill.by, fill.denom) if fill.amount is None else fill.amount
        if amount == 0:
            raise Refused("nothing_to_send", denom=fill.denom)
        posting = Posting(fill.by, fill.account, amount, fill.denom)
        return Decision(AS_POSTED, (Entry(key, digest, "shared_deposit", (posting,), fill.by),))

    return Unit(decide, key, digest, None, beside)


def spend_unit(
    key: str, spend: Spend, told: Mapping[str, Any], beside: Beside | None = None
) -> Unit[Receipt]:
    """Return the unit that pays somebody out of a shared account; ``told`` are facts for the news of it.

    Its decision refuses with ``not_positive``, ``amount_too_large``, ``note_too_long``, those of
    `shared.require_member`, ``not_a_user``, ``unknown_account``, ``shared_nothing`` (all of nothing), those of
    `require_within`, ``shared_insufficient``.
    """
    digest = digest_of({"act": "shared_spend", **spend._asdict()})

    def decide(view: View) -> Decision[Receipt]:
        _check_amount(spend.amount)
        if len(spend.note) > MAX_NOTE:
            raise Refused("note_too_long", length=len(spend.note), limit=MAX_NOTE)
        share = require_member(view, spend.account, spend.by, MemberRole.SPEND)
        if spend.to <= 0:
            raise Refused("not_a_user", account=spend.to)
        if not view.exists(spend.to):
            raise Refused("unknown_account", account=spend.to)
        outgo = Outgo(spend.account, spend.by, _outgoing(view, share, spend), spend.denom)
        require_within(view, view.now, share.membership, outgo)
        require_covered(view, share, outgo)
        posting = Posting(spend.account, spend.to, outgo.amount, spend.denom)
        entry = Entry(key, digest, "shared_spend", (posting,), spend.by, spend.note)
        rows = (spent_row(view, outgo), *_news(view, share, spend, outgo.amount, told))
        return Decision(AS_POSTED, (entry,), rows)

    return Unit(decide, key, digest, None, beside)


def _outgoing(view: View, share: Share, spend: Spend) -> Amount:
    if spend.amount is not None:
        return spend.amount
    balance = view.balance(spend.account, spend.denom)
    if balance == 0:
        raise Refused("shared_nothing", denom=spend.denom, **facts_of(share.account))
    return balance


def spent_lately(books: Selects, now: int, member: Membership, denom: Denom) -> Amount:
    """Return what a person took out of an account in the 24 hours before ``now``."""
    facts = {"account": member.account, "person": member.person, "denom": denom, **day_around(now)}
    (row,) = books.select(SQL["spent_lately"], facts)
    return Amount(row["amount"])


def require_within(books: Selects, now: int, member: Membership, outgo: Outgo) -> None:
    """Refuse what is more than a member's limits leave.

    Raises Refused ``shared_other_coin``, ``shared_over_transaction_limit``, ``shared_over_day_limit``.
    """
    limits, amount, denom = member.limits, outgo.amount, outgo.denom
    if limits.denom is None:
        return
    if denom != limits.denom:
        raise Refused("shared_other_coin", denom=limits.denom)
    if limits.per_transaction is not None and amount > limits.per_transaction:
        raise Refused("shared_over_transaction_limit", most=limits.per_transaction, denom=denom)
    if limits.per_day is not None:
        left = max(0, limits.per_day - spent_lately(books, now, member, denom))
        if amount > left:
            raise Refused("shared_over_day_limit", most=limits.per_day, left=left, denom=denom)


def require_covered(view: View, share: Share, outgo: Outgo) -> None:
    """Refuse what an account does not hold. Raises Refused ``shared_insufficient``."""
    balance = view.balance(outgo.account, outgo.denom)
    if balance < outgo.amount:
        facts = facts_of(share.account)
        raise Refused("shared_insufficient", needed=outgo.amount, balance=balance, denom=outgo.denom, **facts)


def spent_row(view: View, outgo: Outgo) -> Row:
    """Return the row that counts against the limits of a day; the posting of it is the next one."""
    facts = {**outgo._asdict(), "id": view.next_transaction_id, "at": view.now}
    return Row(SQL["spent"], facts, changes=1)


def _check_amount(amount: int | None) -> None:
    if amount is None:
        return
    if amount <= 0:
        raise Refused("not_positive", amount=amount)
    if amount > MAX_AMOUNT:
        raise Refused("amount_too_large", amount=amount)


def _news(view: View, share: Share, spend: Spend, amount: int, told: Mapping[str, Any]) -> list[Row]:
    """Tell who was paid, and the other admins when it was much of what was there."""
    facts = {
        **told,
        **facts_of(share.account),
        "amount": amount,
        "denom": spend.denom,
        "note": spend.note,
        "receipt": view.next_transaction_id,
    }
    paid = [] if spend.to == spend.by else [news("shared.received", spend.to, facts, view.now)]
    if amount * NOTABLE_PARTS < view.balance(spend.account, spend.denom):
        return paid
    heard = [
        news("shared.spent", each.person, facts, view.now)
        for each in joined_of(view, spend.account, but=spend.by)
        if each.role is MemberRole.ADMIN and each.person != spend.to
    ]
    return [*paid, *heard]
