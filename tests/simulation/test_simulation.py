"""The simulation in the suite: the same seed is the same run, a few seeds are fixed, a few are fresh.

What a seed found once is planted again as a mistake (tests/simulation/mistakes, "until a seed found it"): the seed itself draws
otherwise as soon as a flow joins, and would prove nothing any more.
"""

import random
from functools import partial

import pytest

from tests.simulation.planting import ROOT, run_program

run = partial(run_program, ROOT)
"""The program as it stands, in a process of its own."""

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_fixed_seeds(seed: int) -> None:
    code, story = run(seed, 250)
    assert code == 0, story


@pytest.mark.parametrize("_time", ["first", "second"])
def test_fresh_seeds(_time: str) -> None:
    """A failure prints its seed, with which it can be run again."""
    code, story = run(random.SystemRandom().randrange(10**9), 250)
    assert code == 0, story


def test_the_same_seed_is_the_same_run() -> None:
    first, again = run(11, 100), run(11, 100)
    assert first[0] == 0, first[1]
    assert first[1].rpartition("digest ")[2] == again[1].rpartition("digest ")[2]
