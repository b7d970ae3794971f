"""Every act of the ledger in one machine: a model predicts each outcome, refusals by their code, and the audit agrees."""

import tempfile
from pathlib import Path
from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tests.ledger.players import Players

STEPS = 500
EVERYTHING = {
    "assign", "transfer", "fine", "pay_fine", "pay_all_fines", "jail", "pay_bail", "end_jail", "give", "claim",
    "cancel_giveaway", "end_giveaway", "open_shared", "invite", "accept", "fill_shared", "spend_shared", "revoke",
    "close_shared", "withdraw", "grant", "cancel", "pay_out", "pay_out failed",
}  # fmt: skip
"""What must have succeeded at least once: a machine that is only ever refused shows nothing."""


class Everything(RuleBasedStateMachine):
    """Short runs, which Hypothesis makes shorter when one fails."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()

    @initialize()
    def open(self) -> None:
        self.players = Players(Path(self.folder.name) / "books.db")

    @rule(rng=st.randoms(use_true_random=False))
    def act(self, rng: Random) -> None:
        self.players.act(rng)

    @invariant()
    def books_and_model_agree(self) -> None:
        self.players.check()

    def teardown(self) -> None:
        if hasattr(self, "players"):
            self.players.audit()
            self.players.bank.writer.close()
        self.folder.cleanup()


TestEverything = Everything.TestCase
TestEverything.settings = settings(max_examples=15, stateful_step_count=40)


def walk(path: Path, seed: int) -> list[str]:
    """Play 500 acts of ``seed``; return what succeeded.

    Balances are compared after each, and an audit looks at everything after each that committed: most are refused, and
    leave the books that were audited before.
    """
    players, rng = Players(path), Random(seed)
    audited = 0
    for _ in range(STEPS):
        players.act(rng)
        players.check()
        if players.commits() != audited:
            players.audit()
            audited = players.commits()
    players.bank.writer.close()
    return players.done


@pytest.mark.slow
def test_five_hundred_acts_with_an_audit_after_each_commit(tmp_path: Path) -> None:
    done = {act for seed in (1, 2, 3) for act in walk(tmp_path / f"{seed}.db", seed)}
    assert done == EVERYTHING
