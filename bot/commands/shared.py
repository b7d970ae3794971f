"""/shared: one balance of several people. Which account, and what about it; always answered in private.

What is checked here is checked for the sentence's sake: membership, role and limits are decided by the books when the
act commits. A button may be old and its presser gone from the account: it is looked at again like a typed command.
"""

from collections.abc import Callable, Sequence
from typing import Any, Final

from bot import pages
from bot.commands import shared_members, shared_money
from bot.context import Context
from bot.html import clean_line, clean_name
from bot.pages import Pages
from bot.recipients import Word, split_words
from bot.registry import Command
from bot.results import Answer, Choice, Effect, Result
from bot.sharing import memo_of, take_account
from ledger.accounts import AccountId
from ledger.errors import Refused
from ledger.memberships import Terms, terms_facts
from ledger.shared import (
    Membership,
    MembershipState,
    Share,
    facts_of,
    members_of,
    require_share,
    shares_of,
)

BUTTON_SECONDS: Final = 24 * 3600
MOST_LISTED: Final = 30
MOST_BUTTONS: Final = 6
"""Accounts and invitations that get buttons in the list; all of them can be typed."""


async def shared(context: Context) -> Result:
    """Do what is asked: list, create, show, or an act on one account.

    Raises Refused with the codes of bot.sharing, ``shared_not_joined``, ``shared_word_unknown``, and those of the act.
    """
    words = split_words(context.args, context.entities)
    if not words:
        return _listed(context)
    if words[0].text.lower() == "new":
        return _create(context, words[1:])
    share, rest = take_account(words, shares_of(context.bank.service.reader, context.account))
    if not share.membership.is_member:
        raise Refused("shared_not_joined", name=share.account.name)
    if not rest:
        return _card(context, share)
    act = _WORDS.get(rest[0].text.lower())
    if act is None:
        raise Refused("shared_word_unknown", typed=clean_name(rest[0].text), words=", ".join(_WORDS))
    return act(context, share, rest[1:])


async def show(context: Context) -> Result:
    """Show the account of the button."""
    return _card(context, pressed_share(context))


async def history(context: Context) -> Result:
    """Show its newest page of history."""
    return pages.first_page(context, _pages(pressed_share(context)), "")


async def older(context: Context) -> Result:
    """Turn the page."""
    return pages.turned(context, _pages(pressed_share(context)))


async def statement(context: Context) -> Result:
    """Have the whole history sent as a document."""
    return pages.statement(context, _pages(pressed_share(context)))


def pressed_share(context: Context) -> Share:
    """Return the share that a button is about. Raises Refused ``shared_unknown`` for who is no member any more."""
    return require_share(
        context.bank.service.reader, AccountId(context.arguments["account"]), context.account
    )


# The list and the card


def _listed(context: Context) -> Answer:
    """List everything that the asker has a part in, with buttons for the first."""
    shares = shares_of(context.bank.service.reader, context.account)[:MOST_LISTED]
    invitations = [each for each in shares if each.membership.state is MembershipState.INVITED]
    mine = [each for each in shares if each.membership.is_member]
    choices: list[Choice] = []
    for row, each in enumerate(invitations[:MOST_BUTTONS]):
        choices += shared_members.invitation_choices(each, row)
    choices += [
        Choice(
            "shared.show",
            {"account": each.account.id, "name": each.account.name},
            seconds=BUTTON_SECONDS,
            row=MOST_BUTTONS + number // 2,
        )
        for number, each in enumerate(mine[:MOST_BUTTONS])
    ]
    facts = {"shares": [_share_facts(context, each) for each in [*invitations, *mine]]}
    return Answer("shared.listed", facts, choices=tuple(choices), private=True)


def _share_facts(context: Context, share: Share) -> dict[str, Any]:
    names = context.bank.names
    facts = {**facts_of(share.account), **membership_facts(share.membership)}
    if share.membership.state is MembershipState.INVITED:
        return {**facts, "invited": True, "who": names.shown(share.membership.invited_by)}
    return {**facts, "closed": not share.account.is_open, "balances": _balances(context, share)}


