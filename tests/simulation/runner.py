"""Runs one seed in a process of its own: ``python -m tests.simulation.runner SEED STEPS [PACE]``."""

import logging
import os
import sys
import tempfile
import time
from pathlib import Path

import structlog

import bot
from tests.simulation.simulation import Failed, Report, Simulation


def run_seed(seed: int, steps: int, pace: float = 1.0) -> tuple[bool, str]:
    """Run one seed in this process; return whether all was well, and what to print."""
    level = logging.INFO if os.environ.get("SIMULATION_LOG") else logging.CRITICAL
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(level))
    logging.disable(logging.CRITICAL)
    # Each request asks it in vain which event loop runs; what is absent is absent at once.
    sys.modules["sniffio"] = None  # type: ignore[assignment]
    began = time.perf_counter()
    # In memory where there is such a place: what a crash leaves is played, not left to this machine's disk.
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(prefix="moneta-city-", dir=memory) as directory:
        trace = os.environ.get("SIMULATION_TRACE")
        try:
            with Path(trace or os.devnull).open("w") as file:
                report = Simulation(
                    seed, steps, Path(directory), pace=pace, trace=file if trace else None
                ).run()
        except Failed as failure:
            return False, f"FAILED {failure}\nagain: scripts/simulate {seed} --steps {steps} --pace {pace:g}"
    return True, _line(report, time.perf_counter() - began)


def _line(report: Report, seconds: float) -> str:
    return (
        f"seed {report.seed}: {report.steps} steps, {report.simulated_seconds:.0f} simulated seconds"
        f" ({report.simulated_seconds / seconds:.0f} a second), {report.crashes} crashes, {report.checks} quiet points,"
        f" digest {report.digest[:32]}, of the loop {report.loop_digest[:16]}"
    )


if __name__ == "__main__":
    if os.environ.get("SIMULATION_WHERE"):
        print(bot.__file__)
    passed, told = run_seed(int(sys.argv[1]), int(sys.argv[2]), *map(float, sys.argv[3:]))
    print(told, flush=True)
    # The dead are still in memory, and must not run a single ``finally``.
    os._exit(0 if passed else 1)
