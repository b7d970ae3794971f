"""Planted mistakes: proof that the simulation can fail. Each is a small patch that a seed must catch.

A patch is applied to a copy of the program, which then runs in the city as it is. What survives is a hole in people,
troubles or checks. Some rules of the program are kept twice, by the code and by the database: there one removal alone
changes nothing, so the mistake removes both, and its row says so.
"""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from textwrap import shorten
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs/planted-mistakes.md"
COPIED: Final = ("bot", "ledger", "chain", "migrations", "sandbox", "tests/simulation")
STEPS: Final = 600
"""So that each of many flows is met often enough."""
HANGS_AFTER_SECONDS: Final = 900
MOST_CHARACTERS: Final = 110
"""Of what was found, on the page."""


class Edit(NamedTuple):
    """One replacement: ``old`` stands exactly once in ``path``."""

    path: str
    old: str
    new: str


class Mistake(NamedTuple):
    """A mistake, and within how many seeds, counted from 1, it must be caught. ``note``: what makes it a real one."""

    name: str
    within: int
    edits: tuple[Edit, ...]
    note: str = ""


class Caught(NamedTuple):
    """The first seed that found a mistake, and what it said."""

    seed: int
    check: str


class CannotBePlanted(Exception):  # noqa: N818 - the field's words
    """The text that a patch replaces does not stand exactly once in its file: the patch must follow the program."""


def plant(mistake: Mistake, root: Path) -> None:
    """Apply ``mistake`` to the program in ``root``. Raises CannotBePlanted."""
    for edit in mistake.edits:
        path = root / edit.path
        text = path.read_text()
        if text.count(edit.old) != 1:
            raise CannotBePlanted(
                f"{mistake.name}: {edit.path} has {text.count(edit.old)} times {edit.old!r}"
            )
        path.write_text(text.replace(edit.old, edit.new))


@contextmanager
def copy_of_program() -> Iterator[Path]:
    """Yield a directory with a copy of the program and of the simulation."""
    with tempfile.TemporaryDirectory(prefix="moneta-mistake-") as directory:
        root = Path(directory)
        for name in COPIED:
            shutil.copytree(ROOT / name, root / name)
        (root / "tests/__init__.py").touch()
        yield root


def run_program(root: Path, seed: int, steps: int) -> tuple[int, str]:
    """Run a seed with the program in ``root``, in a process of its own; return its exit code and what it printed."""
    command = (sys.executable, "-m", "tests.simulation.runner", str(seed), str(steps))
    environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": str(root)}
    done = subprocess.run(
        command,
        cwd=root,
        env=environment,
        capture_output=True,
        text=True,
        timeout=HANGS_AFTER_SECONDS,
        check=False,
    )
    return done.returncode, done.stdout or done.stderr


def hunt(mistake: Mistake, *, first: int = 1, seeds: int | None = None) -> Caught | None:
    """Run seeds with ``mistake`` planted until one finds it; None when it survives.

    A seed that fails without the mistake as well has found nothing. Raises CannotBePlanted also for a copy that does not run.
    """
    with copy_of_program() as root:
        plant(mistake, root)
        for seed in range(first, first + (seeds or mistake.within)):
            code, told = run_program(root, seed, STEPS)
            if code == 0:
                continue
            if "FAILED seed" not in told:
                raise CannotBePlanted(f"{mistake.name}: the copy does not run:\n{told}")
            if passes(seed):
                return Caught(seed, _first_check(told))
    return None


@cache
def passes(seed: int) -> bool:
    """Tell whether the program as it stands passes ``seed``."""
    code, _ = run_program(ROOT, seed, STEPS)
    return code == 0


def applies(mistake: Mistake) -> None:
    """Check that ``mistake`` can be planted into the program as it stands. Raises CannotBePlanted."""
    for edit in mistake.edits:
        count = (ROOT / edit.path).read_text().count(edit.old)
        if count != 1:
            raise CannotBePlanted(f"{mistake.name}: {edit.path} has {count} times {edit.old!r}")


def brief(found: str) -> str:
    """Return ``found`` as one cell of the page: ids, addresses and hashes would only widen it."""
    return shorten(_LONG.sub("…", found).replace("|", "/"), MOST_CHARACTERS, placeholder=" …")


def page_of(findings: Mapping[str, str]) -> str:
    """Return the page of the documentation: by name of a mistake, which seed caught it, and what it said (`brief`)."""
    return "\n".join([_HEAD, *(f"| {name} | {found} |" for name, found in findings.items()), ""])


def rows_of(page: str) -> dict[str, str]:
    """Return what `page_of` was given to make ``page``."""
    _, _, table = page.partition("|---|---|\n")
    return dict(row.removeprefix("| ").removesuffix(" |").split(" | ") for row in table.splitlines())


_LONG: Final = re.compile(r"(?<=\w{6})\w{14,}")
_HEAD: Final = f"""# Mistakes that are planted, and what finds them

Written by `scripts/simulate --mistakes`; with a WORD only the rows of mistakes that have it in their name. Each is a small
patch of a copy of the program (`tests/simulation/mistakes`), of the kind that such programs really have. Seeds are run from 1
on, {STEPS} acts each, until one fails that the program passes without the patch. What is said is the first thing that was found
wrong, by the books, the chain or the chats: the run knows nothing of the patch.

| mistake | the first seed that caught it, and what it said |
|---|---|"""


def _first_check(told: str) -> str:
    return next((line.strip()[2:] for line in told.splitlines() if line.startswith("  ! ")), told)
