"""The chain's addresses, remembered: every transaction spells the same few again and again."""

from functools import lru_cache
from typing import Final

from chain import address

_REMEMBERED: Final = 8_192


@lru_cache(_REMEMBERED)
def encode(prefix: str, raw: bytes) -> str:
    """Return the lower-case bech32 spelling of ``raw``."""
    return address.encode(prefix, raw)


@lru_cache(_REMEMBERED)
def decode(text: str, prefix: str) -> bytes:
    """Return the bytes of an address; raises Refused as `chain.address.decode` does."""
    return address.decode(text, prefix)
