"""Whoever sent an unclaimed deposit takes it by signing a text with the sending address (product.md, Unclaimed).

The text names the person, the bot, the chain, the deposit and the address, so that it serves nobody and nothing else; it
is good once, and not for long. Whether a signature fits is the chain layer's question, asked before; here it is decided
whether its text may still be used. A claim takes all that the transaction brought from that address and that waits.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from ledger.accounts import AccountId
from ledger.drafts import Draft, digest_of
from ledger.errors import Refused
from ledger.journal import Journal
from ledger.money import Amount, Denom
from ledger.outbox import OPERATORS, news
from ledger.ports import Millis, Selects
from ledger.queries import queries
from ledger.reader import Reader
from ledger.unclaimed import KIND, MOST_OF_ONE_TRANSACTION, Part, Unclaimed, find, post_parts, unclaimed_of
from ledger.units import Beside, Decision, Entry, Receipt, Row, Unit, View

LIFE_MS: Final = 30 * 60 * 1000
"""How long a text can be signed: finding the wallet takes a while."""
SHOWN_AGAIN_MS: Final = LIFE_MS // 2
"""A text that is good for this long still is shown again instead of another one."""
LATEST: Final = 10
"""Texts of one person that an answer is compared with."""

_SQL: Final = queries("unclaimed")


class Question(NamedTuple):
    """Who wants which deposit, and what the text is made of: ``bot`` is the bot's id, ``nonce`` 24 hexadecimal digits."""

    account: AccountId
    deposit: int
    address: str
    bot: int
    nonce: str


class Challenge(NamedTuple):
    """A text to be signed by the key of ``address``, for one person and one deposit."""

    nonce: str
    account: AccountId
    deposit: int
    address: str
    document: str
    created_at: Millis
    expires_at: Millis
    used_at: Millis | None


class Claim(NamedTuple):
    """An answer: ``proof`` (JSON) fits the text of challenge ``nonce``, as was checked before."""

    account: AccountId
    nonce: str
    proof: str


class Sum(NamedTuple):
    """What was claimed of one denom."""

    denom: Denom
    amount: Amount


class Claimed(NamedTuple):
    """What a claim took. ``more``: the transaction brought more rows than are taken at once."""

    receipt: int
    deposit: int
    account: AccountId
    address: str
    sums: tuple[Sum, ...]
    more: bool


def document_of(question: Question, chain_id: str, expires_at: int) -> str:
    """Return the text to sign: one line of ASCII, so that no wallet and no clipboard changes it."""
    until = datetime.fromtimestamp(expires_at / 1000, UTC)
    return (
        f"Moneta: deposit {question.deposit} goes to Telegram account {question.account}. Bot {question.bot}, "
        f"chain {chain_id}, address {question.address}, nonce {question.nonce}, until {until:%Y-%m-%dT%H:%M:%SZ}."
    )


def decide_challenge(view: View, question: Question) -> Decision[Challenge]:
    """Ask for a signature; a text that can still be used for a while is shown again.

    Raises Refused ``unknown_deposit``, ``deposit_taken``, ``unknown_account``.
    """
    if not view.exists(question.account):
        raise Refused("unknown_account", account=question.account)
    row = find(view, question.deposit)
    _claimable(view, question.deposit)
    wanted = {
        "account": question.account,
        "deposit": question.deposit,
        "now": view.now,
        "until": view.now + SHOWN_AGAIN_MS,
    }
    if standing := view.select(_SQL["open_challenge"], wanted):
        return Decision(_challenge_of(standing[0]))
    expires_at = Millis(view.now + LIFE_MS)
    made = Challenge(
        question.nonce,
        question.account,
        question.deposit,
        question.address,
        document_of(question, row.chain_id, expires_at),
        view.now,
        expires_at,
        None,
    )
    facts = {**made._asdict(), "at": view.now}
    return Decision(made, rows=(Row(_SQL["challenge"], facts, changes=1),))


