"""Transactions as the chain takes them apart: strictly, byte by byte, and without caring whether text is UTF-8.

A protobuf library would refuse a memo that is not UTF-8; the chain accepts it, and of duplicate fields it takes the
last (chain.md, Deposits 3). What the chain refuses as malformed raises ``Refusal`` with code 2.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from chain import cosmos
from sandbox.node.refusal import INVALID_REQUEST, TX_DECODE, Refusal

VARINT: Final = 0
BYTES: Final = 2
_FIXED: Final = {1: 8, 5: 4}
_NON_CRITICAL: Final = 1 << 10
_LARGEST_AMOUNT_BITS: Final = 256
_DEEPEST_MESSAGE: Final = 10
"""Messages within messages; the chain reads no further."""

NO_AMOUNT: Final = -(1 << 300)
"""An amount that was left out: no number that could be written, and the chain stumbles over it."""

_DIGITS: Final = {
    2: re.compile(r"0[bB](?:_?[01])+\Z"),
    8: re.compile(r"0[oO]?(?:_?[0-7])+\Z"),
    16: re.compile(r"0[xX](?:_?[0-9a-fA-F])+\Z"),
    10: re.compile(r"(?:0|[1-9](?:_?[0-9])*)\Z"),
}

Schema = Mapping[int, int]
TX_RAW: Final[Schema] = {1: BYTES, 2: BYTES, 3: BYTES}
TX_BODY: Final[Schema] = {1: BYTES, 2: BYTES, 3: VARINT, 1023: BYTES, 2047: BYTES}
AUTH_INFO: Final[Schema] = {1: BYTES, 2: BYTES, 3: BYTES}
SIGNER_INFO: Final[Schema] = {1: BYTES, 2: BYTES, 3: VARINT}
MODE_INFO: Final[Schema] = {1: BYTES, 2: BYTES}
SINGLE: Final[Schema] = {1: VARINT}
FEE: Final[Schema] = {1: BYTES, 2: VARINT, 3: BYTES, 4: BYTES}
PACKED: Final[Schema] = {1: BYTES, 2: BYTES}
COIN: Final[Schema] = {1: BYTES, 2: BYTES}
SEND: Final[Schema] = {1: BYTES, 2: BYTES, 3: BYTES}
MULTI_SEND: Final[Schema] = {1: BYTES, 2: BYTES}
SIDE: Final[Schema] = {1: BYTES, 2: BYTES}
EXEC: Final[Schema] = {1: BYTES, 2: BYTES}
GRANT_MESSAGE: Final[Schema] = {1: BYTES, 2: BYTES, 3: BYTES}
GRANT: Final[Schema] = {1: BYTES, 2: BYTES}
TIMESTAMP: Final[Schema] = {1: VARINT, 2: VARINT}
GENERIC_AUTHORIZATION: Final[Schema] = {1: BYTES}
SEND_AUTHORIZATION: Final[Schema] = {1: BYTES, 2: BYTES}
PUBLIC_KEY: Final[Schema] = {1: BYTES}

GENERIC_URL: Final = "/cosmos.authz.v1beta1.GenericAuthorization"
SEND_AUTHORIZATION_URL: Final = "/cosmos.bank.v1beta1.SendAuthorization"


class Coin(NamedTuple):
    """Some of a denom, in base units."""

    denom: str
    amount: int

    def __str__(self) -> str:
        return f"{self.amount}{self.denom}"


Coins = tuple[Coin, ...]


class Side(NamedTuple):
    """An input or an output of a multi-send."""

    address: str
    coins: Coins


@dataclass(frozen=True, slots=True)
class Send:
    """``MsgSend``."""

    sender: str
    recipient: str
    coins: Coins
    url: str = cosmos.MSG_SEND_URL


@dataclass(frozen=True, slots=True)
class MultiSend:
    """``MsgMultiSend``."""

    inputs: tuple[Side, ...]
    outputs: tuple[Side, ...]
    url: str = cosmos.MSG_MULTI_SEND_URL


@dataclass(frozen=True, slots=True)
class Exec:
    """``MsgExec``: what ``grantee`` does in the name of others."""

    grantee: str
    messages: tuple["Message", ...]
    url: str = cosmos.MSG_EXEC_URL


@dataclass(frozen=True, slots=True)
class Authorization:
    """What may be done in the granter's name: one kind of message, and for sends a limit."""

    url: str
    value: bytes
    message_url: str
    spend_limit: Coins | None = None
    allowed: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Grant:
    """``MsgGrant``; ``expiration`` in seconds, None for never."""

    granter: str
    grantee: str
    authorization: Authorization
    expiration: int | None
    encoded: bytes
    url: str = cosmos.MSG_GRANT_URL


Message = Send | MultiSend | Exec | Grant

MESSAGE_URLS: Final = frozenset(
    {cosmos.MSG_SEND_URL, cosmos.MSG_MULTI_SEND_URL, cosmos.MSG_EXEC_URL, cosmos.MSG_GRANT_URL}
)
"""The messages that this chain knows."""


