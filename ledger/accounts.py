"""The signed-ID account scheme: who can own money, told from the number alone."""

from enum import StrEnum
from typing import Final, NewType

AccountId = NewType("AccountId", int)
"""A positive Telegram user id, or a negative id of the system's own accounts."""

BOT_TREASURY: Final = AccountId(-1)
SYSTEM_RESERVE: Final = AccountId(-2)
UNCLAIMED: Final = AccountId(-3)
WITHDRAWALS: Final = AccountId(-4)
REWARDS_POOL: Final = AccountId(-5)

FIRST_SHARED: Final = -100
LAST_SHARED: Final = -999
ESCROW_BASE: Final = -1000


class AccountClass(StrEnum):
    """What an account is for; the kinds table allows postings between classes."""

    CHAIN = "chain"
    USER = "user"
    TREASURY = "treasury"
    RESERVE = "reserve"
    UNCLAIMED = "unclaimed"
    WITHDRAWALS = "withdrawals"
    REWARDS = "rewards"
    SHARED = "shared"
    ESCROW = "escrow"


_SYSTEM: Final = {
    BOT_TREASURY: AccountClass.TREASURY,
    SYSTEM_RESERVE: AccountClass.RESERVE,
    UNCLAIMED: AccountClass.UNCLAIMED,
    WITHDRAWALS: AccountClass.WITHDRAWALS,
    REWARDS_POOL: AccountClass.REWARDS,
}


def account_class(account: int | None) -> AccountClass | None:
    """Return the class of ``account`` (None is the chain), or None for an id that no account may have."""
    if account is None:
        return AccountClass.CHAIN
    if account > 0:
        return AccountClass.USER
    if account < ESCROW_BASE:
        return AccountClass.ESCROW
    if LAST_SHARED <= account <= FIRST_SHARED:
        return AccountClass.SHARED
    return _SYSTEM.get(AccountId(account))


def escrow_account(giveaway: int) -> AccountId:
    """Return the escrow of giveaway number ``giveaway`` (from 1): -1000 - giveaway.

    Raises ValueError for a number below 1: -1000 itself is illegal.
    """
    if giveaway < 1:
        raise ValueError(f"giveaways are numbered from 1, not {giveaway}")
    return AccountId(ESCROW_BASE - giveaway)
