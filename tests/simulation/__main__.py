"""``scripts/simulate``: one seed, or several on all cores; prints the digest of each, or the story of a failure."""

import argparse
import gc
import itertools
import multiprocessing
import os
import random
import sys
import tempfile
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Final

from tests.simulation.mistakes import MISTAKES
from tests.simulation.planting import PAGE, CannotBePlanted, brief, hunt, page_of, rows_of
from tests.simulation.runner import run_seed

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
        alone = ("seed", "steps", "pace", "seeds", "trace")
        if mixed := [name for name in alone if getattr(options, name) != parser.get_default(name)]:
            parser.error(f"--mistakes has its own seeds and steps: leave out {', '.join(mixed)}")
        return plant_all(options.mistakes)
    first = options.seed if options.seed is not None else random.SystemRandom().randrange(10**9)
    if options.trace:
        return trace(first, options.steps, options.pace)
    failed = 0
    for passed, told in run_all(range(first, first + options.seeds), options.steps, options.pace):
        failed += not passed
        print(told, flush=True)
    if options.seeds > 1:
        print(f"{options.seeds - failed} seeds passed, {failed} failed")
    return 1 if failed else 0


def plant_all(word: str) -> int:
    """Plant every mistake with ``word`` in its name; tell which seed caught it, and by which check.

    The page of the documentation says of each what its last hunt found.
    """
    chosen = [mistake for mistake in MISTAKES if word in mistake.name]
    findings: dict[str, str] = {}
    survivors = 0
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as workers:
        for mistake, hunted in [(mistake, workers.submit(hunt, mistake)) for mistake in chosen]:
            try:
                caught = hunted.result()
            except CannotBePlanted as error:
                caught, found = None, brief(f"CANNOT BE PLANTED: {error}")
            else:
                found = brief(f"seed {caught.seed}: {caught.check}") if caught else "SURVIVED"
            survivors += caught is None
            findings[mistake.name] = found
            print(f"{mistake.name:62} within {mistake.within:2}  {found}", flush=True)
    print(f"{len(chosen) - survivors} of {len(chosen)} mistakes were caught")
    said = rows_of(PAGE.read_text(encoding="utf-8")) | findings
    ordered = {mistake.name: said[mistake.name] for mistake in MISTAKES if mistake.name in said}
    PAGE.write_text(page_of(ordered), encoding="utf-8")
    return 1 if survivors else 0


def trace(seed: int, steps: int, pace: float) -> int:
    """Run ``seed`` twice, writing down every step; print the first in which the two runs differ."""
    with tempfile.TemporaryDirectory(prefix="moneta-trace-") as directory:
        paths = [Path(directory) / name for name in ("first", "second")]
        for path in paths:
            os.environ["SIMULATION_TRACE"] = str(path)
            for _, told in run_all([seed], steps, pace):
                print(told, flush=True)
        with paths[0].open() as first, paths[1].open() as second:
            for number, (one, other) in enumerate(itertools.zip_longest(first, second), start=1):
                if one != other:
                    print(f"step {number} differs:\n  {one}  {other}")
                    return 1
    print("the same run, step by step")
    return 0


def run_all(seeds: Sequence[int], steps: int, pace: float = 1.0) -> Iterator[tuple[bool, str]]:
    """Run each seed in a process of its own; yield, as they end, whether all was well and what to print.

    Each is forked from this one, which has everything imported and run nothing: so the same seed is the same run.
    """
    if os.environ.get("PYTHONHASHSEED") != "0":
        raise RuntimeError("sets must have one order in every process: PYTHONHASHSEED must be 0")
    gc.freeze()
    with multiprocessing.get_context("fork").Pool(os.cpu_count(), maxtasksperchild=1) as processes:
        runs = processes.imap_unordered(partial(_run, steps=steps, pace=pace), seeds)
        waiting = set(seeds)
        while waiting:
            try:
                seed, passed, told = runs.next(timeout=HANGS_AFTER_SECONDS)
            except multiprocessing.TimeoutError:
                yield False, f"no end after {HANGS_AFTER_SECONDS} s of one of the seeds {sorted(waiting)}"
                return
            waiting.remove(seed)
            yield passed, told


def _run(seed: int, *, steps: int, pace: float) -> tuple[int, bool, str]:
    try:
        return seed, *run_seed(seed, steps, pace)
    except Exception:  # noqa: BLE001 - the boundary of a run: what broke it is told like a failure
        return seed, False, f"seed {seed}: {traceback.format_exc()}"


if __name__ == "__main__":
    sys.exit(main())
