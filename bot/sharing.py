"""What ``/shared`` is given, read strictly: which account, whom, which role, which limits. Nothing is guessed.

An account is named by its number (``100``, ``#100``, or its memo ``shared:100``), or by its name, of as many words as it has.
"""

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from bot.amounts import find_asset, read_amount
from bot.html import clean_name
from bot.recipients import Word
from ledger.accounts import AccountId
from ledger.errors import Refused
from ledger.memberships import Terms
from ledger.money import Amount, Asset, Denom
from ledger.shared import MAX_NAME, MemberRole, Share, SpendLimits, folded_name

NO_LIMIT: Final = ("none", "-")
"""What is typed where an amount could be, for no limit."""
_NUMBER: Final = re.compile(r"(?:shared:|#)?([1-9][0-9]{2})", re.ASCII)
_LONGEST_ECHO: Final = 32


class Named(NamedTuple):
    """The account that was named, and the words behind it."""

    share: Share
    rest: list[Word]


def memo_of(account: AccountId) -> str:
    """Return the memo by which coins from the chain reach ``account``."""
    return f"shared:{-account}"


def take_account(words: Sequence[Word], shares: Sequence[Share]) -> Named:
    """Read the account that ``words`` begin with, among ``shares`` of the asker.

    The longest name wins, an account of theirs before one that they are only invited to, an open one before a closed one
    of the same name. Raises Refused ``shared_unknown`` for
    a number and ``shared_unknown_name`` for words that name none of them.
    """
    number = _NUMBER.fullmatch(words[0].text)
    if number:
        found = next((each for each in shares if each.account.id == -int(number[1])), None)
        if found is None:
            raise Refused("shared_unknown", number=int(number[1]))
        return Named(found, list(words[1:]))
    # Else whoever invites could shadow "Picnic" with an account called "Picnic send".
    joined = [each for each in shares if each.membership.is_member]
    found_by_name = _longest_named(words, joined) or _longest_named(words, shares)
    if found_by_name is None:
        raise Refused("shared_unknown_name", typed=clean_name(words[0].text))
    return found_by_name


def _longest_named(words: Sequence[Word], shares: Sequence[Share]) -> Named | None:
    by_name: dict[str, Share] = {}
    for each in shares:
        by_name.setdefault(folded_name(each.account.name), each)
    for count in range(min(len(words), MAX_NAME), 0, -1):
        share = by_name.get(folded_name(" ".join(word.text for word in words[:count])))
        if share:
            return Named(share, list(words[count:]))
    return None


def take_person(words: Sequence[Word]) -> tuple[Word | None, list[Word]]:
    """Return who is named first and the words after; None: the sender of the answered message is meant."""
    if words and words[0].names_someone:
        return words[0], list(words[1:])
    return None, list(words)


def read_terms(words: Sequence[Word], assets: Sequence[Asset]) -> Terms:
    """Read ``<role> [per tx] [per day]``.

    Raises Refused ``shared_role_missing``, ``shared_role_unknown``, and those of `read_limits`.
    """
    if not words:
        raise Refused("shared_role_missing")
    role = next((each for each in MemberRole if each.word == words[0].text.lower()), None)
    if role is None:
        raise Refused("shared_role_unknown", typed=clean_name(words[0].text[:_LONGEST_ECHO]))
    return Terms(role, read_limits(words[1:], assets))


def read_limits(words: Sequence[Word], assets: Sequence[Asset]) -> SpendLimits:
    """Read ``[per tx] [per day]``, each an amount or ``none``; both are of one asset.

    Raises Refused ``shared_limits_two_coins``, ``shared_limits_too_many``, or a code of `bot.amounts.read_amount`.
    """
    amounts: list[Amount | None] = []
    denoms: list[Denom] = []
    rest = [word.text for word in words]
    while rest:
        if len(amounts) == 2:
            raise Refused("shared_limits_too_many", typed=clean_name(rest[0]))
        if rest[0].lower() in NO_LIMIT:
            amounts.append(None)
            rest = rest[1:]
            continue
        # Two numbers are two limits here, also where `take_amount` would ask about 1 000.
        length = 2 if rest[1:] and find_asset(rest[1], assets) else 1
        wanted = read_amount(" ".join(rest[:length]), assets, all_allowed=False)
        rest = rest[length:]
        amounts.append(wanted.amount)
        denoms.append(wanted.asset.denom)
    if len(set(denoms)) > 1:
        raise Refused("shared_limits_two_coins")
    per_transaction, per_day = (*amounts, None, None)[:2]
    return SpendLimits(denoms[0] if denoms else None, per_transaction, per_day)
