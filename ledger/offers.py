"""What a giveaway is, as it was promised and as far as it has come (product.md).

The funder, a member or BOT_TREASURY, pays the total into an escrow of its own when the giveaway begins; from then on only
the escrow pays. A remainder of equal shares stays there to the end.
"""

from enum import StrEnum
from typing import Any, Final, NamedTuple

from ledger.accounts import AccountId, escrow_account
from ledger.errors import Refused
from ledger.money import Amount, Denom
from ledger.packets import commitment_of, equal_shares
from ledger.ports import Millis, Selects
from ledger.queries import queries

MOST_SLOTS: Final = 10_000
SHORTEST_SECONDS: Final = 60
LONGEST_SECONDS: Final = 30 * 24 * 3600
DEFAULT_SECONDS: Final = 24 * 3600

FIND: Final = queries("giveaways")["find"]


class Mode(StrEnum):
    """How the total is handed out."""

    FIRST = "first"
    """Equal shares, each paid at its claim."""
    EQUAL = "equal"
    """People join; at the end the total is cut into as many shares as there are people."""
    RANDOM = "random"
    """Packets of random size in the order of claims, fixed before the first by a secret seed (packets.py)."""


class GiveawayState(StrEnum):
    """Where a giveaway stands: only ever from active to one of the others."""

    ACTIVE = "active"
    ENDED = "ended"
    CANCELLED = "cancelled"


class Offer(NamedTuple):
    """What somebody wants to give away: ``total`` base units of ``denom`` over ``slots``, in ``chat``, for a time.

    ``funder`` pays: the creator, or BOT_TREASURY.
    """

    creator: AccountId
    funder: AccountId
    chat: int
    denom: Denom
    total: Amount
    slots: int
    mode: Mode = Mode.FIRST
    lasts_seconds: int = DEFAULT_SECONDS
    reason: str = ""
    """Why the treasury pays."""


class Giveaway(NamedTuple):
    """A giveaway as it may be told. ``seed`` is None as long as it is secret, and where there is none."""

    id: int
    creator: AccountId
    funder: AccountId
    chat: int
    denom: Denom
    total: Amount
    slots: int
    mode: Mode
    state: GiveawayState
    created_at: Millis
    expires_at: Millis
    claimed: int
    commitment: str | None
    seed: str | None

    @property
    def escrow(self) -> AccountId:
        """The account that holds what is not claimed yet."""
        return escrow_account(self.id)

    @property
    def subject(self) -> str:
        """The name of its card."""
        return f"giveaway:{self.id}"

    def is_open(self, now: int) -> bool:
        """Tell whether it can still be claimed or cancelled at ``now``: what has expired only waits to be ended."""
        return self.state is GiveawayState.ACTIVE and now < self.expires_at


def find(books: Selects, giveaway: int) -> Giveaway:
    """Return a giveaway; raises Refused ``giveaway_unknown``."""
    rows = books.select(FIND, (giveaway,))
    if not rows:
        raise Refused("giveaway_unknown", giveaway=giveaway)
    (row,) = rows
    told = {name: row[name] for name in Giveaway._fields if name not in ("commitment", "seed")}
    told["mode"], told["state"] = Mode(row["mode"]), GiveawayState(row["state"])
    seed = row["seed"]
    secret = told["state"] is GiveawayState.ACTIVE
    return Giveaway(**told, commitment=seed and commitment_of(seed), seed=None if secret else seed)


def facts_of(giveaway: Giveaway) -> dict[str, Any]:
    """Return what a sentence about ``giveaway`` needs; a seed that is secret is not in a `Giveaway`."""
    shares = equal_shares(giveaway.total, giveaway.slots)
    told = giveaway._asdict() | {"giveaway": giveaway.id} | shares._asdict()
    del told["id"]
    return told


def note_of(giveaway: int) -> str:
    """Return the note that every posting of a giveaway bears."""
    return f"giveaway {giveaway}"
