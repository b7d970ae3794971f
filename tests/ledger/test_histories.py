"""Whatever the chain does with what the books signed, and however often they are lost: they agree with it in the end."""

import random
from typing import Any, Final, NamedTuple

import pytest

from ledger import backup, blocks, inclusions, replay, spends
from tests.ledger.histories import VARIANTS, failures, live

FIXED: Final = range(1, 4)
MORE: Final = range(4, 54)


class Mistake(NamedTuple):
    """What takes the place of ``replaced`` in a module, and the variant whose first ``seeds`` must notice."""

    module: Any
    replaced: str
    instead: Any
    variant: str
    seeds: int


def _false(*_: Any) -> bool:
    return False


def _true(*_: Any) -> bool:
    return True


def _none(*_: Any, **__: Any) -> None:
    return None


def _empty(*_: Any) -> list[Any]:
    return []


def _nothing(*_: Any) -> int:
    return 0


def _unproved(*_: Any) -> spends.Unproved:
    return spends.Unproved()


def _unproved_of_others(draft: Any, place: Any, proof: Any) -> spends.Unproved:
    return _READ_UNPROVED(draft, place, proof)._replace(used_by_ours=frozenset())


def _waiting_for_what_has_ended(draft: Any, spend: Any, payment: Any, waiting: Any) -> Any:
    return _WAITING_FOR(draft, spend, payment, waiting._replace(ended=set()))


_READ_UNPROVED: Final = spends.read_unproved
_WAITING_FOR: Final = replay._waiting_for

QUICK: Final = {
    "what expires during a replay is returned": Mistake(inclusions, "is_replaying", _false, "ordinary", 8),
    "a restore leaves no mark": Mistake(backup, "_mark", _none, "ordinary", 6),
    "what lost bytes made impossible does not wait again": Mistake(
        replay, "_let_wait", _none, "ordinary", 20
    ),
}
MISTAKES: Final = {
    "no lost payment finds its withdrawal": Mistake(replay, "_waiting_for", _none, "ordinary", 10),
    "one payment more settles it again": Mistake(
        replay, "_waiting_for", _waiting_for_what_has_ended, "equal", 25
    ),
    "ours stay open when lost bytes used their sequence": Mistake(replay, "_is_dead", _false, "rivals", 40),
    "nobody bears what nobody here asked for": Mistake(replay, "_bear", _none, "ordinary", 10),
    "lost bytes cost no fee": Mistake(replay, "_spend_fees", _none, "ordinary", 6),
    "ours fail with a sequence that others used": Mistake(inclusions, "_is_taken", _false, "rivals", 20),
    "ours fail in one block with a proof alone": Mistake(inclusions, "_since", _empty, "ordinary", 6),
    "a wrong sequence counts as used": Mistake(inclusions, "ANTE_ONLY_CODES", frozenset(), "strangers", 30),
    "blocks that nobody proves are forgotten": Mistake(inclusions, "read_unproved", _unproved, "unpaid", 15),
    "the balance is not asked which attempt failed": Mistake(inclusions, "_missing", _nothing, "bumped", 20),
    "what ours used unproved is forgotten": Mistake(
        inclusions, "read_unproved", _unproved_of_others, "rivals", 60
    ),
    "strangers are not watched": Mistake(blocks, "_watch_for_strangers", _true, "strangers", 10),
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_fixed_seeds(variant: str) -> None:
    for seed in FIXED:
        live(seed, variant)


@pytest.mark.parametrize("variant", VARIANTS)
def test_fresh_seeds(variant: str) -> None:
    """A failure prints its seed, with which it can be lived again."""
    for _ in range(2):
        live(random.SystemRandom().randrange(10**9), variant)


@pytest.mark.slow
@pytest.mark.parametrize("variant", VARIANTS)
def test_more_seeds(variant: str) -> None:
    for seed in MORE:
        live(seed, variant)


@pytest.mark.parametrize("name", QUICK)
def test_a_planted_mistake_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Histories that cannot end badly would prove nothing."""
    _hunt(QUICK[name], monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("name", MISTAKES)
def test_more_planted_mistakes_are_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _hunt(MISTAKES[name], monkeypatch)


def _hunt(mistake: Mistake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mistake.module, mistake.replaced, mistake.instead)
    found = next(failures(range(1, mistake.seeds + 1), mistake.variant), None)
    assert found is not None, f"survived {mistake.seeds} seeds"
