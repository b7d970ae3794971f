"""Claims of a giveaway, and its end: pure decisions over what the escrow holds now (product.md, Giveaway).

When a giveaway is over, by its last claim, by its time or by an order, whatever the escrow holds goes back in the same
unit: it ends at exactly 0.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from ledger.accounts import BOT_TREASURY, AccountId
from ledger.adminaudit import Order, logged
from ledger.drafts import Draft, digest_of
from ledger.errors import Refused
from ledger.jails import is_jailed
from ledger.money import Amount
from ledger.offers import FIND, Giveaway, GiveawayState, Mode, facts_of, find, note_of
from ledger.outbox import live, news
from ledger.packets import equal_shares, packets_of
from ledger.ports import Millis, Selects
from ledger.queries import queries
from ledger.roles import Actor, Role, role_of
from ledger.units import Decision, Entry, Posting, Row, View

CHANGED: Final = "giveaway.changed"
"""The live row of a giveaway's card."""
_HOUR_MS: Final = 3_600_000

_SQL: Final = queries("giveaways")
CLAIM_OF: Final = _SQL["claim_of"]
_CLAIMANTS: Final = _SQL["claimants"]
_CLAIM: Final = _SQL["claim"]
_END: Final = _SQL["end"]
_ACCOUNT_SINCE: Final = _SQL["account_since"]


class Press(NamedTuple):
    """Somebody's wish for a slot, and the chat where it was pressed."""

    giveaway: int
    claimant: AccountId
    chat: int


class Claim(NamedTuple):
    """Somebody's claim, number ``number``; ``amount`` None: it is paid at the end."""

    giveaway: Giveaway
    number: int
    amount: Amount | None


class Over(NamedTuple):
    """A giveaway that ended or was cancelled, and what went back to its funder, in base units."""

    giveaway: Giveaway
    returned: Amount


class Eligibility(NamedTuple):
    """Who may claim in a chat. ``newcomer_hours``: accounts younger than this may not."""

    creator: bool = False
    jailed: bool = False
    newcomer_hours: int = 0


Rules = Callable[[Selects], Eligibility]
"""Looks up, inside the writer, who may claim."""


def decide_claim(view: View, key: str, press: Press, rules: Rules) -> Decision[Claim]:
    """Give whoever pressed the next slot; the last one ends the giveaway.

    Raises Refused, in this order: ``giveaway_unknown``, ``giveaway_elsewhere``, ``giveaway_claimed``,
    ``giveaway_over``, ``unknown_account``, ``giveaway_own``, ``giveaway_jailed``, ``giveaway_newcomer``.
    """
    giveaway, claimant = press.giveaway, press.claimant
    found = find(view, giveaway)
    if found.chat != press.chat:
        raise Refused("giveaway_elsewhere", giveaway=giveaway)
    if view.select(CLAIM_OF, (giveaway, claimant)):
        raise Refused("giveaway_claimed", giveaway=giveaway)
    if not found.is_open(view.now):
        raise Refused("giveaway_over", giveaway=giveaway)
    _require_eligible(view, found, claimant, rules(view))
    number = found.claimed + 1
    draft = Draft(view)
    amount = _packet(view, found, number)
    posting = None
    if amount is not None:
        moved = Posting(found.escrow, claimant, amount, found.denom)
        digest = claim_digest(press)
        posting = draft.post(Entry(key, digest, "giveaway_claim", (moved,), claimant, note_of(giveaway)))
    facts = {"giveaway": giveaway, "number": number, "claimant": claimant, "posting": posting, "at": view.now}
    draft.write(Row(_CLAIM, facts, changes=1))
    claimed = found._replace(claimed=number)
    if number == found.slots:
        joined = [*_claimants(view, giveaway), claimant]
        over = _finish(draft, claimed, GiveawayState.ENDED, joined)
        _tell_funder(draft, over)
        claimed = over.giveaway
    draft.write(_shown_anew(claimed, view.now))
    return Decision(Claim(claimed, number, amount), tuple(draft.entries), tuple(draft.rows))


def _require_eligible(view: View, giveaway: Giveaway, claimant: AccountId, rules: Eligibility) -> None:
    since = view.select(_ACCOUNT_SINCE, (claimant,))
    if not since:
        raise Refused("unknown_account", account=claimant)
    if claimant == giveaway.creator and not rules.creator:
        raise Refused("giveaway_own")
    if not rules.jailed and is_jailed(view, giveaway.chat, claimant, view.now):
        raise Refused("giveaway_jailed")
    if view.now - since[0]["created_at"] < rules.newcomer_hours * _HOUR_MS:
        raise Refused("giveaway_newcomer", hours=rules.newcomer_hours)


