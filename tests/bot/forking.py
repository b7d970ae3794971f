"""The command ``moneta`` in processes of their own that begin at once: forked from one that has imported it already.

Most of what a short command takes is its imports. Each process is left by ``main`` as one that an operator starts is.
"""

import gc
import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, NamedTuple

from bot.cli import main

ROOT = Path(__file__).parents[2]


class Ended(NamedTuple):
    """What a process left: its exit code (negative: the signal that killed it), and what it wrote."""

    returncode: int
    stdout: str
    stderr: str


class Forks:
    """Starts commands, one after another; what they write goes through files in ``directory``. Close it."""

    def __init__(self, directory: Path) -> None:
        self._written = (directory / "stdout", directory / "stderr")
        self._parent = subprocess.Popen(
            (sys.executable, "-m", __name__),
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run(
        self, arguments: tuple[str, ...], environment: Mapping[str, str], *, largest_file: int | None
    ) -> Ended:
        """Run ``moneta`` with ``arguments``; it may write no file beyond ``largest_file`` bytes."""
        asked = {
            "arguments": arguments,
            "environment": dict(environment),
            "largest_file": largest_file,
            "written": [str(path) for path in self._written],
        }
        asking, answers = self._pipes()
        asking.write(json.dumps(asked) + "\n")
        asking.flush()
        return Ended(int(answers.readline()), *(path.read_text() for path in self._written))

    def close(self) -> None:
        """End what it forks from."""
        for pipe in self._pipes():
            pipe.close()
        self._parent.wait(30)

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        assert self._parent.stdin is not None
        assert self._parent.stdout is not None
        return self._parent.stdin, self._parent.stdout


def _become(asked: Mapping[str, Any]) -> None:
    os.environ.update(asked["environment"])
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    for descriptor, path in enumerate(asked["written"], 1):
        os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), descriptor)
    if asked["largest_file"] is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (asked["largest_file"],) * 2)


def _serve() -> None:
    gc.freeze()  # what was imported is shared by all and looked through by none
    while line := sys.stdin.readline():
        asked = json.loads(line)
        child = os.fork()
        if not child:
            _become(asked)
            sys.exit(main(asked["arguments"]))
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    _serve()