class Signer(NamedTuple):
    """Who signs: the compressed key (empty when left out), how, and the sequence."""

    public_key: bytes
    has_mode: bool
    direct: bool
    sequence: int


@dataclass(frozen=True, slots=True)
class Tx:
    """A transaction as the chain reads it."""

    encoded: bytes
    body: bytes
    auth_info: bytes
    signatures: tuple[bytes, ...]
    messages: tuple[Message, ...]
    memo: bytes
    timeout_height: int
    signer_infos: tuple[Signer, ...]
    has_fee: bool
    fee: Coins
    gas_limit: int
    payer: str
    granter: str


def _varint(encoded: bytes, at: int) -> tuple[int, int]:
    number = 0
    for index in range(10):
        if at + index >= len(encoded):
            raise Refusal(TX_DECODE, "unexpected EOF")
        octet = encoded[at + index]
        number |= (octet & 0x7F) << 7 * index
        if octet < 0x80:
            return number % 2**64, at + index + 1
    raise Refusal(TX_DECODE, "variable length integer overflow")


def _value(encoded: bytes, at: int, kind: int) -> tuple[int | bytes, int]:
    if kind == VARINT:
        return _varint(encoded, at)
    if kind == BYTES:
        length, at = _varint(encoded, at)
    elif kind in _FIXED:
        length = _FIXED[kind]
    else:
        raise Refusal(TX_DECODE, "cannot parse reserved wire type")
    if at + length > len(encoded):
        raise Refusal(TX_DECODE, "unexpected EOF")
    return encoded[at : at + length], at + length


class Fields:
    """The fields of one message, by the rules of its schema."""

    def __init__(self, schema: Schema, encoded: bytes, *, extensible: bool = False) -> None:
        self._found: dict[int, list[int | bytes]] = {}
        at = 0
        while at < len(encoded):
            tag, at = _varint(encoded, at)
            number, kind = tag >> 3, tag & 7
            value, at = _value(encoded, at, kind)
            if schema.get(number) == kind:
                self._found.setdefault(number, []).append(value)
            elif not (extensible and number not in schema and number & _NON_CRITICAL):
                raise Refusal(TX_DECODE, f"errUnknownField: number {number}, wire type {kind}")

    def all(self, number: int) -> list[bytes]:
        """Return every occurrence of a repeated bytes field."""
        return [value for value in self._found.get(number, ()) if isinstance(value, bytes)]

    def octets(self, number: int) -> bytes:
        """Return a bytes field: the last one wins."""
        return (self.all(number) or [b""])[-1]

    def text(self, number: int) -> str:
        """Return a string field; what is not UTF-8 stays visible and matches nothing."""
        return self.octets(number).decode(errors="surrogateescape")

    def merged(self, number: int) -> bytes:
        """Return an embedded message: duplicates of it are merged, which joining their bytes does."""
        return b"".join(self.all(number))

    def has(self, number: int) -> bool:
        """Tell whether the field was written."""
        return number in self._found

    def integer(self, number: int) -> int:
        """Return a varint field: the last one wins."""
        values = [value for value in self._found.get(number, ()) if isinstance(value, int)]
        return values[-1] if values else 0


def parse_amount(text: str) -> int:
    """Return the number that the chain reads in ``text``: any base by its prefix, signs and underscores too."""
    sign, digits = (-1 if text[0] == "-" else 1, text[1:]) if text[:1] in {"+", "-"} else (1, text)
    for base, pattern in _DIGITS.items():
        if pattern.match(digits):
            bare = digits.replace("_", "")
            number = int(bare[1:] if base == 8 and bare[1:2].isdigit() else bare, 8 if base == 8 else 0)
            if number.bit_length() > _LARGEST_AMOUNT_BITS:
                break
            return sign * number
    raise Refusal(TX_DECODE, f"math/big: cannot unmarshal {text!r} into a *big.Int")


def decode_tx(encoded: bytes) -> Tx:
    """Return ``encoded`` as the chain reads it.

    Raises Refusal with code 2 for what it cannot read, 18 for a transaction without messages.
    """
    _require_ordered(encoded)
    raw = Fields(TX_RAW, encoded)
    body = Fields(TX_BODY, raw.octets(1), extensible=True)
    info = Fields(AUTH_INFO, raw.octets(2))
    fee = Fields(FEE, info.merged(2))
    if not body.has(1):
        raise Refusal(INVALID_REQUEST, "must contain at least one message")
    if body.has(1023) or body.has(2047):
        raise Refusal(TX_DECODE, "no registered implementations of type tx.TxExtensionOptionI")
    return Tx(
        encoded=encoded,
        body=raw.octets(1),
        auth_info=raw.octets(2),
        signatures=tuple(raw.all(3)),
        messages=tuple(_message(packed) for packed in body.all(1)),
        memo=body.octets(2),
        timeout_height=body.integer(3),
        signer_infos=tuple(_signer(each) for each in info.all(1)),
        has_fee=info.has(2),
        fee=_coins(fee.all(1)),
        gas_limit=fee.integer(2),
        payer=fee.text(3),
        granter=fee.text(4),
    )


