"""docs/chain-proof.md names tests that are there, and the program does what no other test can show."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "chain-proof.md"
NAMED = re.compile(r"`(tests/[a-z_/]+\.py)::([a-z_0-9]+)`")
CHAPTERS = (
    "Reading the chain",
    "What is believed",
    "Deposits",
    "Several nodes",
    "Withdrawals",
    "Instances, books and backups",
    "Reconciliation",
)


def rules() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return each rule with the tests that it names."""
    rows = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("| ")]
    return [(row.split("|")[1].strip(), NAMED.findall(row)) for row in rows if not row.startswith("| Rule ")]


def functions_of(path: str) -> set[str]:
    tree = ast.parse((ROOT / path).read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


@pytest.mark.parametrize("path", sorted({path for _, named in rules() for path, _ in named}))
def test_every_test_that_is_named_exists(path: str) -> None:
    named = {name for _, tests in rules() for file, name in tests if file == path}
    assert named <= functions_of(path)


def test_every_rule_has_a_test() -> None:
    assert [rule for rule, tests in rules() if not tests] == []
    assert len(rules()) > 60


def test_no_test_is_spelled_in_another_way() -> None:
    text = DOCUMENT.read_text()
    assert text.count("::") == len(NAMED.findall(text))


def test_every_chapter_stands() -> None:
    assert tuple(re.findall(r"^## (.+)$", DOCUMENT.read_text(), re.MULTILINE)) == CHAPTERS


@pytest.mark.parametrize("path", sorted((ROOT / "chain").rglob("*.py")), ids=lambda path: path.name)
def test_nothing_is_searched_for(path: Path) -> None:
    """Indexes of transactions are off, pruned or partial: no call of ours asks one (chain.md, Deposits 1)."""
    nodes = list(ast.walk(ast.parse(path.read_text())))
    texts = {node.value for node in nodes if isinstance(node, ast.Constant)}
    calls = [node for node in nodes if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)]
    asked = {ast.literal_eval(call.args[0]) for call in calls if _asks(call)}
    assert not texts & {"tx_search", "block_search", "/tx"}
    assert "tx" not in asked


def _asks(call: ast.Call) -> bool:
    """Tell whether ``call`` is a question to a node by a literal name."""
    named = isinstance(call.func, ast.Attribute) and call.func.attr == "call"
    return named and bool(call.args) and isinstance(call.args[0], ast.Constant)
