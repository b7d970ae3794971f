"""``scripts/simulate``: one seed, or several on all cores; prints the digest of each, or the story of a failure."""

import argparse
import itertools
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from types import MappingProxyType
from typing import Final

from tests.simulation.mistakes import MISTAKES
from tests.simulation.planting import PAGE, CannotBePlanted, hunt, page_of

HANGS_AFTER_SECONDS: Final = 1_800


def main() -> int:
    """Run the seeds that were asked for; the exit code tells whether all was well."""
    parser = argparse.ArgumentParser("scripts/simulate", description=__doc__)
    parser.add_argument("seed", type=int, nargs="?", help="the first seed (default: a fresh one)")
    parser.add_argument("--steps", type=int, default=500, help="acts of people in each run (default: 500)")
    parser.add_argument(
        "--pace",
        type=float,
        default=1.0,
        help="seconds between two acts, on average (default: 1, a rush; of 20 people, 8 is a lively group)",
    )
    parser.add_argument("--seeds", type=int, default=1, help="how many seeds, counted up from the first")
    parser.add_argument(
        "--mistakes",
        nargs="?",
        const="",
        metavar="WORD",
        help="plant each known mistake, or those with WORD in their name, and look who finds it",
    )
    parser.add_argument(
        "--trace", action="store_true", help="run the seed twice and find where the runs part"
    )
    options = parser.parse_args()
    if options.mistakes is not None:
        return plant_all(options.mistakes)
    first = options.seed if options.seed is not None else random.SystemRandom().randrange(10**9)
    if options.trace:
        return trace(first, options.steps, options.pace)
    failed = 0
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as workers:
        runs = [
            workers.submit(run, seed, options.steps, options.pace)
            for seed in range(first, first + options.seeds)
        ]
        for done in as_completed(runs):
            good, text = done.result()
            failed += not good
            print(text, flush=True)
    if options.seeds > 1:
        print(f"{options.seeds - failed} seeds passed, {failed} failed")
    return 1 if failed else 0


def plant_all(word: str) -> int:
    """Plant every mistake with ``word`` in its name; tell which seed caught it, and by which check.

    A hunt for all of them, without a word, writes the page of the documentation.
    """
    chosen = [mistake for mistake in MISTAKES if word in mistake.name]
    findings: dict[str, str] = {}
    survivors = 0
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as workers:
        for mistake, hunted in [(mistake, workers.submit(hunt, mistake)) for mistake in chosen]:
            try:
                caught = hunted.result()
            except CannotBePlanted as error:
                caught, found = None, f"CANNOT BE PLANTED: {error}"
            else:
                found = f"seed {caught.seed}: {caught.check[:100]}" if caught else "SURVIVED"
            survivors += caught is None
            findings[mistake.name] = found
            print(f"{mistake.name:62} within {mistake.within:2}  {found}", flush=True)
    print(f"{len(chosen) - survivors} of {len(chosen)} mistakes were caught")
    if not word:
        PAGE.write_text(page_of(findings), encoding="utf-8")
    return 1 if survivors else 0


def trace(seed: int, steps: int, pace: float) -> int:
    """Run ``seed`` twice, writing down every step; print the first in which the two runs differ."""
    with tempfile.TemporaryDirectory(prefix="moneta-trace-") as directory:
        paths = [Path(directory) / name for name in ("first", "second")]
        for path in paths:
            print(run(seed, steps, pace, {"SIMULATION_TRACE": str(path)})[1], flush=True)
        with paths[0].open() as first, paths[1].open() as second:
            for number, (one, other) in enumerate(itertools.zip_longest(first, second), start=1):
                if one != other:
                    print(f"step {number} differs:\n  {one}  {other}")
                    return 1
    print("the same run, step by step")
    return 0


def run(
    seed: int, steps: int, pace: float = 1.0, more: Mapping[str, str] = MappingProxyType({})
) -> tuple[bool, str]:
    """Run one seed in a process of its own; return whether all was well, and what it printed."""
    command = (sys.executable, "-m", "tests.simulation.runner", str(seed), str(steps), str(pace))
    environment = {**os.environ, "PYTHONHASHSEED": "0", **more}
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=HANGS_AFTER_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return False, f"seed {seed}: no end after {HANGS_AFTER_SECONDS} s"
    return done.returncode == 0, (done.stdout or done.stderr).rstrip()


if __name__ == "__main__":
    sys.exit(main())
