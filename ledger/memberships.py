"""Who has a part in a shared account: invited by an admin, joined by their own word, ended by either.

A membership is one row from invitation to end; whoever comes back has another. An invitation stands as long as whoever
sent it is an admin. The database notes what a membership was after each change, lets nobody join for somebody else, and
keeps an admin in every open account.
"""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from ledger.accounts import AccountId
from ledger.errors import Refused
from ledger.limits import day_around
from ledger.outbox import news
from ledger.shared import (
    SQL,
    MemberRole,
    Membership,
    MembershipState,
    Share,
    SpendLimits,
    facts_of,
    find_account,
    find_membership,
    joined_of,
    limit_values,
    members_of,
    membership_of,
    require_member,
)
from ledger.units import Decision, Row, View

MOST_MEMBERS: Final = 50
"""Members and invited people of one account."""
INVITATIONS_A_DAY: Final = 3
"""How often one account may invite one person in 24 hours: each invitation is a message to them."""


class Terms(NamedTuple):
    """What a member may do: ``limits`` are for those who may spend."""

    role: MemberRole
    limits: SpendLimits


class Change(NamedTuple):
    """What ``person`` may do from now on; ``role`` None keeps the one they have at that moment."""

    person: AccountId
    role: MemberRole | None
    limits: SpendLimits


def decide_invite(
    view: View, by: AccountId, account: AccountId, person: AccountId, terms: Terms
) -> Decision[Membership]:
    """Invite ``person``; nothing is theirs before they accept.

    Raises Refused: those of `require_member`, ``shared_limits_for_view``, ``unknown_account``,
    ``shared_member_already``, ``shared_invited_already``, ``shared_too_many_members``, ``shared_invited_too_often``.
    """
    share = require_member(view, account, by, MemberRole.ADMIN)
    _check_terms(terms)
    if person <= 0 or not view.exists(person):
        raise Refused("unknown_account", account=person)
    standing = find_membership(view, account, person)
    if standing is not None:
        invited = standing.state is MembershipState.INVITED
        raise Refused(
            "shared_invited_already" if invited else "shared_member_already", name=share.account.name
        )
    (following,) = view.select(SQL["next_membership"], (account,))
    if following["live"] >= MOST_MEMBERS:
        raise Refused("shared_too_many_members", limit=MOST_MEMBERS)
    asked = {"account": account, "person": person, **day_around(view.now)}
    (lately,) = view.select(SQL["invited_lately"], asked)
    if lately["times"] >= INVITATIONS_A_DAY:
        raise Refused("shared_invited_too_often", limit=INVITATIONS_A_DAY)
    invited_as = Membership(
        following["id"], account, person, terms.role, terms.limits, MembershipState.INVITED, by
    )
    values = {
        "id": invited_as.id,
        "account": account,
        "person": person,
        **_values(terms),
        "by": by,
        "at": view.now,
        "state": MembershipState.INVITED.value,
    }
    return Decision(invited_as, rows=(Row(SQL["join"], values, changes=1),))


def decide_answer(
    view: View, person: AccountId, membership: int, told: Mapping[str, Any], *, accepted: bool
) -> Decision[Share]:
    """Accept or decline an invitation: nobody else's word counts.

    ``told`` are facts for the news to who invited. Raises Refused ``shared_invitation_over`` for one that was
    withdrawn, answered, never was, or is another's.
    """
    rows = view.select(SQL["membership_by_id"], (membership,))
    standing = membership_of(rows[0]) if rows else None
    if standing is None or standing.person != person or standing.state is not MembershipState.INVITED:
        raise Refused("shared_invitation_over")
    account = find_account(view, standing.account)
    assert account is not None, "a membership is of an account"
    state = MembershipState.JOINED if accepted else MembershipState.DECLINED
    facts = {**told, **facts_of(account)}
    event = (
        news("shared.joined", standing.invited_by, {**facts, "role": standing.role.word}, view.now)
        if accepted
        else news("shared.declined", standing.invited_by, facts, view.now)
    )
    outcome = Share(account, standing._replace(state=state))
    return Decision(outcome, rows=(_step(view, standing, state, person), event))


