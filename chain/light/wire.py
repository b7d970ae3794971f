"""The few protobuf encodings that consensus hashes and signs.

Written out instead of taken from a library, because these bytes must be exactly those of the chain's Go code
(gogoproto), which writes some empty messages where proto3 would leave them out. Field numbers are below 16, as all
that are hashed are: their keys take one byte.
"""

from typing import Final

_VARINT: Final = 0
_FIXED64: Final = 1
_BYTES: Final = 2
_BIT_64: Final = 1 << 64
_ONE_BYTE: Final = 0x80
"""Numbers below take one byte as a varint; nearly all do, so they go a short way."""


def varint(number: int) -> bytes:
    """Return ``number`` in base 128; a negative int64 takes ten bytes, as in two's complement."""
    rest = number % _BIT_64
    if rest < _ONE_BYTE:
        return bytes((rest,))
    out = bytearray()
    while rest >= _ONE_BYTE:
        out.append(rest & 0x7F | 0x80)
        rest >>= 7
    out.append(rest)
    return bytes(out)


def integer(field: int, number: int) -> bytes:
    """Return a varint field, nothing for zero."""
    return bytes((field << 3 | _VARINT,)) + varint(number) if number else b""


def fixed64(field: int, number: int) -> bytes:
    """Return an sfixed64 field, nothing for zero."""
    return bytes((field << 3 | _FIXED64,)) + (number % _BIT_64).to_bytes(8, "little") if number else b""


def octets(field: int, value: bytes) -> bytes:
    """Return a bytes or string field, nothing for an empty one."""
    return message(field, value) if value else b""


def message(field: int, encoded: bytes) -> bytes:
    """Return an embedded message that is always written, also when it is empty."""
    if len(encoded) < _ONE_BYTE:
        return bytes((field << 3 | _BYTES, len(encoded))) + encoded
    return bytes((field << 3 | _BYTES,)) + varint(len(encoded)) + encoded


def delimited(encoded: bytes) -> bytes:
    """Return ``encoded`` behind its length, as votes are signed."""
    return varint(len(encoded)) + encoded
