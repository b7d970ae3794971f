"""How much may leave in a day, and from which amount on a second admin is asked (product.md, Withdraw).

A day is the 24 hours before the request, not the calendar's: nobody takes twice as much around midnight. Whatever came
back (returned, cancelled) does not count.
"""

from typing import Final, NamedTuple

from ledger.accounts import BOT_TREASURY, AccountId
from ledger.errors import Refused
from ledger.money import Amount, Denom
from ledger.ports import Selects
from ledger.queries import queries

DAY_MS: Final = 86_400_000

_LATELY: Final = queries("limits")["lately"]


class Limits(NamedTuple):
    """Limits of one denom, in base units without fees; None: there is none.

    ``user_per_day`` is each account's in any 24 hours, ``instance_per_day`` that of all together.
    ``approval_above``: a single withdrawal of more waits for a second admin.
    """

    user_per_day: Amount | None = None
    instance_per_day: Amount | None = None
    approval_above: Amount | None = None


UNLIMITED: Final = Limits()


class Wish(NamedTuple):
    """What an account wants to take out, in base units without the fee."""

    account: AccountId
    denom: Denom
    amount: int


class Taken(NamedTuple):
    """What withdrawals of a denom took out in the last 24 hours."""

    everyone: int
    own: int


def day_around(now: int) -> dict[str, int]:
    """Return the moments ``since`` and ``until`` between which an act counts against a day's limit.

    One of a clock that was ahead by less than a day counts, too. One from farther ahead would fill that day until then.
    """
    return {"since": now - DAY_MS + 1, "until": now + DAY_MS}


def taken_lately(books: Selects, now: int, account: AccountId, denom: Denom) -> Taken:
    """Return what left in the 24 hours before ``now``, for everyone and for ``account``."""
    (row,) = books.select(_LATELY, {"account": account, "denom": denom, **day_around(now)})
    return Taken(row["everyone"], row["own"])


def require_within(books: Selects, now: int, wish: Wish, limits: Limits) -> None:
    """Refuse ``wish`` when it is more than what is left of a limit. BOT_TREASURY has none of its own.

    Raises Refused ``withdrawal_over_own_limit``, ``withdrawal_over_total_limit``.
    """
    if limits.user_per_day is None and limits.instance_per_day is None:
        return
    account, denom, amount = wish
    taken = taken_lately(books, now, account, denom)
    own = None if account == BOT_TREASURY else limits.user_per_day
    if own is not None and taken.own + amount > own:
        raise Refused("withdrawal_over_own_limit", most=own, left=max(0, own - taken.own), denom=denom)
    total = limits.instance_per_day
    if total is not None and taken.everyone + amount > total:
        left = max(0, total - taken.everyone)
        raise Refused("withdrawal_over_total_limit", most=total, left=left, denom=denom)


def needs_approval(amount: int, limits: Limits) -> bool:
    """Tell whether a second admin is asked before ``amount`` leaves."""
    return limits.approval_above is not None and amount > limits.approval_above
