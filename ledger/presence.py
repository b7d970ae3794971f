"""A name for this process that others can tell dead from alive, without asking a clock.

The name stands for a file beside the database that the process keeps locked. The kernel unlocks it when the process
ends, however it ends: so a restart after a kill takes the roles of the dead at once, and never those of the living.
Where the platform has no such locks, nobody counts as dead and leases are waited for.
"""

import os
from glob import escape
from pathlib import Path
from random import Random
from time import sleep
from typing import Final

try:
    import fcntl
except ImportError:  # not POSIX
    fcntl = None  # type: ignore[assignment]

_SUFFIX: Final = ".alive"
_ATTEMPTS: Final = 10
_PAUSE_SECONDS: Final = 0.01


def fresh_name(random: Random) -> str:
    """Return a name that no other process has."""
    return f"{random.getrandbits(64):016x}"


class Presence:
    """This process beside the database at ``path``, as ``name``: a word unlike any other's. Close it at the end.

    Raises BlockingIOError when a living process has that name.
    """

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        self._path = path
        self._file = self._claim()
        while not _is_at(self._file, self._of(name)):
            os.close(self._file)
            self._file = self._claim()

    def _claim(self) -> int:
        """Return the file, locked; before that, who ends may have taken it along as that of a dead process."""
        file = os.open(self._of(self.name), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _lock(file)
        except BlockingIOError:
            os.close(file)
            raise
        return file

    def _of(self, holder: str) -> Path:
        return self._path.with_name(f"{self._path.name}-{holder}{_SUFFIX}")

    def is_dead(self, holder: str) -> bool:
        """Tell whether the process that called itself ``holder`` has certainly ended."""
        if holder == self.name or fcntl is None or not holder.isalnum():
            return False
        try:
            file = os.open(self._of(holder), os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            # It ended in order and took its file along, or never ran here: then only its lease can tell.
            return False
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(file)
        return True

    def others(self) -> list[str]:
        """Return the names of other processes beside this database that have not certainly ended."""
        names = map(self._name_of, self._files())
        # Another database beside this one may have a longer name that begins alike.
        return sorted(
            name for name in names if name.isalnum() and name != self.name and not self.is_dead(name)
        )

    def _files(self) -> list[Path]:
        """Return the files of all that ever ran beside this database and left one."""
        return list(self._path.parent.glob(f"{escape(self._path.name)}-*{_SUFFIX}"))

    def _name_of(self, path: Path) -> str:
        return path.name.removesuffix(_SUFFIX).removeprefix(f"{self._path.name}-")

    def close(self) -> None:
        """End the presence, after the roles were given up; the files of the dead go too."""
        for path in self._files():
            holder = self._name_of(path)
            if holder == self.name or self.is_dead(holder):
                path.unlink(missing_ok=True)
        os.close(self._file)


def _lock(file: int) -> None:
    """Lock ``file``. Who asks whether its process is alive has it locked for an instant, so one refusal is none."""
    for left in reversed(range(_ATTEMPTS)):
        try:
            if fcntl is not None:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not left:
                raise
            sleep(_PAUSE_SECONDS)
        else:
            return


def _is_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False
