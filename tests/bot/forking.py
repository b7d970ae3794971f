"""The command ``moneta`` in processes of their own that begin at once: most of what a short command takes is its imports."""

import os
import resource
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bot.cli import main
from tests.warm import ended


class Ended(NamedTuple):
    """What a process left: its exit code (negative: the signal that killed it), and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


def run(
    directory: Path, arguments: Sequence[str], environment: Mapping[str, str], *, largest_file: int | None
) -> Ended:
    """Run ``moneta`` with ``arguments``; it may write no file beyond ``largest_file`` bytes.

    What it writes goes through files in ``directory``.
    """
    written = (directory / "stdout", directory / "stderr")
    code = ended(_run, written, arguments, environment, largest_file)
    return Ended(code, *(path.read_text() for path in written))


def _run(
    written: Sequence[Path],
    arguments: Sequence[str],
    environment: Mapping[str, str],
    largest_file: int | None,
) -> None:
    os.environ.update(environment)
    for descriptor, path in enumerate(written, 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
    if largest_file is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    sys.exit(main(arguments))
