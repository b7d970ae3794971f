"""What the documents name exists: a road that leads past a missing file is worse than none."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
_NAMED = re.compile(
    r"(?<![\w/.])(?:bot|chain|ledger|sandbox|migrations|scripts|tests|docs)/[\w/.-]*\w|\]\(([\w/.-]+)\)"
)


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_named_files_exist(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    named = {match[1] or match[0] for match in _NAMED.finditer(text)} - {"migrations/0004_what.sql"}
    missing = sorted(
        name for name in named if not any((base / name).exists() for base in (ROOT, document.parent))
    )
    assert not missing
