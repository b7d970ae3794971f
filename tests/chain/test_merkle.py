"""RFC 6962's tree, against the certificate-transparency project's published roots."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chain.light import merkle

LEAVES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = (
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


@pytest.mark.parametrize("count", range(len(ROOTS)))
def test_root_is_the_published_one(count: int) -> None:
    assert merkle.root(LEAVES[:count]).hex() == ROOTS[count]


def split_root(leaves: list[bytes]) -> bytes:
    """The definition of the RFC, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return merkle.leaf(leaves[0])
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return merkle.inner(split_root(leaves[:split]), split_root(leaves[split:]))


@given(st.lists(st.binary(max_size=40), max_size=70))
def test_pairing_upwards_is_the_recursive_split(leaves: list[bytes]) -> None:
    assert merkle.root(leaves) == split_root(leaves)


def test_a_leaf_cannot_pass_for_an_inner_node() -> None:
    left, right = merkle.leaf(b"a"), merkle.leaf(b"b")
    assert merkle.root([left + right]) != merkle.root([b"a", b"b"])


@given(st.lists(st.binary(max_size=8), min_size=1, max_size=20), st.data())
def test_any_changed_leaf_changes_the_root(leaves: list[bytes], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(leaves) - 1))
    changed = [*leaves[:index], leaves[index] + b"\x00", *leaves[index + 1 :]]
    assert merkle.root(changed) != merkle.root(leaves)
