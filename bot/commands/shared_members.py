"""What ``/shared`` does about people: admins invite, change and revoke; who was invited says yes or no by a button."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from bot import buttons
from bot.commands.shared_money import refuse_rest
from bot.context import Context
from bot.html import clean_name
from bot.recipients import Recipient, Word, find_recipient, read_target
from bot.replies import shown_choices
from bot.results import Answer, Choice, Effect, Result
from bot.sharing import read_limits, read_terms, take_person
from ledger.accounts import AccountId
from ledger.errors import Refused
from ledger.memberships import Change, Terms, terms_facts
from ledger.outbox import news
from ledger.shared import (
    MemberRole,
    Membership,
    Share,
    SharedAccount,
    SpendLimits,
    facts_of,
    find_account,
    require_share,
)
from ledger.units import Beside, Row, View

ANSWER_SECONDS: Final = 30 * 24 * 3600
"""How long an invitation's buttons live; /shared shows new ones."""


# Invitations


def invite(context: Context, share: Share, words: Sequence[Word]) -> Result:
    """Invite somebody: ``<who> <role> [per tx] [per day]``, or ask first when the name is doubtful.

    Raises Refused with the codes of bot.recipients and bot.sharing.
    """
    who, rest = take_person(words)
    terms = read_terms(rest, context.bank.assets)
    found = find_recipient(who, context.reply, context.who, context.bank.names, context.now)
    if not found.doubt:
        return _invite(context, share.account, found.id, found.name, terms)
    facts = {**facts_of(share.account), "typed": found.typed, "recipient": found.id, "to": found.name}
    arguments = {
        "account": share.account.id,
        "person": found.id,
        "to": found.name,
        "role": terms.role,
        "limits": list(terms.limits),
    }
    choices = (Choice("shared.ask", arguments), Choice("shared.drop"))
    return Answer("shared.invite.asks", facts, choices=choices, private=True)


async def confirm(context: Context) -> Result:
    """Invite whom the question was about."""
    asked = context.arguments
    account = require_share(context.bank.service.reader, AccountId(asked["account"]), context.account).account
    terms = Terms(MemberRole(asked["role"]), SpendLimits(*asked["limits"]))
    return _invite(context, account, AccountId(asked["person"]), asked["to"], terms)


async def drop(_context: Context) -> Result:
    """Leave it."""
    return Answer("shared.dropped", private=True)


async def accept(context: Context) -> Result:
    """Join."""
    return _answer(context, accepted=True)


async def decline(context: Context) -> Result:
    """Do not join."""
    return _answer(context, accepted=False)


def invitation_choices(share: Share, row: int = 0) -> tuple[Choice, ...]:
    """Return the two buttons of an invitation."""
    arguments = {"membership": share.membership.id, "name": share.account.name}
    return (
        Choice("shared.accept", arguments, seconds=ANSWER_SECONDS, row=row),
        Choice("shared.decline", arguments, seconds=ANSWER_SECONDS, row=row),
    )


def _invite(
    context: Context, account: SharedAccount, person: AccountId, to: str, terms: Terms
) -> Effect[Membership]:
    told = {**facts_of(account), **_who(context), **terms_facts(terms)}
    return Effect(
        lambda beside: context.bank.service.shared.invite(
            context.account, account.id, person, terms, _asking(beside, told)
        ),
        lambda _invited: Answer(
            "shared.invitation_sent", {**told, "recipient": person, "to": to}, private=True
        ),
    )


def _asking(beside: Beside, told: Mapping[str, Any]) -> Beside:
    """Return ``beside`` with the question to whom was invited."""

    def both(view: View, outcome: Any) -> Sequence[Row]:
        rows = list(beside(view, outcome))
        if isinstance(outcome, Membership):
            account = find_account(view, outcome.account)
            assert account is not None, "an invitation is to an account"
            choices = invitation_choices(Share(account, outcome))
            # With its time: books that were restored may give the number to another invitation, and old ones still stand.
            question = f"shared:{outcome.id}:{view.now}"
            facts = {**told, "choices": shown_choices(choices, question)}
            rows += buttons.open_rows(choices, outcome.person, question, view.now)
            rows.append(news("shared.invited", outcome.person, facts, view.now))
        return rows

    return both


