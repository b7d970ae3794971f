"""A client that this project did not write finds in both nodes what it finds on the chain."""

import json
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pytest

from chain.adr36 import proves, read_proof, signed_bytes
from tests.contract.building import REPOSITORY, one_at_a_time
from tests.contract.conftest import RICHES
from tests.contract.node import DENOM, Node
from tests.contract.signing import PREFIX, Draft, Person

pytestmark = pytest.mark.cosmjs

SOURCES: Final = REPOSITORY / "tests" / "cosmjs"
FILES: Final = ("package.json", "package-lock.json", "deposit.mjs", "adr36.mjs")
CACHE: Final = REPOSITORY / ".cache" / "cosmjs"
INSTALL_SECONDS: Final = 300
RUN_SECONDS: Final = 50
MNEMONIC: Final = "abandon " * 11 + "about"
ADDRESS: Final = "juno19rl4cm2hmr8afy4kldpxz3fka4jguq0a2jwxcf"
"""What cosmpy, bip-utils and CosmJS all make of these words (chain.md, Parameters)."""
AMOUNT: Final = 1_250_000


@pytest.fixture(scope="session")
def scripts() -> Path:
    """Return where the scripts are, beside their installed packages; skips where Node.js is absent or they cannot be had."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("Node.js is not installed, so there is no second client to test with")
    digest = sha256(b"".join((SOURCES / name).read_bytes() for name in FILES)).hexdigest()[:16]
    with one_at_a_time(CACHE):
        place = CACHE / digest
        if not (place / "installed").exists():
            _install(npm, place)
    return place


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
def deposit(node: Node, scripts: Path, funded: None, bob: Person) -> dict[str, Any]:
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
    return ran(scripts / "deposit.mjs", facts)


def ran(script: Path, facts: dict[str, Any]) -> dict[str, Any]:
    """Return what ``script`` says of ``facts``."""
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


def test_a_text_that_cosmjs_signs_is_proved(scripts: Path) -> None:
    """Whatever the text: what wallets of this library give is read and holds, and was signed over the same bytes."""
    texts = [
        "Moneta: deposit 12 goes to Telegram account 11.",
        "",
        '<a> & \u2028 \u00e4 \U0001f600 "quoted" \\ \n',
    ]
    said = ran(scripts / "adr36.mjs", {"mnemonic": MNEMONIC, "prefix": PREFIX, "texts": texts})
    assert said["address"] == ADDRESS
    for text, answer in zip(texts, said["answers"], strict=True):
        assert answer["bytes"].encode() == signed_bytes(ADDRESS, text)
        proof = read_proof(json.dumps(answer["signature"]))
        assert proves(proof, PREFIX, ADDRESS, text)
        assert not proves(proof, PREFIX, ADDRESS, f"{text} ")
