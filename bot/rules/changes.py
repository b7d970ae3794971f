"""What an admin wants of the rules of a chat, as functions from the rules that stand to the one change that is meant."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from bot.rules.model import Consequence, Kind, Parameters, Penalty, Rule, State, Step
from ledger.errors import Refused

MOST_ITEMS: Final = 200
"""Words or domains of one list."""
MILDEST: Final = Consequence(deletes=True)
"""What follows where nobody said it."""


class Change(NamedTuple):
    """The version of a rule that is to be written; ``before`` None: it is a new one."""

    before: Rule | None
    kind: Kind
    person: int | None
    state: State
    parameters: Parameters
    consequence: Consequence


Wish = Callable[[Sequence[Rule]], Change]


def stated(
    kind: Kind,
    person: int | None,
    parameters: Parameters | None = None,
    consequence: Consequence | None = None,
) -> Wish:
    """Have a rule of ``kind`` hold; the one of its kind and person changes, of patterns the one of the same pattern."""

    def change(rules: Sequence[Rule]) -> Change:
        items = parameters.items if parameters and kind is Kind.PATTERN else None
        before = _find(rules, kind, person, items)
        return Change(
            before,
            kind,
            person,
            State.ON,
            parameters or (before.parameters if before else Parameters()),
            consequence or (before.consequence if before else MILDEST),
        )

    return change


def with_items(kind: Kind, person: int | None, items: Sequence[str]) -> Wish:
    """Add ``items`` to the list of ``kind``. Raises Refused ``rules_list_full``."""

    def change(rules: Sequence[Rule]) -> Change:
        wanted = stated(kind, person)(rules)
        listed = tuple(dict.fromkeys((*wanted.parameters.items, *items)))
        if len(listed) > MOST_ITEMS:
            raise Refused("rules_list_full", limit=MOST_ITEMS)
        return wanted._replace(parameters=Parameters(listed))

    return change


def without_items(kind: Kind, person: int | None, items: Sequence[str]) -> Wish:
    """Take ``items`` off the list of ``kind``. Raises Refused ``rules_not_listed``."""

    def change(rules: Sequence[Rule]) -> Change:
        wanted = stated(kind, person)(rules)
        if missing := [item for item in items if item not in wanted.parameters.items]:
            raise Refused("rules_not_listed", typed=missing[0])
        left = tuple(item for item in wanted.parameters.items if item not in items)
        state = wanted.before.state if wanted.before else State.ON
        return wanted._replace(state=state, parameters=Parameters(left))

    return change


def turned(number: int, state: State) -> Wish:
    """Turn rule ``number`` on or off, or remove it. Raises Refused ``rules_unknown``."""

    def change(rules: Sequence[Rule]) -> Change:
        return _same(_numbered(rules, number))._replace(state=state)

    return change


def kind_turned(kind: Kind, person: int | None, state: State) -> Wish:
    """Turn the one rule of ``kind`` on or off. Raises Refused ``rules_none`` and, for patterns, ``rules_which``."""

    def change(rules: Sequence[Rule]) -> Change:
        found = [rule for rule in rules if rule.kind is kind and rule.person == person]
        if not found:
            raise Refused("rules_none", kind=kind.value)
        if len(found) > 1:
            raise Refused("rules_which", kind=kind.value, rule=found[0].number)
        return _same(found[0])._replace(state=state)

    return change


def tuned(number: int, *, deletes: bool | None = None, penalty: Penalty | None = None) -> Wish:
    """Change what the first violation of rule ``number`` brings; a penalty takes the place of all steps."""

    def change(rules: Sequence[Rule]) -> Change:
        before = _numbered(rules, number)
        consequence = before.consequence
        if deletes is not None:
            consequence = replace(consequence, deletes=deletes)
        if penalty is not None:
            consequence = replace(consequence, steps=() if penalty is Penalty.NONE else (Step(penalty),))
        return _same(before)._replace(consequence=consequence)

    return change


def _same(rule: Rule) -> Change:
    return Change(rule, rule.kind, rule.person, rule.state, rule.parameters, rule.consequence)


def _numbered(rules: Sequence[Rule], number: int) -> Rule:
    found = next((rule for rule in rules if rule.number == number and rule.kind is not Kind.ALLOWED), None)
    if found is None:
        raise Refused("rules_unknown", rule=number)
    return found


def _find(
    rules: Sequence[Rule], kind: Kind, person: int | None, items: tuple[str, ...] | None
) -> Rule | None:
    return next(
        (
            rule
            for rule in rules
            if rule.kind is kind and rule.person == person and items in (None, rule.parameters.items)
        ),
        None,
    )