def decide_claim(view: View, key: str, claim: Claim, told: Mapping[str, Any]) -> Decision[Claimed]:
    """Give the sender what waits of their transaction, use their challenge up, and tell the operators.

    Raises Refused ``challenge_missing`` (also for another person's), ``challenge_used``, ``challenge_expired``,
    ``deposit_taken``.
    """
    challenge = _usable(view, claim)
    rows = _claimable(view, challenge.deposit)
    taken = rows[:MOST_OF_ONE_TRANSACTION]
    parts = [
        Part(row, row.remaining, claim.account, claim.account, challenge=challenge.nonce) for row in taken
    ]
    draft = Draft(view)
    answer = {"nonce": claim.nonce, "account": claim.account, "proof": claim.proof, "at": view.now}
    draft.write(Row(_SQL["answer"], answer, changes=1))
    receipt = post_parts(draft, Entry(key, digest_of(claim._asdict()), KIND, (), claim.account), parts)
    outcome = Claimed(
        receipt,
        challenge.deposit,
        claim.account,
        challenge.address,
        _sums((row.denom, row.remaining) for row in taken),
        len(rows) > len(taken),
    )
    draft.write(news("unclaimed.claimed", OPERATORS, {**facts_of(outcome), **told}, view.now))
    return Decision(outcome, tuple(draft.entries), tuple(draft.rows))


def _usable(view: View, claim: Claim) -> Challenge:
    """Return the challenge that ``claim`` answers, if its person may still answer it."""
    rows = view.select(_SQL["find_challenge"], (claim.nonce,))
    challenge = _challenge_of(rows[0]) if rows else None
    if challenge is None or challenge.account != claim.account:
        raise Refused("challenge_missing")
    if challenge.used_at is not None:
        raise Refused("challenge_used", deposit=challenge.deposit)
    if not challenge.created_at <= view.now < challenge.expires_at:
        raise Refused("challenge_expired", deposit=challenge.deposit)
    return challenge


def _claimable(books: Selects, deposit: int) -> list[Unclaimed]:
    """Return what the sender of ``deposit`` can take, one row more than at once. Raises Refused ``deposit_taken``."""
    wanted = {"deposit": deposit, "limit": MOST_OF_ONE_TRANSACTION + 1}
    rows = [unclaimed_of(row) for row in books.select(_SQL["claimable"], wanted)]
    if not rows:
        raise Refused("deposit_taken", deposit=deposit)
    return rows


def _sums(parts: Any) -> tuple[Sum, ...]:
    """Return what ``parts`` (denom, amount) are together, by denom."""
    sums: dict[Denom, int] = {}
    for denom, amount in parts:
        sums[denom] = sums.get(denom, 0) + amount
    return tuple(Sum(denom, Amount(amount)) for denom, amount in sorted(sums.items()))


def facts_of(claimed: Claimed) -> dict[str, Any]:
    """Return what sentences need of a claim."""
    return {**claimed._asdict(), "sums": [each._asdict() for each in claimed.sums]}


def _challenge_of(row: Any) -> Challenge:
    return Challenge(**{name: row[name] for name in Challenge._fields})


class Challenges:
    """The book of what senders claim."""

    def __init__(self, journal: Journal, reader: Reader) -> None:
        self._journal = journal
        self._reader = reader

    async def ask(self, question: Question, beside: Beside | None = None) -> Challenge:
        """Ask for a signature; raises what `decide_challenge` raises."""
        return await self._journal.submit(Unit(lambda view: decide_challenge(view, question), beside=beside))

    def asked(self, account: AccountId) -> list[Challenge]:
        """Return the latest texts that ``account`` was asked to sign, newest first; used and expired ones too."""
        rows = self._reader.select(_SQL["challenges"], (account, LATEST))
        return [_challenge_of(row) for row in rows]

    async def claim(
        self, key: str, claim: Claim, beside: Beside | None = None, told: Mapping[str, Any] | None = None
    ) -> Claimed:
        """Claim under ``key``; raises what `decide_claim` raises."""
        unit = Unit(
            lambda view: decide_claim(view, key, claim, told or {}),
            key=key,
            digest=digest_of(claim._asdict()),
            recall=_recall,
            beside=beside,
        )
        return await self._journal.submit(unit)


def _recall(view: View, receipt: Receipt) -> Claimed:
    parts = view.select(_SQL["assigned"], (receipt.entry_id,))
    (row,) = view.select(_SQL["find_challenge"], (parts[0]["challenge"],))
    challenge = _challenge_of(row)
    sums = _sums((find(view, part["unclaimed"]).denom, part["amount"]) for part in parts)
    return Claimed(
        receipt.entry_id, challenge.deposit, challenge.account, challenge.address, sums, more=False
    )