def _require_ordered(encoded: bytes) -> None:
    """Refuse what ADR-027 refuses: fields out of order and long varints. Duplicates in order it lets through."""
    at = last = 0
    while at < len(encoded):
        tag, at = _varint(encoded, at)
        if tag & 7 != BYTES:
            raise Refusal(TX_DECODE, f"expected {BYTES} wire type, got {tag & 7}")
        if tag >> 3 < last:
            raise Refusal(TX_DECODE, f"txRaw must follow ADR-027, got tagNum {tag >> 3} after tagNum {last}")
        last = tag >> 3
        length, after = _varint(encoded, at)
        if after - at != max(1, -(-length.bit_length() // 7)):
            raise Refusal(TX_DECODE, f"length prefix varint for tagNum {last} is not as short as possible")
        if after + length > len(encoded):
            raise Refusal(TX_DECODE, "unexpected EOF")
        at = after + length


def _coins(encoded: list[bytes], *, extensible: bool = False) -> Coins:
    fields = [Fields(COIN, each, extensible=extensible) for each in encoded]
    return tuple(
        Coin(each.text(1), parse_amount(each.text(2)) if each.octets(2) else NO_AMOUNT) for each in fields
    )


def _sides(encoded: list[bytes]) -> tuple[Side, ...]:
    fields = [Fields(SIDE, each, extensible=True) for each in encoded]
    return tuple(Side(each.text(1), _coins(each.all(2), extensible=True)) for each in fields)


def _message(packed: bytes, depth: int = 1) -> Message:
    """Return a message of the body; inside of it, high unknown fields are for extensions that may be ignored."""
    if depth > _DEEPEST_MESSAGE:
        raise Refusal(TX_DECODE, "recursion depth exceeded")
    fields = Fields(PACKED, packed, extensible=True)
    url, value = fields.text(1), fields.octets(2)
    if url == cosmos.MSG_SEND_URL:
        send = Fields(SEND, value, extensible=True)
        return Send(send.text(1), send.text(2), _coins(send.all(3), extensible=True))
    if url == cosmos.MSG_MULTI_SEND_URL:
        multi = Fields(MULTI_SEND, value, extensible=True)
        return MultiSend(_sides(multi.all(1)), _sides(multi.all(2)))
    if url == cosmos.MSG_EXEC_URL:
        inner = Fields(EXEC, value, extensible=True)
        return Exec(inner.text(1), tuple(_message(each, depth + 1) for each in inner.all(2)))
    if url == cosmos.MSG_GRANT_URL:
        return _grant(Fields(GRANT_MESSAGE, value, extensible=True))
    raise Refusal(TX_DECODE, f"unable to resolve type URL {url}")


def _grant(fields: Fields) -> Grant:
    encoded = fields.merged(3)
    grant = Fields(GRANT, encoded)
    expiration = Fields(TIMESTAMP, grant.merged(2)).integer(1) if grant.has(2) else None
    return Grant(fields.text(1), fields.text(2), authorization(grant.merged(1)), expiration, encoded)


def authorization(packed: bytes) -> Authorization:
    """Return a packed authorization; raises Refusal with code 2 for a kind that this chain does not have."""
    fields = Fields(PACKED, packed)
    url, value = fields.text(1), fields.octets(2)
    if url == GENERIC_URL:
        return Authorization(url, value, Fields(GENERIC_AUTHORIZATION, value).text(1))
    if url == SEND_AUTHORIZATION_URL:
        limits = Fields(SEND_AUTHORIZATION, value)
        allowed = tuple(each.decode(errors="surrogateescape") for each in limits.all(2))
        return Authorization(url, value, cosmos.MSG_SEND_URL, _coins(limits.all(1)), allowed)
    raise Refusal(TX_DECODE, f"unable to resolve type URL {url}")


def _signer(encoded: bytes) -> Signer:
    fields = Fields(SIGNER_INFO, encoded)
    mode = Fields(MODE_INFO, fields.merged(2))
    direct = Fields(SINGLE, mode.merged(1)).integer(1) == cosmos.SIGN_MODE_DIRECT
    if not fields.has(1):
        return Signer(b"", fields.has(2), direct, fields.integer(3))
    packed = Fields(PACKED, fields.merged(1))
    if packed.text(1) != cosmos.SECP256K1_URL:
        raise Refusal(TX_DECODE, f"unable to resolve type URL {packed.text(1)}")
    key = Fields(PUBLIC_KEY, packed.octets(2)).octets(1)
    return Signer(key, fields.has(2), direct, fields.integer(3))
