"""scripts/bench <part> ...: each part is a module beside this one, with ``main(argv)``."""

import sys
from importlib import import_module

PARTS = ("ledger", "chain", "restart", "hammer")


def main(argv: list[str]) -> int:
    """Run the part that the first argument names; the rest is its own."""
    if not argv or argv[0] not in PARTS:
        print(f"usage: scripts/bench {'|'.join(PARTS)} [--help]", file=sys.stderr)
        return 2
    code: int = import_module(f"scripts.benchmarks.{argv[0]}").main(argv[1:])
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