def _card(context: Context, share: Share) -> Answer:
    """Show what is in an account, who has a part in it, and how coins get there."""
    account = share.account
    facts: dict[str, Any] = {
        **facts_of(account),
        **membership_facts(share.membership),
        "closed": not account.is_open,
        "balances": _balances(context, share),
        "members": [
            {**membership_facts(each), "who": context.bank.names.shown(each.person), "person": each.person}
            for each in members_of(context.bank.service.reader, account.id)
        ],
    }
    arguments = {"account": account.id}
    choices = [Choice("shared.history", arguments, seconds=BUTTON_SECONDS)]
    if account.is_open:
        facts |= {"address": context.bank.wallet.address, "memo": memo_of(account.id)}
        choices.insert(0, Choice("shared.fill", arguments, seconds=BUTTON_SECONDS))
    return Answer("shared.card", facts, choices=tuple(choices), private=True)


def membership_facts(membership: Membership) -> dict[str, Any]:
    """Return what a line about a member needs."""
    invited = membership.state is MembershipState.INVITED
    return {**terms_facts(Terms(membership.role, membership.limits)), "invited": invited}


def _balances(context: Context, share: Share) -> list[dict[str, Any]]:
    reader = context.bank.service.reader
    return [
        {"amount": amount, "denom": asset.denom}
        for asset in context.bank.assets
        if (amount := reader.balance(share.account.id, asset.denom))
    ]


# Acts on the account itself


def _create(context: Context, words: Sequence[Word]) -> Effect[Any]:
    name = _name(words)
    return Effect(
        lambda beside: context.bank.service.shared.create(context.account, name, beside),
        lambda made: Answer("shared.created", {**facts_of(made), "memo": memo_of(made.id)}, private=True),
    )


def _rename(context: Context, share: Share, words: Sequence[Word]) -> Effect[Any]:
    name = _name(words)
    before = share.account.name
    return Effect(
        lambda beside: context.bank.service.shared.rename(context.account, share.account.id, name, beside),
        lambda renamed: Answer("shared.renamed", {**facts_of(renamed), "before": before}, private=True),
    )


def _close(context: Context, share: Share, words: Sequence[Word]) -> Effect[Any]:
    shared_money.refuse_rest(words)
    told = {"who": clean_name(context.who.name), "sender": context.who.id}
    return Effect(
        lambda beside: context.bank.service.shared.close(context.account, share.account.id, beside, told),
        lambda closed: Answer("shared.ended", facts_of(closed), private=True),
    )


def _history(context: Context, share: Share, words: Sequence[Word]) -> Answer:
    return pages.first_page(context, _pages(share), " ".join(word.text for word in words))


def _pages(share: Share) -> Pages:
    account = share.account
    return Pages(account.id, "shared", facts_of(account), {"account": account.id})


def _name(words: Sequence[Word]) -> str:
    return clean_line(" ".join(word.text for word in words))


_Act = Callable[[Context, Share, Sequence[Word]], Result]
_WORDS: Final[dict[str, _Act]] = {
    "deposit": shared_money.deposit,
    "send": shared_money.send,
    "withdraw": shared_money.withdraw,
    "invite": shared_members.invite,
    "role": shared_members.change,
    "limit": shared_members.limit,
    "revoke": shared_members.revoke,
    "leave": shared_members.leave,
    "rename": _rename,
    "history": _history,
    "close": _close,
}

COMMAND = Command(
    "shared",
    "one balance for several people",
    shared,
    "[new <name> | <number or name> [what to do]]",
    moves_money=True,
    examples=(
        "/shared new Picnic",
        "/shared 100 deposit 5",
        "/shared 100 invite @name spend 5 20",
        "/shared Picnic send 2 @name for ice",
        "/shared 100 history",
        "/shared 100 limit @name none 10",
        "/shared 100 revoke @name",
        "/shared 100 close",
    ),
    actions={
        "shared.show": show,
        "shared.history": history,
        "shared.older": older,
        "shared.newer": older,
        "shared.statement": statement,
        "shared.fill": shared_money.ask_to_fill,
        "shared.filling": shared_money.fill,
        "shared.pay": shared_money.confirm,
        "shared.ask": shared_members.confirm,
        "shared.drop": shared_members.drop,
        "shared.accept": shared_members.accept,
        "shared.decline": shared_members.decline,
    },
    goes_on=frozenset({"shared.accept", "shared.decline", "shared.statement"}),
)
