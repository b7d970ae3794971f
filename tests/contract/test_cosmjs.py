"""A client that this project did not write finds in both nodes what it finds on the chain."""

import json
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pytest

from tests.contract.building import REPOSITORY, one_at_a_time
from tests.contract.conftest import RICHES
from tests.contract.node import DENOM, Node
from tests.contract.signing import PREFIX, Draft, Person

pytestmark = pytest.mark.cosmjs

SOURCES: Final = REPOSITORY / "tests" / "cosmjs"
FILES: Final = ("package.json", "package-lock.json", "deposit.mjs")
CACHE: Final = REPOSITORY / ".cache" / "cosmjs"
INSTALL_SECONDS: Final = 300
RUN_SECONDS: Final = 50
MNEMONIC: Final = "abandon " * 11 + "about"
ADDRESS: Final = "juno19rl4cm2hmr8afy4kldpxz3fka4jguq0a2jwxcf"
"""What cosmpy, bip-utils and CosmJS all make of these words (chain.md, Parameters)."""
AMOUNT: Final = 1_250_000


@pytest.fixture(scope="session")
def script() -> Path:
    """Return the script beside its installed packages; skips where Node.js is absent or they cannot be had."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("Node.js is not installed, so there is no second client to test with")
    digest = sha256(b"".join((SOURCES / name).read_bytes() for name in FILES)).hexdigest()[:16]
    with one_at_a_time(CACHE):
        place = CACHE / digest
        if not (place / "installed").exists():
            _install(npm, place)
    return place / FILES[-1]


def _install(npm: str, place: Path) -> None:
    place.mkdir(exist_ok=True)
    for name in FILES:
        shutil.copyfile(SOURCES / name, place / name)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        done = subprocess.run(
            command, cwd=place, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS
        )
    except subprocess.TimeoutExpired:
        pytest.skip(f"CosmJS was not installed within {INSTALL_SECONDS} s")
    if done.returncode:
        pytest.skip(f"CosmJS cannot be installed here: {done.stderr.strip()[-300:]}")
    (place / "installed").touch()


@pytest.fixture
def funded(node: Node, draft: Draft) -> None:
    """Give the mnemonic's account something to send."""
    node.include(draft.send(ADDRESS, 5_000_000))


@pytest.fixture
def deposit(node: Node, script: Path, funded: None, bob: Person) -> dict[str, Any]:
    """Return what CosmJS says of a deposit that it made."""
    facts = {
        "rpc": node.url,
        "mnemonic": MNEMONIC,
        "prefix": PREFIX,
        "denom": DENOM,
        "gasPrice": f"0.075{DENOM}",
        "recipient": bob.address,
        "amount": str(AMOUNT),
        "memo": "12345",
        "unknown": Person.named("nobody for CosmJS").address,
    }
    done = subprocess.run(
        ["node", str(script)],
        input=json.dumps(facts),
        capture_output=True,
        text=True,
        check=False,
        timeout=RUN_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_cosmjs_makes_a_deposit(node: Node, deposit: dict[str, Any], bob: Person) -> None:
    """One run of the script, and all that it saw: a second run would cost seconds and show the same."""
    assert (deposit["address"], deposit["chainId"], deposit["code"]) == (ADDRESS, node.chain_id, 0)
    assert (deposit["before"], deposit["after"]) == (str(RICHES), str(RICHES + AMOUNT))
    assert deposit["all"] == [{"denom": DENOM, "amount": str(RICHES + AMOUNT)}]
    assert deposit["height"] == deposit["foundHeight"]
    assert deposit["blockTxs"] >= 1
    assert deposit["sequence"] >= 1
    assert deposit["unknown"] is None
    assert "transfer" in deposit["events"]
    assert node.balance(bob.raw_address, height=deposit["height"]) == RICHES + AMOUNT
