"""How the total of a giveaway is cut, in base units: pure arithmetic that anybody can do again.

Equal shares leave a remainder, random packets leave none. The packets follow from a seed, 64 lower-case hex digits, that
is drawn before anybody claims; its SHA-256 (`commitment_of`) is shown from the beginning, the seed itself when the
giveaway is over. To check one: ``sha256sum`` of the seed's 64 characters is the commitment, and `packets_of` gives what
claim number 1, 2, ... got. In words: of ``spare = total - slots`` base units cut ``slots - 1`` times, cut number n at
``SHA-256("<seed>:<n>")`` modulo ``spare + 1``; sort the cuts; each piece and one base unit more is a packet.
"""

from functools import lru_cache
from hashlib import sha256
from typing import Final, NamedTuple

from ledger.money import Amount

SEED_BITS: Final = 256


class Shares(NamedTuple):
    """A total in equal parts: what each gets, and what is left over."""

    share: Amount
    remainder: Amount


def equal_shares(total: int, parts: int) -> Shares:
    """Return ``total`` cut into ``parts`` (from 1) equal shares, in base units; the remainder is below ``parts``."""
    share, remainder = divmod(total, parts)
    return Shares(Amount(share), Amount(remainder))


def seed_of(number: int) -> str:
    """Return the seed that ``number``, a random one of `SEED_BITS`, stands for."""
    return f"{number:064x}"


def commitment_of(seed: str) -> str:
    """Return what is shown of ``seed`` while it is secret: the SHA-256 of its characters, in hex."""
    return sha256(seed.encode()).hexdigest()


@lru_cache(maxsize=64)
def packets_of(seed: str, total: int, slots: int) -> tuple[Amount, ...]:
    """Return the packets of ``total`` base units in the order of their claims: ``slots`` amounts, each at least 1.

    They sum up to ``total``. Raises ValueError when there is less than a base unit for each.
    """
    spare = total - slots
    if slots < 1 or spare < 0:
        raise ValueError(f"{total} base units are no {slots} packets")
    cuts = sorted(_cut(seed, number, spare) for number in range(1, slots))
    return tuple(Amount(1 + end - begin) for begin, end in zip([0, *cuts], [*cuts, spare], strict=True))


def _cut(seed: str, number: int, spare: int) -> int:
    """Return where cut ``number`` is, from 0 to ``spare``; the bias of the modulo is below 2^-190."""
    return int.from_bytes(sha256(f"{seed}:{number}".encode()).digest()) % (spare + 1)
