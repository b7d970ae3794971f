"""The real node's program, built once for each state of its sources.

``python -m tests.contract.building`` builds it beforehand, so that a first test run need not wait for it.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).parents[2]
SOURCES: Final = REPOSITORY / "tests" / "realnode"
CACHE: Final = REPOSITORY / ".cache" / "realnode"
TIME_LIMIT_SECONDS: Final = 900
"""The first build compiles half a million lines; with warm modules 85 s were seen on two cores."""


class NotBuilt(Exception):  # noqa: N818 - says what is the case
    """There is no program to run; the text is the reason that a skipped test shows."""


def real_node() -> Path:
    """Return the program, built now if these sources never were. Raises NotBuilt."""
    program = CACHE / _digest() / "realnode"
    if program.exists():
        return program
    if shutil.which("go") is None:
        raise NotBuilt("Go is not installed, so there is no real node to test against")
    with one_at_a_time(CACHE):
        if not program.exists():
            _build(program)
    return program


def _digest() -> str:
    content = sha256()
    for name in ("go.mod", "go.sum", "main.go"):
        content.update(sha256((SOURCES / name).read_bytes()).digest())
    return content.hexdigest()[:16]


@contextmanager
def one_at_a_time(directory: Path) -> Iterator[None]:
    """Keep other processes of this machine out of ``directory``, made if need be, while something is put there."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(program: Path) -> None:
    """Build beside the place and move there: a build that was broken off leaves nothing that looks whole."""
    unfinished = program.parent.with_suffix(".unfinished") / "realnode"
    command = ["go", "build", "-mod=readonly", "-ldflags=-s -w", "-o", str(unfinished), "."]
    environment = os.environ | {"GOTOOLCHAIN": "local"}
    try:
        built = subprocess.run(
            command,
            cwd=SOURCES,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=TIME_LIMIT_SECONDS,
        )
    except subprocess.TimeoutExpired as error:
        raise NotBuilt(f"the real node was not built within {TIME_LIMIT_SECONDS} s") from error
    if built.returncode:
        raise NotBuilt(f"the real node does not build here: {built.stderr.strip()[-500:]}")
    program.parent.mkdir(parents=True, exist_ok=True)
    unfinished.rename(program)
    unfinished.parent.rmdir()


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{real_node().relative_to(REPOSITORY)}\n")
    except NotBuilt as reason:
        sys.exit(str(reason))
