"""Fines: owed from the moment they are set, in the amount that was set; paid into BOT_TREASURY, or forgiven."""

from collections.abc import Collection, Mapping
from typing import Any, Final, NamedTuple

from ledger.accounts import BOT_TREASURY, AccountId
from ledger.adminaudit import Order, logged
from ledger.drafts import Draft, digest_of
from ledger.errors import Refused
from ledger.money import MAX_AMOUNT, Amount, Denom
from ledger.outbox import news
from ledger.ports import Millis, Selects
from ledger.roles import Actor, Role, require_role
from ledger.units import Beside, Decision, Entry, Posting, Receipt, Row, Unit, View
from ledger.violations import SQL, Case, Kind, record

MOST_AT_ONCE: Final = 50
"""Fines that one payment settles: the oldest of those that are owed."""


class Price(NamedTuple):
    """An amount of a fine or of bail, in base units. ``usd_cents``: it was typed in dollars, and frozen at this."""

    amount: Amount
    denom: Denom
    usd_cents: int | None = None


class Fine(NamedTuple):
    """A fine as the books have it; ``state`` is owed, paid or forgiven."""

    id: int
    person: AccountId
    chat: int
    amount: Amount
    denom: Denom
    usd_cents: int | None
    state: str
    reason: str
    at: Millis


def checked_price(price: Price) -> Price:
    """Return ``price``. Raises Refused ``not_positive`` or ``amount_too_large``."""
    if price.amount <= 0:
        raise Refused("not_positive")
    if price.amount > MAX_AMOUNT:
        raise Refused("amount_too_large")
    return price


def decide_fine(view: View, case: Case, price: Price, owners: Collection[int]) -> Decision[Fine]:
    """Fine somebody; nothing moves before they pay. Raises what `record` and `checked_price` raise."""
    checked_price(price)
    facts = {"amount": price.amount, "denom": price.denom, "usd_cents": price.usd_cents}
    number, rows = record(view, case, Kind.FINE, owners, facts)
    rows.append(
        Row(SQL["insert_fine"], {**facts, "id": number, "person": case.person}, changes=1),
    )
    fine = Fine(number, case.person, case.chat, *price, "owed", case.reason.strip(), view.now)
    rows.append(news("person.fined", case.person, {**case.told, **facts_of(fine)}, view.now))
    return Decision(fine, rows=tuple(rows))


def decide_payment(view: View, key: str, payer: AccountId, fine: int | None) -> Decision[tuple[Fine, ...]]:
    """Pay one own fine, or (None) all that are owed, whole or not at all.

    Raises Refused: ``fine_unknown`` (another's is nobody's), ``fine_settled``, ``fines_none``,
    ``insufficient_balance``.
    """
    wanted = [_own(view, payer, fine)] if fine is not None else owed_by(view, payer, MOST_AT_ONCE)
    if not wanted:
        raise Refused("fines_none")
    for denom in dict.fromkeys(each.denom for each in wanted):
        needed = sum(each.amount for each in wanted if each.denom == denom)
        balance = view.balance(payer, denom)
        if balance < needed:
            raise Refused("insufficient_balance", balance=balance, needed=needed, denom=denom)
    draft = Draft(view)
    postings = tuple(Posting(payer, BOT_TREASURY, each.amount, each.denom) for each in wanted)
    note = ", ".join(f"fine {each.id}" for each in wanted[:3])
    first = draft.post(Entry(key, payment_digest(payer, fine), "fine", postings, actor=payer, note=note))
    for place, each in enumerate(wanted):
        draft.write(_settled(each, "paid", payer, view.now, posting=first + place))
    paid = tuple(each._replace(state="paid") for each in wanted)
    return Decision(paid, tuple(draft.entries), tuple(draft.rows))


def _own(view: View, payer: AccountId, number: int) -> Fine:
    found = find_fine(view, number)
    if found is None or found.person != payer:
        raise Refused("fine_unknown", fine=number)
    if found.state != "owed":
        raise Refused("fine_settled", fine=number, state=found.state)
    return found


def decide_forgiveness(
    view: View, by: Actor, number: int, reason: str, told: Mapping[str, Any]
) -> Decision[Fine]:
    """Forgive a fine that is still owed. ``told`` are facts for the news to whom it is forgiven.

    Raises Refused: ``role_too_low``, ``reason_missing``, ``reason_too_long``, ``fine_unknown``, ``fine_settled``.
    """
    role = require_role(view, by, Role.ADMIN)
    found = find_fine(view, number)
    if found is None:
        raise Refused("fine_unknown", fine=number)
    if found.state != "owed":
        raise Refused("fine_settled", fine=number, state=found.state)
    order = Order(
        "fine.forgiven",
        reason,
        found.person,
        found.chat,
        {"state": "owed"},
        {"state": "forgiven", "fine": number},
    )
    forgiven = found._replace(state="forgiven")
    rows = (
        _settled(found, "forgiven", by.account, view.now),
        logged(by, role, order, view.now),
        news("fine.forgiven", found.person, {**told, **facts_of(forgiven)}, view.now),
    )
    return Decision(forgiven, rows=rows)


def _settled(fine: Fine, state: str, by: AccountId, at: Millis, posting: int | None = None) -> Row:
    facts = {"id": fine.id, "state": state, "posting": posting, "by": by, "at": at}
    return Row(SQL["settle_fine"], facts, changes=1)


def fine_unit(case: Case, price: Price, owners: Collection[int], beside: Beside | None = None) -> Unit[Fine]:
    """Return the unit of `decide_fine`; what makes it happen once stands in ``beside`` (the inbox row's end)."""
    return Unit(lambda view: decide_fine(view, case, price, owners), beside=beside)


def payment_unit(
    key: str, payer: AccountId, fine: int | None, beside: Beside | None = None
) -> Unit[tuple[Fine, ...]]:
    """Return the unit of `decide_payment` under ``key``."""
    return Unit(
        lambda view: decide_payment(view, key, payer, fine),
        key=key,
        digest=payment_digest(payer, fine),
        recall=_recall,
        beside=beside,
    )


def payment_digest(payer: AccountId, fine: int | None) -> bytes:
    """Return the digest of a payment's inputs."""
    return digest_of({"payer": payer, "fine": fine})


def _recall(view: View, receipt: Receipt) -> tuple[Fine, ...]:
    return tuple(_fine_of(row) for row in view.select(SQL["paid_by_entry"], (receipt.entry_id,)))


def facts_of(fine: Fine) -> dict[str, Any]:
    """Return what news and answers say of a fine."""
    return {"fine": fine.id, **{name: getattr(fine, name) for name in Fine._fields if name != "id"}}


def find_fine(books: Selects, number: int) -> Fine | None:
    """Return fine ``number``, or None."""
    rows = books.select(SQL["fine"], (number,))
    return _fine_of(rows[0]) if rows else None


def owed_by(books: Selects, person: AccountId, limit: int = MOST_AT_ONCE) -> list[Fine]:
    """Return the oldest fines that ``person`` owes."""
    return [_fine_of(row) for row in books.select(SQL["owed"], (person, limit))]


def owed_count(books: Selects, person: AccountId) -> int:
    """Return how many fines ``person`` owes."""
    count: int = books.select(SQL["owed_count"], (person,))[0]["owed"]
    return count


def _fine_of(row: Any) -> Fine:
    return Fine(*row)
