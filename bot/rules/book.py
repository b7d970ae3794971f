"""The rules of each chat as rows: every version stands for ever, the newest of each rule is what holds."""

from collections.abc import Sequence
from typing import Any, Final

from bot.rules.changes import Wish
from bot.rules.model import Broken, Kind, Rule, State, consequence_of, parameters_of
from ledger.accounts import AccountId
from ledger.adminaudit import Order, logged
from ledger.errors import Refused
from ledger.ports import Selects
from ledger.roles import Actor, Role, require_role
from ledger.units import Decision, Row, View

MOST_RULES: Final = 30
"""Rules of one chat: each message is judged by all of them."""

_OF_CHAT: Final = """
SELECT rule, max(version) AS version, chat, kind, person, state, parameters, consequence FROM chat_rules
WHERE chat = :chat OR chat IN (SELECT id FROM chats WHERE migrated_to = :chat)
GROUP BY rule ORDER BY rule
"""
_VERSION: Final = """
SELECT rule, version, chat, kind, person, state, parameters, consequence FROM chat_rules WHERE rule = ? AND version = ?
"""
_NEWEST: Final = "SELECT max(version) FROM chat_rules WHERE rule = ?"
_NEXT: Final = "SELECT 1 + ifnull(max(rule), 0) FROM chat_rules"
_INSERT: Final = """
INSERT INTO chat_rules (rule, version, chat, kind, person, state, parameters, consequence, actor, at)
VALUES (:rule, :version, :chat, :kind, :person, :state, :parameters, :consequence, :actor, :at)
"""


def rules_of(books: Selects, chat: int) -> list[Rule]:
    """Return the rules of ``chat``, those that do not hold now included; a group keeps them when it migrates."""
    found = [_rule(row) for row in books.select(_OF_CHAT, {"chat": chat})]
    return [rule for rule in found if rule.state is not State.REMOVED]


def holding(books: Selects, broken: Sequence[Broken]) -> list[Rule]:
    """Return those of the ``broken`` versions that still hold: one that was changed meanwhile punishes nobody."""
    newest = [each for each in broken if books.select(_NEWEST, (each.rule,))[0][0] == each.version]
    rules = [_rule(row) for each in newest for row in books.select(_VERSION, each)]
    return [rule for rule in rules if rule.holds]


def _rule(row: Any) -> Rule:
    return Rule(
        row["rule"],
        row["version"],
        row["chat"],
        Kind(row["kind"]),
        row["person"],
        State(row["state"]),
        parameters_of(row["parameters"]),
        consequence_of(row["consequence"]),
    )


def described(rule: Rule | None) -> dict[str, Any]:
    """Return ``rule`` as the audit log of admins shows it."""
    if rule is None:
        return {}
    told = {"rule": rule.number, "version": rule.version, "kind": rule.kind.value, "state": rule.state.value}
    return {
        **told,
        "person": rule.person,
        "parameters": rule.parameters.text(),
        "consequence": rule.consequence.text(),
    }


def decide_rule(view: View, by: Actor, chat: int, wish: Wish, reason: str) -> Decision[Rule]:
    """Write the version of a rule of ``chat`` that ``wish`` makes of those that stand, and log the order.

    Raises Refused ``role_too_low``, ``rules_too_many``, what ``wish`` refuses, and what `logged` does of the reason.
    """
    role = require_role(view, by, Role.ADMIN)
    rules = rules_of(view, chat)
    wanted = wish(rules)
    before = wanted.before
    if before is None and len(rules) >= MOST_RULES:
        raise Refused("rules_too_many", limit=MOST_RULES)
    after = Rule(
        before.number if before else view.select(_NEXT)[0][0],
        before.version + 1 if before else 1,
        before.chat if before else chat,
        *wanted[1:],
    )
    return Decision(
        after, rows=(_insert(after, by, view), logged(by, role, _order(before, after, reason), view.now))
    )


def _insert(rule: Rule, by: Actor, view: View) -> Row:
    facts = {
        "rule": rule.number,
        "version": rule.version,
        "chat": rule.chat,
        "kind": rule.kind.value,
        "person": rule.person,
        "state": rule.state.value,
        "parameters": rule.parameters.text(),
        "consequence": rule.consequence.text(),
        "actor": by.account,
        "at": view.now,
    }
    return Row(_INSERT, facts, changes=1)


def _order(before: Rule | None, after: Rule, reason: str) -> Order:
    action = "rule.removed" if after.state is State.REMOVED else "rule.set"
    return Order(
        action,
        reason,
        target=None if after.person is None else AccountId(after.person),
        chat=after.chat,
        before=described(before),
        after=described(after),
    )
