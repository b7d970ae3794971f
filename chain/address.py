"""Addresses as people and the chain write them, and which of them may be paid (chain.md, Withdrawals, Destination)."""

import re
from collections.abc import Iterable
from hashlib import sha256
from typing import Final, NamedTuple

import bech32
from bip_utils.utils.crypto import Hash160

from ledger.errors import Refused

_MAX_LENGTH: Final = 1023
"""The SDK's own limit, far above the 90 characters of the bech32 proposal."""
_SEPARATOR: Final = "1"
_CHECKSUM_LENGTH: Final = 6
_ALPHABET: Final = re.compile(rf"[{bech32.CHARSET}]*\Z")
_PREFIX: Final = re.compile(r"[!-~]{1,83}\Z")
_LENGTHS: Final = (20, 32)
"""Keys have addresses of 20 bytes, contracts and modules' derived accounts of 32."""


class Destination(NamedTuple):
    """An address that may be paid: its lower-case spelling and its bytes."""

    text: str
    raw: bytes


def encode(prefix: str, raw: bytes) -> str:
    """Return the lower-case bech32 spelling of ``raw``."""
    groups = bech32.convertbits(raw, 8, 5)
    assert groups is not None, "bytes always convert to groups of five bits"
    return bech32.bech32_encode(prefix, groups)


def decode(text: str, prefix: str) -> bytes:
    """Return the bytes of an address in lower or upper case, of any length that the chain accepts (1 to 255).

    Raises Refused: ``not_an_address``, ``mixed_case``, ``wrong_prefix`` (facts: found, expected), ``bad_checksum``,
    ``wrong_length`` (facts: length).
    """
    found, body = _split(text)
    if found != prefix:
        raise Refused("wrong_prefix", found=found, expected=prefix)
    _, groups = bech32.bech32_decode(f"{found}{_SEPARATOR}{body}")
    if groups is None:
        raise Refused("bad_checksum")
    octets = bech32.convertbits(groups, 5, 8, pad=False)
    if octets is None or not 0 < len(octets) < 256:
        raise Refused("wrong_length", length=len(octets or ()))
    return bytes(octets)


def destination(text: str, prefix: str, treasury: bytes, modules: Iterable[str]) -> Destination:
    """Return where a withdrawal to ``text`` would go.

    ``modules`` are names of module accounts: some of them accept money and keep it without an error. Raises Refused
    as `decode` does, and ``wrong_length`` also for a length that nobody's address has, ``own_treasury``,
    ``module_account`` (facts: module).
    """
    raw = decode(text, prefix)
    if len(raw) not in _LENGTHS:
        raise Refused("wrong_length", length=len(raw))
    if raw == treasury:
        raise Refused("own_treasury")
    for module in modules:
        if raw == module_address(module):
            raise Refused("module_account", module=module)
    return Destination(encode(prefix, raw), raw)


def checked_memo(memo: str, limit_bytes: int) -> str:
    """Return ``memo`` if the chain takes it; raises Refused ``memo_too_long`` (facts: bytes, limit) or ``memo_not_text``."""
    try:
        length = len(memo.encode())
    except UnicodeEncodeError as error:
        raise Refused("memo_not_text") from error
    if length > limit_bytes:
        raise Refused("memo_too_long", bytes=length, limit=limit_bytes)
    return memo


def module_address(module: str) -> bytes:
    """Return the address of a module's account."""
    return sha256(module.encode()).digest()[:20]


def key_address(public_key: bytes) -> bytes:
    """Return the address of a compressed secp256k1 public key."""
    raw: bytes = Hash160.QuickDigest(public_key)
    return raw


def _split(text: str) -> tuple[str, str]:
    """Return the prefix and the rest, both in lower case."""
    if text not in {text.lower(), text.upper()}:
        raise Refused("mixed_case")
    found, separator, body = text.lower().rpartition(_SEPARATOR)
    well_formed = separator and _PREFIX.match(found) and _ALPHABET.match(body)
    if not well_formed or not text.isascii() or not _CHECKSUM_LENGTH <= len(body) <= _MAX_LENGTH:
        raise Refused("not_an_address")
    return found, body
