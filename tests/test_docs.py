"""What the documents name exists: a road that leads past a missing file is worse than none."""

import re
from pathlib import Path

import pytest

import bot.commands
from bot.registry import discover

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
_NAMED = re.compile(
    r"(?<![\w/.])(?:bot|chain|ledger|sandbox|migrations|scripts|tests|docs)/[\w/.-]*\w|\]\(([\w/.-]+)\)"
)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_named_files_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    named = {match[1] or match[0] for match in _NAMED.finditer(text)} - {"migrations/0004_what.sql"}
    missing = sorted(name for name in named if not _stands(name, document.parent))
    assert not missing


def test_every_command_stands_in_the_readme() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    names = {name for command in discover(bot.commands) for name in (command.name, *command.aliases)}
    missing = sorted(name for name in names if not re.search(rf"`/{name}\b", text))
    assert not missing


def test_every_table_stands_in_the_architecture() -> None:
    text = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
    schema = "".join(path.read_text(encoding="utf-8") for path in sorted((ROOT / "migrations").glob("*.sql")))
    missing = sorted(name for name in re.findall(r"CREATE TABLE (\w+)", schema) if f"`{name}`" not in text)
    assert not missing


def _stands(name: str, near: Path) -> bool:
    """Tell whether ``name`` is a path, or a module without its ending as pictures show it."""
    return any((base / spelled).exists() for base in (ROOT, near) for spelled in (name, f"{name}.py"))
