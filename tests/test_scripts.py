"""What a newcomer starts first, whatever became of it the last time."""

import subprocess
from pathlib import Path

ENVIRONMENT = Path(__file__).parents[1] / "scripts" / "environment"
PYTHON = """#!/bin/sh
[ "$*" = "-m venv .venv" ] || exit 0
mkdir -p .venv/bin
printf '#!/bin/sh\\necho "$*" >>asked\\n' >.venv/bin/python
chmod +x .venv/bin/python
"""


def executable(path: Path, script: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(script)
    path.chmod(0o755)


def make(place: Path) -> None:
    """Make the environment in ``place``, by a Python that installs nothing."""
    for name in ("requirements.txt", "requirements-test.txt", "pyproject.toml"):
        (place / name).touch()
    executable(place / "bin" / "python3.11", PYTHON)
    script = f"set -euo pipefail; PATH=$PWD/bin:/usr/bin:/bin; . {ENVIRONMENT} requirements.txt"
    subprocess.run(["/bin/bash", "-c", script], cwd=place, timeout=60, check=True)


def test_an_environment_is_made_once(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / "asked").unlink()
    make(tmp_path)
    assert not (tmp_path / "asked").exists()


def test_an_environment_that_was_broken_off_is_made_again(tmp_path: Path) -> None:
    """Its Python stands before the pip inside of it: whoever stopped the first start would never come further."""
    executable(tmp_path / ".venv" / "bin" / "python", "#!/bin/sh\necho 'No module named pip' >&2\nexit 1\n")
    make(tmp_path)
    assert "pip install" in (tmp_path / "asked").read_text()