def _packet(view: View, giveaway: Giveaway, number: int) -> Amount | None:
    """Return what claim ``number`` is paid at once, None for nothing."""
    if giveaway.mode is Mode.EQUAL:
        return None
    if giveaway.mode is Mode.FIRST:
        return equal_shares(giveaway.total, giveaway.slots).share
    (row,) = view.select(FIND, (giveaway.id,))
    return packets_of(row["seed"], giveaway.total, giveaway.slots)[number - 1]


def claim_digest(press: Press) -> bytes:
    """Return the digest of a claim; where it was pressed is looked at, but makes no other claim of it."""
    return digest_of({"giveaway": press.giveaway, "claimant": press.claimant})


def _claimants(view: View, giveaway: int) -> list[AccountId]:
    return [AccountId(row["claimant"]) for row in view.select(_CLAIMANTS, (giveaway,))]


# The end


def _finish(draft: Draft, giveaway: Giveaway, state: GiveawayState, joined: Sequence[AccountId]) -> Over:
    """Pay who ``joined`` what was kept for the end, give back what is left, and end it in ``state``."""
    if giveaway.mode is Mode.EQUAL and state is GiveawayState.ENDED and joined:
        share = equal_shares(giveaway.total, len(joined)).share
        postings = tuple(Posting(giveaway.escrow, each, share, giveaway.denom) for each in joined)
        _post(draft, giveaway, "split", "giveaway_claim", postings)
    rest = draft.balance(giveaway.escrow, giveaway.denom)
    if rest:
        posting = Posting(giveaway.escrow, giveaway.funder, rest, giveaway.denom)
        _post(draft, giveaway, "rest", "giveaway_returned", (posting,))
    facts = {"id": giveaway.id, "state": state.value, "at": draft.view.now}
    draft.write(Row(_END, facts, changes=1))
    seed = draft.view.select(FIND, (giveaway.id,))[0]["seed"]
    return Over(giveaway._replace(state=state, seed=seed), rest)


def _post(draft: Draft, giveaway: Giveaway, step: str, kind: str, postings: tuple[Posting, ...]) -> None:
    """Post a step that a giveaway takes once: its key says which."""
    key = key_of(giveaway.id, step)
    inputs = {"postings": [list(posting) for posting in postings]}
    draft.post(Entry(key, digest_of(inputs), kind, postings, note=note_of(giveaway.id)))


def key_of(giveaway: int, step: str) -> str:
    """Return the key of a step that a giveaway takes once."""
    return f"giveaway:{giveaway}:{step}"


def _tell_funder(draft: Draft, over: Over) -> None:
    """Tell the creator what came back, where nobody is looking at an answer that says so."""
    if over.returned:
        facts = {**facts_of(over.giveaway), "returned": over.returned}
        draft.write(news("giveaway.ended", over.giveaway.creator, facts, draft.view.now))


def _shown_anew(giveaway: Giveaway, at: Millis) -> Row:
    return live(CHANGED, giveaway.chat, giveaway.subject, {"giveaway": giveaway.id}, at)


def decide_end(view: View, giveaway: int) -> Decision[Over]:
    """End a giveaway whose time has come. Raises Refused ``giveaway_over``, ``giveaway_early``."""
    found = find(view, giveaway)
    if found.state is not GiveawayState.ACTIVE:
        raise Refused("giveaway_over", giveaway=giveaway)
    if view.now < found.expires_at:
        raise Refused("giveaway_early", giveaway=giveaway)
    draft = Draft(view)
    over = _finish(draft, found, GiveawayState.ENDED, _claimants(view, giveaway))
    _tell_funder(draft, over)
    draft.write(_shown_anew(over.giveaway, view.now))
    return Decision(over, tuple(draft.entries), tuple(draft.rows))


def decide_cancel(view: View, giveaway: int, by: Actor, reason: str = "") -> Decision[Over]:
    """Give back what is not claimed. Creators cancel their own; admins any, with a reason, as for the treasury's.

    Raises Refused, in this order: ``giveaway_unknown``, ``giveaway_not_yours``, ``giveaway_over``,
    ``reason_missing``, ``reason_too_long``.
    """
    found = find(view, giveaway)
    role, own = role_of(view, by), found.creator == by.account
    if not own and role < Role.ADMIN:
        raise Refused("giveaway_not_yours", giveaway=giveaway)
    if not found.is_open(view.now):
        raise Refused("giveaway_over", giveaway=giveaway)
    draft = Draft(view)
    over = _finish(draft, found, GiveawayState.CANCELLED, ())
    if not own or found.funder == BOT_TREASURY:
        after = {"giveaway": giveaway, "returned": over.returned, "claimed": found.claimed}
        order = Order("giveaway.cancelled", reason, found.funder, found.chat, after=after)
        draft.write(logged(by, role, order, view.now))
    if not own:
        _tell_funder(draft, over)
    draft.write(_shown_anew(over.giveaway, view.now))
    return Decision(over, tuple(draft.entries), tuple(draft.rows))
