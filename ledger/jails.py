"""Jails: for a time somebody may not speak in a chat, unless bail is paid, by themselves or by a friend.

End and bail are fixed when a jail is set. The payment of bail and the end of the jail are one unit; what Telegram lets
a person do follows through the outbox, by a live row that the notifier keeps until the two agree.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

from ledger.accounts import BOT_TREASURY, AccountId
from ledger.adminaudit import Order, logged
from ledger.drafts import Draft, digest_of
from ledger.errors import Refused
from ledger.fines import Price, checked_price
from ledger.money import Amount, Denom
from ledger.outbox import live, news
from ledger.ports import Millis, Selects
from ledger.rights import forgotten_rights, rights_rows
from ledger.roles import Role, require_role
from ledger.units import Beside, Decision, Entry, Posting, Receipt, Row, Unit, View
from ledger.violations import SQL, Case, Kind, record

MINUTE_MS: Final = 60_000
SHORTEST_MS: Final = MINUTE_MS
LONGEST_MS: Final = 365 * 24 * 60 * MINUTE_MS
"""Telegram takes a restriction of more than 366 days for one that never ends."""
MOST: Final = 100

CHANGED: Final = "jail.changed"
"""The live row that shows a jail as it is."""


class Jail(NamedTuple):
    """A jail as the books have it; ``state`` is serving, served, bailed, released or superseded."""

    id: int
    person: AccountId
    chat: int
    from_at: Millis
    until_at: Millis
    bail: Amount
    denom: Denom
    usd_cents: int | None
    state: str
    reason: str
    ended_by: AccountId | None = None
    ended_at: Millis | None = None


class BailTerms(NamedTuple):
    """What bail is where nobody names it, in base units: for each started minute of the sentence, a minimum at least."""

    denom: Denom
    minimum: Amount
    per_minute: Amount

    def bail(self, duration_ms: int) -> Price:
        """Return the bail of a whole sentence of ``duration_ms``. It is fixed when the sentence begins."""
        minutes = -(-duration_ms // MINUTE_MS)
        return Price(Amount(max(self.minimum, minutes * self.per_minute)), self.denom)


def decide_jail(
    view: View, case: Case, duration_ms: int, bail: Price, owners: Collection[int]
) -> Decision[Jail]:
    """Jail somebody from now on. A longer jail takes the place of a shorter one, with a bail of its own.

    Raises what `record` and `checked_price` raise, and Refused: ``duration_too_short``, ``duration_too_long``,
    ``jail_stands`` when they serve one that ends no sooner.
    """
    _check_duration(duration_ms)
    checked_price(bail)
    case = case._replace(chat=where_now(view, case.chat))
    until = Millis(view.now + duration_ms)
    standing = jail_of(view, case.chat, case.person)
    facts = {"until_at": until, "bail": bail.amount, "denom": bail.denom, "usd_cents": bail.usd_cents}
    number, rows = record(view, case, Kind.JAIL, owners, facts)
    if standing is not None and standing.until_at >= until:
        raise Refused("jail_stands", **facts_of(standing))
    if standing is not None:
        rows += [
            _ended(view, standing, "superseded", case.by.account, successor=number),
            _card(view, standing),
        ]
    jail = Jail(number, case.person, case.chat, view.now, until, *bail, "serving", case.reason.strip())
    columns = {"id": number, "person": case.person, "chat": case.chat, "from_at": view.now, **facts}
    rows.append(Row(SQL["insert_jail"], columns, changes=1))
    rows += rights_rows(case.chat, case.person, view.now)
    rows.append(news("person.jailed", case.person, {**case.told, **facts_of(jail)}, view.now))
    return Decision(jail, rows=tuple(rows))


def _check_duration(duration_ms: int) -> None:
    if duration_ms < SHORTEST_MS:
        raise Refused("duration_too_short", minutes=SHORTEST_MS // MINUTE_MS)
    if duration_ms > LONGEST_MS:
        raise Refused("duration_too_long", days=LONGEST_MS // (24 * 60 * MINUTE_MS))


def decide_release(view: View, case: Case) -> Decision[Jail]:
    """Let the person of ``case`` go before the end, on an admin's order; nothing moves.

    Raises Refused: ``role_too_low``, ``reason_missing``, ``reason_too_long``, ``jail_none``.
    """
    role = require_role(view, case.by, Role.ADMIN)
    case = case._replace(chat=where_now(view, case.chat))
    standing = jail_of(view, case.chat, case.person)
    if standing is None:
        raise Refused("jail_none", account=case.person)
    before, after = {"until_at": standing.until_at}, {"jail": standing.id}
    order = Order("person.released", case.reason, case.person, case.chat, before, after)
    jail = _freed(standing, "released", case.by.account, view.now)
    rows = (_ended(view, standing, "released", case.by.account), logged(case.by, role, order, view.now))
    return Decision(jail, rows=(*rows, *_freeing(view, jail, case.told)))


def decide_bail(
    view: View, key: str, payer: AccountId, number: int, told: Mapping[str, Any]
) -> Decision[Jail]:
    """Pay the bail of jail ``number`` out of ``payer``'s balance, and free whoever serves it.

    Raises Refused: ``jail_unknown``, ``jail_ended`` (somebody was faster), ``jail_over`` (its time has passed, so
    nobody is charged), ``insufficient_balance``.
    """
    standing = find_jail(view, number)
    if standing is None:
        raise Refused("jail_unknown", jail=number)
    if standing.state != "serving":
        raise Refused("jail_ended", jail=number, state=standing.state)
    if view.now >= standing.until_at:
        raise Refused("jail_over", jail=number)
    balance = view.balance(payer, standing.denom)
    if balance < standing.bail:
        raise Refused("insufficient_balance", balance=balance, needed=standing.bail, denom=standing.denom)
    draft = Draft(view)
    posting = Posting(payer, BOT_TREASURY, standing.bail, standing.denom)
    entry = Entry(key, bail_digest(payer, number), "bail", (posting,), actor=payer, note=f"jail {number}")
    first = draft.post(entry)
    jail = _freed(standing, "bailed", payer, view.now)
    draft.write(_ended(view, standing, "bailed", payer, posting=first), *_freeing(view, jail, told))
    return Decision(jail, tuple(draft.entries), tuple(draft.rows))


def decide_end(view: View, number: int) -> Decision[Jail]:
    """End a jail whose time has come. Raises Refused: ``jail_unknown``, ``jail_ended``, ``jail_not_over``."""
    standing = find_jail(view, number)
    if standing is None:
        raise Refused("jail_unknown", jail=number)
    if standing.state != "serving":
        raise Refused("jail_ended", jail=number, state=standing.state)
    if view.now < standing.until_at:
        raise Refused("jail_not_over", jail=number)
    jail = _freed(standing, "served", AccountId(0), view.now)
    return Decision(jail, rows=(_ended(view, standing, "served", AccountId(0)), *_freeing(view, jail, {})))


def _freed(jail: Jail, state: str, by: AccountId, at: Millis) -> Jail:
    return jail._replace(state=state, ended_by=by, ended_at=at)


def _ended(
    view: View,
    jail: Jail,
    state: str,
    by: AccountId,
    *,
    posting: int | None = None,
    successor: int | None = None,
) -> Row:
    facts = {"id": jail.id, "state": state, "posting": posting, "successor": successor, "by": by}
    return Row(SQL["end_jail"], {**facts, "at": view.now}, changes=1)


def _freeing(view: View, jail: Jail, told: Mapping[str, Any]) -> list[Row]:
    """Return what follows of an end: the notice changes, rights come back, the person is told unless they paid."""
    rows = [_card(view, jail), *rights_rows(jail.chat, jail.person, view.now)]
    if jail.ended_by != jail.person:
        rows.append(news("person.freed", jail.person, {**told, **facts_of(jail)}, view.now))
    return rows


def _card(view: View, jail: Jail) -> Row:
    return live(CHANGED, jail.chat, card_subject(jail.id), {"jail": jail.id}, view.now)


def card_subject(jail: int) -> str:
    """Return the subject of a jail's notice, which also names its buttons."""
    return f"jail:{jail}"