def decide_change(
    view: View, by: AccountId, account: AccountId, change: Change, told: Mapping[str, Any]
) -> Decision[Share]:
    """Give a member another role, or other limits.

    Raises Refused: those of `require_member`, ``shared_not_a_member``, ``shared_limits_for_view``,
    ``shared_last_admin``.
    """
    share = require_member(view, account, by, MemberRole.ADMIN)
    standing = find_membership(view, account, change.person)
    if standing is None or standing.state is not MembershipState.JOINED:
        raise Refused("shared_not_a_member", name=share.account.name)
    terms = Terms(standing.role if change.role is None else change.role, change.limits)
    _check_terms(terms)
    if terms.role is not MemberRole.ADMIN:
        _keep_an_admin(view, standing)
    values = {"id": standing.id, **_values(terms), "by": by, "at": view.now}
    rows = [Row(SQL["change"], values, changes=1)]
    if terms.role is not MemberRole.ADMIN:
        rows += _invitations_of(view, standing, by)
    if change.person != by:
        facts = {**told, **facts_of(share.account), **terms_facts(terms)}
        rows.append(news("shared.changed", change.person, facts, view.now))
    changed = standing._replace(role=terms.role, limits=terms.limits)
    return Decision(Share(share.account, changed), rows=tuple(rows))


def decide_revoke(
    view: View, by: AccountId, account: AccountId, person: AccountId, told: Mapping[str, Any]
) -> Decision[Share]:
    """End somebody's membership, or take an invitation back.

    Raises Refused: those of `require_member`, ``shared_not_a_member``, ``shared_last_admin``.
    """
    share = require_member(view, account, by, MemberRole.ADMIN)
    standing = find_membership(view, account, person)
    if standing is None:
        raise Refused("shared_not_a_member", name=share.account.name)
    _keep_an_admin(view, standing)
    rows = [_step(view, standing, MembershipState.REVOKED, by), *_invitations_of(view, standing, by)]
    if person != by and standing.state is MembershipState.JOINED:
        rows.append(news("shared.revoked", person, {**told, **facts_of(share.account)}, view.now))
    ended = standing._replace(state=MembershipState.REVOKED)
    return Decision(Share(share.account, ended), rows=tuple(rows))


def decide_leave(
    view: View, person: AccountId, account: AccountId, told: Mapping[str, Any]
) -> Decision[Share]:
    """End one's own membership; the other admins hear of it.

    Raises Refused: those of `require_member`, ``shared_last_admin``.
    """
    share = require_member(view, account, person, MemberRole.VIEW)
    _keep_an_admin(view, share.membership)
    facts = {**told, **facts_of(share.account)}
    heard = [
        news("shared.left", each.person, facts, view.now)
        for each in joined_of(view, account, but=person)
        if each.role is MemberRole.ADMIN
    ]
    ended = share.membership._replace(state=MembershipState.LEFT)
    step = _step(view, share.membership, MembershipState.LEFT, person)
    rows = (step, *_invitations_of(view, share.membership, person), *heard)
    return Decision(Share(share.account, ended), rows=rows)


def terms_facts(terms: Terms) -> dict[str, Any]:
    """Return what a sentence about ``terms`` needs."""
    return {
        "role": terms.role.word,
        "denom": terms.limits.denom,
        "per_transaction": terms.limits.per_transaction,
        "per_day": terms.limits.per_day,
    }


def _values(terms: Terms) -> dict[str, Any]:
    return {"role": terms.role.word, **limit_values(terms.limits)}


def _check_terms(terms: Terms) -> None:
    if terms.role is MemberRole.VIEW and terms.limits.denom is not None:
        raise Refused("shared_limits_for_view")


def _keep_an_admin(view: View, standing: Membership) -> None:
    """Refuse to take away the last admin."""
    admins = [
        each.person
        for each in members_of(view, standing.account)
        if each.role is MemberRole.ADMIN and each.state is MembershipState.JOINED
    ]
    if admins == [standing.person]:
        raise Refused("shared_last_admin")


def _invitations_of(view: View, admin: Membership, by: AccountId) -> list[Row]:
    """Return the rows that take back what ``admin``, who is none from now on, offered and nobody has answered yet.

    Else whoever is thrown out comes back by a friend whom they asked before.
    """
    return [
        _step(view, each, MembershipState.REVOKED, by)
        for each in members_of(view, admin.account)
        if each.state is MembershipState.INVITED and each.invited_by == admin.person
    ]


def _step(view: View, standing: Membership, state: MembershipState, by: AccountId) -> Row:
    facts = {
        "id": standing.id,
        "state": state.value,
        "before": standing.state.value,
        "by": by,
        "at": view.now,
    }
    return Row(SQL["step"], facts, changes=1)
