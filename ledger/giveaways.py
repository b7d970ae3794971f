"""The book of giveaways: how one begins, and the way of everything else about it to the journal (product.md).

`offers` tells what a giveaway is, `claims` decides who gets what, `packets` cuts the total.
"""

from collections.abc import Mapping
from typing import Any, Final

from ledger.accounts import BOT_TREASURY, AccountId, escrow_account
from ledger.adminaudit import Order, logged
from ledger.claims import (
    CLAIM_OF,
    Claim,
    Over,
    Press,
    Rules,
    claim_digest,
    decide_cancel,
    decide_claim,
    decide_end,
    key_of,
)
from ledger.drafts import digest_of
from ledger.errors import Refused
from ledger.jails import where_now
from ledger.journal import Journal
from ledger.money import MAX_AMOUNT, Amount
from ledger.offers import (
    LONGEST_SECONDS,
    MOST_SLOTS,
    SHORTEST_SECONDS,
    Giveaway,
    GiveawayState,
    Mode,
    Offer,
    find,
    note_of,
)
from ledger.packets import commitment_of, equal_shares
from ledger.payments import require_spendable
from ledger.ports import Millis
from ledger.queries import queries
from ledger.reader import Reader
from ledger.roles import Actor, Role, require_role
from ledger.units import Beside, Decision, Entry, Posting, Receipt, Row, Unit, View

_SQL: Final = queries("giveaways")
_NEXT: Final = _SQL["next"]
_ESCROW: Final = _SQL["escrow"]
_INSERT: Final = _SQL["insert"]
_BY_FUNDING: Final = _SQL["by_funding"]
_CLAIMS: Final = _SQL["claims"]
_DUE: Final = _SQL["due"]
_NEXT_DUE: Final = _SQL["next_due"]
_ACTIVE_OF: Final = _SQL["active_of"]
_ACTIVE_IN: Final = _SQL["active_in"]
_MOVE: Final = _SQL["move"]
_RETURNED: Final = _SQL["returned"]


def decide_create(view: View, key: str, offer: Offer, by: Actor, seed: str) -> Decision[Giveaway]:
    """Pay ``offer.total`` into a new escrow. ``seed`` is secret, and used by mode random alone.

    Raises Refused, in this order: ``amount_too_large``, ``giveaway_slots``, ``giveaway_small`` (less than a base unit
    for each slot), ``giveaway_lasts``; from the treasury ``role_too_low``, ``reason_missing``, ``reason_too_long``,
    ``treasury_too_low``; else ``insufficient_balance``.
    """
    _check(offer)
    digest = _digest(offer)
    offer = offer._replace(chat=where_now(view, offer.chat))
    number = int(view.select(_NEXT)[0]["id"])
    audited = [_audited(view, offer, number, by)] if offer.funder == BOT_TREASURY else []
    _require_covered(view, offer)
    posting = Posting(offer.funder, escrow_account(number), offer.total, offer.denom)
    entry = Entry(key, digest, "giveaway", (posting,), offer.creator, note_of(number))
    secret = seed if offer.mode is Mode.RANDOM else None
    begun = _begun(view, offer, number, secret)
    rows = _rows(begun, {"funding": view.next_transaction_id, "seed": secret, "at": view.now})
    return Decision(begun, (entry,), (*audited, *rows))


def _begun(view: View, offer: Offer, number: int, secret: str | None) -> Giveaway:
    return Giveaway(
        number,
        *(offer.creator, offer.funder, offer.chat, offer.denom, offer.total, offer.slots, offer.mode),
        state=GiveawayState.ACTIVE,
        created_at=view.now,
        expires_at=Millis(view.now + 1000 * offer.lasts_seconds),
        claimed=0,
        commitment=secret and commitment_of(secret),
        seed=None,
    )


def _rows(begun: Giveaway, more: Mapping[str, Any]) -> list[Row]:
    """Return the rows of a giveaway and its escrow; ``more`` is what a `Giveaway` does not tell."""
    escrow = {"id": begun.escrow, "name": note_of(begun.id), "at": begun.created_at}
    return [Row(_ESCROW, escrow, changes=1), Row(_INSERT, {**begun._asdict(), **more}, changes=1)]


def _check(offer: Offer) -> None:
    if offer.total > MAX_AMOUNT:
        raise Refused("amount_too_large", amount=offer.total)
    if not 1 <= offer.slots <= MOST_SLOTS:
        raise Refused("giveaway_slots", typed=str(offer.slots), limit=MOST_SLOTS)
    if offer.total < offer.slots:
        raise Refused("giveaway_small", amount=offer.total, denom=offer.denom, slots=offer.slots)
    if not SHORTEST_SECONDS <= offer.lasts_seconds <= LONGEST_SECONDS:
        raise Refused("giveaway_lasts")