def where_now(books: Selects, chat: int) -> int:
    """Return ``chat``, or the supergroup that it became while the command was on its way."""
    rows = books.select(SQL["moved_to"], (chat,))
    return rows[0]["migrated_to"] if rows else chat


def moved_rows(view: View, old: int, new: int) -> tuple[list[Jail], list[Row]]:
    """Return who serves in group ``old``, and the rows that take them along to ``new``, the supergroup it became.

    To be written after the group's own row says where it went. Whoever serves in both serves what ends last.
    """
    rows: list[Row] = []
    moved: list[Jail] = []
    for jail in serving_in(view, old, limit=-1):
        rows.append(forgotten_rights(old, jail.person))
        there = jail_of(view, new, jail.person)
        if there is not None and there.until_at >= jail.until_at:
            rows.append(_ended(view, jail, "superseded", AccountId(0), successor=there.id))
            continue
        if there is not None:
            rows += [
                _ended(view, there, "superseded", AccountId(0), successor=jail.id),
                _card(view, there),
            ]
        rows.append(Row(SQL["move_jail"], {"id": jail.id, "new": new}, changes=1))
        rows += rights_rows(new, jail.person, view.now)
        moved.append(jail._replace(chat=new))
    return moved, rows


def jail_unit(
    case: Case, duration_ms: int, bail: Price, owners: Collection[int], beside: Beside | None = None
) -> Unit[Jail]:
    """Return the unit of `decide_jail`; what makes it happen once stands in ``beside`` (the inbox row's end)."""
    return Unit(lambda view: decide_jail(view, case, duration_ms, bail, owners), beside=beside)


