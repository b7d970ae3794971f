"""Coverage-guided fuzzing of one target with atheris; started by scripts/fuzz.

Bytes are changed by libFuzzer; of documents every second change is one odd value at one place (mutation.py). What
raises is written to .cache/fuzz/crashes/<target>: mend it, and keep the input as a case of test_cases.py.
"""

import argparse
import sys
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["bot", "chain", "ledger"]):
    from tests.hostile.targets import JSON_TARGETS, TARGETS

from tests.hostile.mutation import mutate_json

CACHE = Path(".cache/fuzz")
CORPUS = Path(__file__).with_name("corpus")
SLOWEST_SECONDS = 5
"""An input that takes longer is a finding too."""
MOST_MEGABYTES = 2048


def change(source: bytes, longest: int, seed: int) -> bytes:
    """Return ``source`` changed once, by its structure or by its bytes."""
    changed = mutate_json(source, seed) if seed % 2 else None
    if changed is not None and len(changed) <= longest:
        return changed
    return bytes(atheris.Mutate(source, longest))


def run(target: str, seconds: int) -> None:
    """Fuzz ``target`` for ``seconds``; ends the process, with another exit code than 0 when something was found."""
    found, crashes = CACHE / "corpus" / target, CACHE / "crashes" / target
    for directory in (found, crashes):
        directory.mkdir(parents=True, exist_ok=True)
    options = {
        "max_total_time": seconds,
        "max_len": 8192,
        "timeout": SLOWEST_SECONDS,
        "rss_limit_mb": MOST_MEGABYTES,
        "artifact_prefix": f"{crashes}/",
        "print_final_stats": 1,
        "verbosity": 0,
    }
    flags = [f"-{name}={value}" for name, value in options.items()]
    more = {"custom_mutator": change} if target in JSON_TARGETS else {}
    atheris.Setup([sys.argv[0], *flags, str(found), str(CORPUS / target)], TARGETS[target], **more)
    atheris.Fuzz()


def main() -> None:
    """Read the arguments and fuzz."""
    parser = argparse.ArgumentParser()
    parser.add_argument("target", choices=sorted(TARGETS))
    parser.add_argument("--seconds", type=int, default=60)
    options = parser.parse_args()
    run(options.target, options.seconds)


if __name__ == "__main__":
    main()
