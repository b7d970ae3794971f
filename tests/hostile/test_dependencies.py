"""Each dependency has a reason and a licence that permits it, and the list in the documentation tells so."""

from pathlib import Path

import pytest

from scripts.dependency_list import REASONS, Package, allowed, direct_names, packages

DOCUMENT = Path(__file__).parents[2] / "docs" / "dependencies.md"
ROWS = [
    line.split(" | ") for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith("| ")
]


@pytest.mark.parametrize("name", direct_names())
def test_a_direct_dependency_has_a_reason(name: str) -> None:
    assert REASONS.get(name)


def test_no_reason_is_left_of_what_went() -> None:
    assert set(REASONS) == set(direct_names())


@pytest.mark.parametrize("package", packages(None), ids=lambda package: package.name)
def test_a_licence_permits_the_use(package: Package) -> None:
    assert allowed(package.licence)


@pytest.mark.parametrize(
    ("licence", "permitted"),
    [
        ("MIT", True),
        ("MIT OR GPL-3.0-only", True),
        ("(Apache-2.0 OR GPL-2.0-only) AND MIT", False),
        ("Apache-2.0 AND BSD-3-Clause", True),
        ("MIT AND AGPL-3.0-only", False),
        ("GPL-3.0-only", False),
        ("", False),
    ],
)
def test_one_alternative_must_be_permitted_in_all_its_parts(licence: str, *, permitted: bool) -> None:
    assert allowed(licence) is permitted


def test_the_document_lists_every_direct_dependency() -> None:
    listed = {row[0].removeprefix("| ").lower().replace("_", "-") for row in ROWS}
    assert set(direct_names()) <= listed


def test_the_document_is_about_what_is_installed() -> None:
    told = {row[0].removeprefix("| "): (row[2], row[4]) for row in ROWS}
    for package in (each for each in packages(None) if each.direct):
        assert told[package.name] == (package.licence, "yes" if package.typed else "no")