def bail_unit(
    key: str, payer: AccountId, number: int, told: Mapping[str, Any], beside: Beside | None = None
) -> Unit[Jail]:
    """Return the unit of `decide_bail` under ``key`` (a message, a press)."""
    return Unit(
        lambda view: decide_bail(view, key, payer, number, told),
        key=key,
        digest=bail_digest(payer, number),
        recall=_recall,
        beside=beside,
    )


def bail_digest(payer: AccountId, jail: int) -> bytes:
    """Return the digest of a bail's inputs."""
    return digest_of({"payer": payer, "jail": jail})


def _recall(view: View, receipt: Receipt) -> Jail:
    return _jail_of(view.select(SQL["bailed_by_entry"], (receipt.entry_id,))[0])


def facts_of(jail: Jail) -> dict[str, Any]:
    """Return what news and answers say of a jail."""
    return {"jail": jail.id, **{name: getattr(jail, name) for name in Jail._fields if name != "id"}}


def is_jailed(books: Selects, chat: int, person: AccountId, now: Millis) -> bool:
    """Tell whether ``person`` is in jail in ``chat`` at ``now``: one whose end has come is free, swept away or not."""
    found = jail_of(books, chat, person)
    return found is not None and now < found.until_at


def jail_of(books: Selects, chat: int, person: AccountId) -> Jail | None:
    """Return the jail that ``person`` serves in ``chat``, or None."""
    rows = books.select(SQL["serving"], (chat, person))
    return _jail_of(rows[0]) if rows else None


def newest_jail(books: Selects, chat: int, person: AccountId) -> Jail | None:
    """Return the newest jail of ``person`` in ``chat``, over or not, or None."""
    rows = books.select(SQL["newest_here"], (chat, person))
    return _jail_of(rows[0]) if rows else None


def find_jail(books: Selects, number: int) -> Jail | None:
    """Return jail ``number``, or None."""
    rows = books.select(SQL["jail"], (number,))
    return _jail_of(rows[0]) if rows else None


def serving_in(books: Selects, chat: int, limit: int = MOST) -> list[Jail]:
    """Return who serves in ``chat``, the next to be free first; a negative ``limit``: all of them."""
    return [_jail_of(row) for row in books.select(SQL["serving_in"], (chat, limit))]


def serving_anywhere(books: Selects, person: AccountId, limit: int = MOST) -> list[Jail]:
    """Return the jails that ``person`` serves, in whatever chat."""
    return [_jail_of(row) for row in books.select(SQL["serving_anywhere"], (person, limit))]


def due_jails(books: Selects, now: Millis, limit: int) -> Sequence[int]:
    """Return the jails whose end had come at ``now``."""
    return [row["id"] for row in books.select(SQL["due"], (now, limit))]


def _jail_of(row: Any) -> Jail:
    return Jail(*row)