def _answer(context: Context, *, accepted: bool) -> Effect[Share]:
    membership = int(context.arguments["membership"])

    def answer(share: Share) -> Answer:
        facts = {**facts_of(share.account), **_terms(share.membership)}
        if not accepted:
            return Answer("shared.refused_invitation", facts, private=True)
        choices = (Choice("shared.show", {"account": share.account.id, "name": share.account.name}),)
        return Answer("shared.welcome", facts, choices=choices, private=True)

    return Effect(
        lambda beside: context.bank.service.shared.answer(
            context.account, membership, accepted=accepted, beside=beside, told=_who(context)
        ),
        answer,
    )


# Members


def change(context: Context, share: Share, words: Sequence[Word]) -> Effect[Share]:
    """Give a member another role, and limits anew: ``<who> <role> [per tx] [per day]``."""
    found, rest = _named(context, words)
    terms = read_terms(rest, context.bank.assets)
    return _change(context, share, found, Change(found.id, terms.role, terms.limits))


def limit(context: Context, share: Share, words: Sequence[Word]) -> Effect[Share]:
    """Give a member other limits: ``<who> <per tx> [per day]``. Raises Refused ``shared_limit_missing``."""
    found, rest = _named(context, words)
    if not rest:
        raise Refused("shared_limit_missing", number=share.account.number)
    return _change(context, share, found, Change(found.id, None, read_limits(rest, context.bank.assets)))


def revoke(context: Context, share: Share, words: Sequence[Word]) -> Effect[Share]:
    """End a membership, or take an invitation back: ``<who>``."""
    found, rest = _named(context, words)
    refuse_rest(rest)
    told = {"recipient": found.id, "to": found.name}
    return Effect(
        lambda beside: context.bank.service.shared.revoke(
            context.account, share.account.id, found.id, beside, _who(context)
        ),
        lambda ended: Answer("shared.revoked_from", {**facts_of(ended.account), **told}, private=True),
    )


def leave(context: Context, share: Share, words: Sequence[Word]) -> Effect[Share]:
    """End one's own membership."""
    refuse_rest(words)
    return Effect(
        lambda beside: context.bank.service.shared.leave(
            context.account, share.account.id, beside, _who(context)
        ),
        lambda ended: Answer("shared.left_it", facts_of(ended.account), private=True),
    )


def _change(context: Context, share: Share, found: Recipient, asked: Change) -> Effect[Share]:
    told = {"recipient": found.id, "to": found.name}
    return Effect(
        lambda beside: context.bank.service.shared.change(
            context.account, share.account.id, asked, beside, _who(context)
        ),
        lambda changed: Answer(
            "shared.changed_for",
            {**facts_of(changed.account), **told, **_terms(changed.membership)},
            private=True,
        ),
    )


def _named(context: Context, words: Sequence[Word]) -> tuple[Recipient, list[Word]]:
    """Return the member who is meant, and the words behind: by name, by the id that the card shows, or as an answer.

    Beside an answered message a number is a limit, not somebody's id. Raises Refused with the codes of `read_target`.
    """
    names, now = context.bank.names, context.now
    if context.reply is None or context.reply.opens_topic or (words and words[0].names_someone):
        return read_target(words, None, names, now)
    return read_target((), context.reply, names, now)[0], list(words)


def _who(context: Context) -> dict[str, Any]:
    return {"who": clean_name(context.who.name), "sender": context.who.id}


def _terms(membership: Membership) -> dict[str, Any]:
    return terms_facts(Terms(membership.role, membership.limits))