def _audited(view: View, offer: Offer, number: int, by: Actor) -> Row:
    role = require_role(view, by, Role.ADMIN)
    after = {"giveaway": number, "total": offer.total, "denom": offer.denom, "slots": offer.slots}
    order = Order("giveaway.created", offer.reason, BOT_TREASURY, offer.chat, after=after)
    return logged(by, role, order, view.now)


def _require_covered(view: View, offer: Offer) -> None:
    if offer.funder == BOT_TREASURY:
        require_spendable(view, offer.total, offer.denom)
    elif (balance := view.balance(offer.funder, offer.denom)) < offer.total:
        raise Refused("insufficient_balance", balance=balance, needed=offer.total, denom=offer.denom)


def _digest(offer: Offer) -> bytes:
    """Return the digest of what makes two orders the same; the seed is drawn anew for each delivery."""
    return digest_of(offer._asdict())


def moved_rows(view: View, old: int, new: int) -> tuple[list[Giveaway], list[Row]]:
    """Return what is under way in group ``old``, and the row that takes it to ``new``, the supergroup it became."""
    found = [find(view, row["id"])._replace(chat=new) for row in view.select(_ACTIVE_IN, (old,))]
    return found, [Row(_MOVE, {"old": old, "new": new}, changes=len(found))]


class Giveaways:
    """The book of giveaways; it ends by itself what has expired (deadlines.py)."""

    def __init__(self, journal: Journal, reader: Reader) -> None:
        self._journal = journal
        self._reader = reader

    async def create(
        self, offer: Offer, by: Actor, *, key: str, seed: str, beside: Beside | None = None
    ) -> Giveaway:
        """Begin a giveaway; raises what `decide_create` raises."""

        def recall(view: View, receipt: Receipt) -> Giveaway:
            return find(view, view.select(_BY_FUNDING, (receipt.entry_id,))[0]["id"])

        unit = Unit(
            lambda view: decide_create(view, key, offer, by, seed),
            key=key,
            digest=_digest(offer),
            recall=recall,
            beside=beside,
        )
        return await self._journal.submit(unit)

    async def claim(self, press: Press, rules: Rules, *, key: str, beside: Beside | None = None) -> Claim:
        """Claim a slot; raises what `decide_claim` raises. The same key again is told the same claim."""

        def recall(view: View, _receipt: Receipt) -> Claim:
            (row,) = view.select(CLAIM_OF, (press.giveaway, press.claimant))
            return Claim(find(view, press.giveaway), row["number"], row["amount"])

        unit = Unit(
            lambda view: decide_claim(view, key, press, rules),
            key=key,
            digest=claim_digest(press),
            recall=recall,
            beside=beside,
        )
        return await self._journal.submit(unit)

    async def cancel(
        self, giveaway: int, by: Actor, *, reason: str = "", beside: Beside | None = None
    ) -> Over:
        """Cancel a giveaway; raises what `decide_cancel` raises. It guards itself: the first one counts."""
        unit = Unit(lambda view: decide_cancel(view, giveaway, by, reason), beside=beside)
        return await self._journal.submit(unit)

    def due(self, now: Millis, limit: int) -> list[Unit[Any]]:
        """See `Timed.due`."""
        return [_ending(row["id"]) for row in self._reader.select(_DUE, (now, limit))]

    def next_due(self) -> Millis | None:
        """See `Timed.next_due`."""
        at: Millis | None = self._reader.select(_NEXT_DUE)[0]["at"]
        return at

    def get(self, giveaway: int) -> Giveaway:
        """Return a giveaway as it stands; raises Refused ``giveaway_unknown``."""
        return find(self._reader, giveaway)

    def active_of(self, creator: AccountId, limit: int = 10) -> list[Giveaway]:
        """Return what ``creator`` has under way, the newest first."""
        return [self.get(row["id"]) for row in self._reader.select(_ACTIVE_OF, (creator, limit))]

    def returned(self, giveaway: int) -> Amount:
        """Return what went back to the funder of a giveaway that is over, in base units."""
        rows = self._reader.select(_RETURNED, (key_of(giveaway, "rest"),))
        return Amount(rows[0]["amount"] if rows else 0)

    def paid(self, giveaway: Giveaway, limit: int) -> list[tuple[AccountId, Amount]]:
        """Return the first ``limit`` claimants of a giveaway that is over, and what each got; nothing where none did."""
        rows = self._reader.select(_CLAIMS, {"giveaway": giveaway.id, "limit": limit})
        if giveaway.mode is not Mode.EQUAL:
            return [(row["claimant"], row["amount"]) for row in rows]
        if giveaway.state is not GiveawayState.ENDED:
            return []
        share = equal_shares(giveaway.total, max(giveaway.claimed, 1)).share
        return [(row["claimant"], share) for row in rows]


def _ending(giveaway: int) -> Unit[Over]:
    return Unit(lambda view: decide_end(view, giveaway))
