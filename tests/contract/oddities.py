"""Transactions that no decent client makes, each with the chain's verdict: recorded from a real node."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from chain import cosmos
from chain.address import encode, module_address
from chain.light import wire
from tests.contract.signing import FEE_DENOM, PREFIX, Draft, body_of, execute, grant, spelled_send

FEE_COLLECTOR: Final = encode(PREFIX, module_address("fee_collector"))
CURVE_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
PANIC: Final = 111_222
"""The chain stumbled and recovered; the codespace is ``undefined``."""

Compose = Callable[[Draft, str], bytes]
"""Makes transaction bytes from a good draft and somebody's address."""


class Verdict(NamedTuple):
    """Where a transaction ends, and with which code: refused by the ante check, or in a block."""

    in_block: bool
    code: int
    codespace: str = "sdk"


class Oddity(NamedTuple):
    """One transaction and its verdict."""

    name: str
    verdict: Verdict
    compose: Compose


DONE: Final = Verdict(True, 0, "")


def refused(code: int, codespace: str = "sdk") -> Verdict:
    """Return the verdict of the ante check."""
    return Verdict(False, code, codespace)


def failed(code: int, codespace: str = "sdk") -> Verdict:
    """Return the verdict of a block."""
    return Verdict(True, code, codespace)


def _field(number: int, value: bytes) -> bytes:
    return wire.varint(number << 3 | 2) + wire.varint(len(value)) + value


def _number(number: int, value: int) -> bytes:
    return wire.varint(number << 3) + wire.varint(value)


def _signed(draft: Draft, body: bytes, auth_info: bytes) -> bytes:
    document = cosmos.SignDoc(
        body_bytes=body,
        auth_info_bytes=auth_info,
        chain_id=draft.chain_id,
        account_number=draft.account.number,
    )
    signature = cosmos.sign(draft.signer.key, cosmos.encode(document))
    return cosmos.encode(cosmos.TxRaw(body_bytes=body, auth_info_bytes=auth_info, signatures=[signature]))


def _one_send(draft: Draft, to: str) -> Any:
    return spelled_send(draft.signer.address, to, "1")


def with_info(change: Callable[[Any], Any]) -> Compose:
    """Sign a plain send whose AuthInfo was changed."""

    def compose(draft: Draft, to: str) -> bytes:
        info = cosmos.decode(cosmos.AuthInfo, draft.auth_info())
        change(info)
        return _signed(draft, body_of(_one_send(draft, to)), cosmos.encode(info))

    return compose


def with_fee(*coins: tuple[str, str]) -> Compose:
    """Sign a plain send whose fee has these denoms and spellings."""
    spelled = [cosmos.Coin(denom=denom, amount=amount) for denom, amount in coins]

    def change(info: Any) -> None:
        del info.fee.amount[:]
        info.fee.amount.extend(spelled)

    return with_info(change)


def with_payer(field: str, *, other: bool) -> Compose:
    """Sign a plain send whose fee names a payer or granter."""

    def compose(draft: Draft, to: str) -> bytes:
        name = to if other else draft.signer.address
        return with_info(lambda info: setattr(info.fee, field, name))(draft, to)

    return compose


def with_info_behind(extra: bytes) -> Compose:
    """Sign a plain send with a field behind its AuthInfo."""
    return lambda draft, to: _signed(draft, body_of(_one_send(draft, to)), draft.auth_info() + extra)


def with_body_behind(extra: Callable[[Draft, str], bytes]) -> Compose:
    """Sign a plain send with a field behind its body."""
    return lambda draft, to: draft.sign(body_of(_one_send(draft, to)) + extra(draft, to))


def with_signature(change: Callable[[bytes], list[bytes]]) -> Compose:
    """Replace the signature of a plain send."""

    def compose(draft: Draft, to: str) -> bytes:
        tx = cosmos.decode(cosmos.TxRaw, draft.send(to, 1))
        signatures = change(tx.signatures[0])
        return cosmos.encode(
            cosmos.TxRaw(body_bytes=tx.body_bytes, auth_info_bytes=tx.auth_info_bytes, signatures=signatures)
        )

    return compose


def with_mode(mode: int) -> Compose:
    """Claim another way of signing."""
    return with_info(lambda info: setattr(info.signer_infos[0].mode_info.single, "mode", mode))


def with_key(field: str, value: str | bytes) -> Compose:
    """Claim another public key."""
    return with_info(lambda info: setattr(info.signer_infos[0].public_key, field, value))


def sending(amount: str = "1", denom: str = FEE_DENOM, *, to: str | None = None) -> Compose:
    """Sign a send with any spelling."""
    return lambda draft, other: draft.sign(
        body_of(spelled_send(draft.signer.address, other if to is None else to, amount, denom))
    )


def sending_from(sender: Callable[[Draft, str], str]) -> Compose:
    """Sign a send of somebody's."""
    return lambda draft, to: draft.sign(body_of(spelled_send(sender(draft, to), to, "1")))


def with_message(type_url: str, value: bytes = b"") -> Compose:
    """Sign any message."""
    return lambda draft, _: draft.sign(body_of(cosmos.Packed(type_url=type_url, value=value)))


def with_send_behind(extra: bytes) -> Compose:
    """Sign a send with a field behind it."""
    return lambda draft, to: with_message(cosmos.MSG_SEND_URL, _one_send(draft, to).value + extra)(draft, to)


def executing(*amounts: str, to: str | None = None, sender: str | None = None, depth: int = 1) -> Compose:
    """Sign an exec of own sends."""

    def compose(draft: Draft, other: str) -> bytes:
        own = draft.signer.address
        messages = [spelled_send(sender or own, to or other, amount) for amount in amounts]
        for _ in range(depth):
            messages = [execute(own, messages)]
        return draft.but(gas=400_000).sign(body_of(*messages))

    return compose


def granting(grantee: Callable[[Draft, str], str], type_url: str = cosmos.MSG_SEND_URL) -> Compose:
    """Sign a grant."""
    return lambda draft, to: draft.but(gas=250_000).sign(
        body_of(grant(draft.signer.address, grantee(draft, to), type_url))
    )


def granting_sends(*limit: tuple[str, int]) -> Compose:
    """Sign a grant of sends up to a limit."""

    def compose(draft: Draft, to: str) -> bytes:
        allowed = cosmos.pack(
            "/cosmos.bank.v1beta1.SendAuthorization",
            cosmos.SendAuthorization(spend_limit=cosmos.coins(limit)),
        )
        message = cosmos.MsgGrant(
            granter=draft.signer.address, grantee=to, grant=cosmos.Grant(authorization=allowed)
        )
        return draft.but(gas=250_000).sign(body_of(cosmos.pack(cosmos.MSG_GRANT_URL, message)))

    return compose


Side = tuple[str, list[tuple[str, int]]]


def multi(compose: Callable[[str, str], tuple[list[Side], list[Side]]]) -> Compose:
    """Sign a multi-send with inputs and outputs made from own and other address."""

    def sign(draft: Draft, to: str) -> bytes:
        inputs, outputs = compose(draft.signer.address, to)
        message = cosmos.MsgMultiSend(
            inputs=[cosmos.Input(address=at, coins=cosmos.coins(coins)) for at, coins in inputs],
            outputs=[cosmos.Output(address=at, coins=cosmos.coins(coins)) for at, coins in outputs],
        )
        return draft.but(gas=250_000).sign(body_of(cosmos.pack(cosmos.MSG_MULTI_SEND_URL, message)))

    return sign


def _high_s(signature: bytes) -> bytes:
    return signature[:32] + (CURVE_ORDER - int.from_bytes(signature[32:], "big")).to_bytes(32, "big")


def _one(amount: int = 1, denom: str = FEE_DENOM) -> list[tuple[str, int]]:
    return [(denom, amount)]


def _mixed_case(address: str) -> str:
    return address[:10] + address[10:].upper()


ODDITIES: Final = (
    # Fees
    Oddity("a fee in octal", DONE, with_fee((FEE_DENOM, "026022"))),
    Oddity("a fee in hexadecimal", DONE, with_fee((FEE_DENOM, "0x2bf2"))),
    Oddity("a negative fee", refused(13), with_fee((FEE_DENOM, "-11250"))),
    Oddity("a fee of zero", refused(13), with_fee((FEE_DENOM, "0"))),
    Oddity("a fee without amount", refused(13), with_fee((FEE_DENOM, ""))),
    Oddity("a fee denom twice", refused(13), with_fee((FEE_DENOM, "11250"), (FEE_DENOM, "11250"))),
    Oddity("fees out of order", refused(13), with_fee(("uother", "1"), (FEE_DENOM, "11250"))),
    Oddity("a fee that is not owned", refused(5), with_fee((FEE_DENOM, "11250"), ("uother", "1"))),
    Oddity("a fee that is no number", refused(2), with_fee((FEE_DENOM, "x"))),
    Oddity("a fee denom that is none", refused(PANIC, "undefined"), with_fee(("1", "11250"))),
    Oddity("no fee at all", refused(PANIC, "undefined"), with_info(lambda info: info.ClearField("fee"))),
    Oddity("oneself as payer", DONE, with_payer("payer", other=False)),
    Oddity("another as payer", refused(4), with_payer("payer", other=True)),
    Oddity("oneself as granter of the fee", refused(18), with_payer("granter", other=False)),
    Oddity("another as granter of the fee", refused(18), with_payer("granter", other=True)),
    Oddity("a tip", DONE, with_info_behind(_field(3, b""))),
    # Gas
    Oddity("no gas", refused(11), lambda draft, to: draft.but(gas=0, fee=11_250).send(to, 1)),
    Oddity("gas beyond int64", refused(18), lambda draft, to: draft.but(gas=2**63, fee=11_250).send(to, 1)),
    Oddity("gas up to int64", refused(13), lambda draft, to: draft.but(gas=2**63 - 1, fee=1).send(to, 1)),
    # Signers
    Oddity(
        "no AuthInfo",
        refused(PANIC, "undefined"),
        lambda draft, to: _signed(draft, body_of(_one_send(draft, to)), b""),
    ),
    Oddity("nobody signs", refused(4), with_info(lambda info: info.ClearField("signer_infos"))),
    Oddity(
        "one signer twice",
        refused(PANIC, "undefined"),
        with_info(lambda info: info.signer_infos.append(info.signer_infos[0])),
    ),
    Oddity("the mode for old ledgers, wrongly signed", refused(4), with_mode(127)),
    Oddity("the textual mode", refused(4), with_mode(2)),
    Oddity("no mode named", refused(4), with_mode(0)),
    Oddity(
        "no mode at all",
        refused(1, "undefined"),
        with_info(lambda info: info.signer_infos[0].ClearField("mode_info")),
    ),
    Oddity(
        "no key before the first signature",
        refused(8),
        with_info(lambda info: info.signer_infos[0].ClearField("public_key")),
    ),
    Oddity("a key of an unknown kind", refused(2), with_key("type_url", "/x.Y")),
    Oddity(
        "a key that is too short", refused(PANIC, "undefined"), with_key("value", _field(1, b"\x02" * 32))
    ),
    Oddity("a signature of 65 bytes", refused(4), with_signature(lambda good: [good + b"\0"])),
    Oddity("a signature of 63 bytes", refused(4), with_signature(lambda good: [good[:63]])),
    Oddity("an empty signature", refused(4), with_signature(lambda _: [b""])),
    Oddity("a signature with a high s", refused(4), with_signature(lambda good: [_high_s(good)])),
    Oddity("two signatures", refused(4), with_signature(lambda good: [good, good])),
    Oddity(
        "a message of another's beside one's own",
        refused(4),
        lambda draft, to: draft.sign(
            body_of(_one_send(draft, to), spelled_send(to, draft.signer.address, "1"))
        ),
    ),
    # Bytes
    Oddity("no bytes", refused(18), lambda *_: b""),
    Oddity("a body without messages", refused(18), lambda draft, _: draft.sign(b"")),
    Oddity("bytes cut off", refused(2), lambda draft, to: draft.send(to, 1)[:-1]),
    Oddity("a field behind TxRaw's", refused(2), lambda draft, to: draft.send(to, 1) + _field(4, b"x")),
    Oddity("an unknown number in the body", refused(2), with_body_behind(lambda *_: _number(4, 1))),
    Oddity("a number where the memo stands", refused(2), with_body_behind(lambda *_: _number(2, 5))),
    Oddity(
        "an extension that must be known",
        refused(2),
        with_body_behind(lambda draft, to: _field(1023, cosmos.encode(_one_send(draft, to)))),
    ),
    Oddity(
        "an extension that need not be known",
        refused(2),
        with_body_behind(lambda draft, to: _field(2047, cosmos.encode(_one_send(draft, to)))),
    ),
    Oddity("an unknown field in AuthInfo", refused(2), with_info_behind(_field(15, b"x"))),
    Oddity("a high unknown field in AuthInfo", refused(2), with_info_behind(_field(1024, b"x"))),
    Oddity("an unknown field in a message", refused(2), with_send_behind(_field(15, b"x"))),
    Oddity("a high unknown field in a message", DONE, with_send_behind(_field(1024, b"x"))),
    Oddity(
        "an unknown field in a coin",
        refused(2),
        with_send_behind(_field(3, _field(1, b"ujuno") + _field(2, b"1") + _field(9, b"x"))),
    ),
    Oddity("a memo of 256 bytes", DONE, lambda draft, to: draft.send(to, 1, memo="x" * 256)),
    Oddity("a timeout beyond int64", DONE, lambda draft, to: draft.send(to, 1, timeout_height=2**63)),
    # Messages
    Oddity("a type without slash", refused(2), with_message(cosmos.MSG_SEND_URL[1:])),
    Oddity("a type with a host", refused(2), with_message("type.googleapis.com" + cosmos.MSG_SEND_URL)),
    Oddity("a type that is no message", refused(2), with_message("/cosmos.base.v1beta1.Coin")),
    Oddity("a type of nothing", refused(2), with_message("")),
    Oddity("a message of garbage", refused(2), with_message(cosmos.MSG_SEND_URL, b"\xff")),
    Oddity("a send from nobody", refused(1, "undefined"), sending_from(lambda *_: "")),
    Oddity("a send from no address", refused(1, "undefined"), sending_from(lambda *_: "juno1garbage")),
    Oddity(
        "a send from one's upper-case self", DONE, sending_from(lambda draft, _: draft.signer.address.upper())
    ),
    Oddity("a send from another", refused(8), sending_from(lambda _, to: to)),
    Oddity("a send to nobody", failed(7), sending(to="")),
    Oddity("a send to a validator's spelling", failed(7), sending(to=encode(f"{PREFIX}valoper", bytes(20)))),
    Oddity("a send to 32 bytes", DONE, sending(to=encode(PREFIX, bytes(32)))),
    Oddity("a send to 1 byte", DONE, sending(to=encode(PREFIX, b"\x01"))),
    Oddity("a send to mixed case", failed(7), lambda draft, to: draft.send(_mixed_case(to), 1)),
    Oddity(
        "a send to a module that this chain lacks", DONE, sending(to=encode(PREFIX, module_address("gov")))
    ),
    Oddity(
        "a send of no coins",
        failed(10),
        lambda draft, to: draft.sign(body_of(cosmos.msg_send(draft.signer.address, to, []))),
    ),
    Oddity("a denom that begins with a digit", failed(10), sending(denom="1x")),
    Oddity("a denom of two letters", failed(10), sending(denom="uj")),
    Oddity("a denom that nobody has", failed(5), sending(denom="unobody")),
    Oddity("no denom", failed(10), sending(denom="")),
    Oddity("an amount of 257 bits", refused(2), sending(str(2**256))),
    Oddity("an amount of 256 bits", failed(5), sending(str(2**256 - 1))),
    Oddity("an amount of minus zero", failed(10), sending("-0")),
    Oddity("an amount with a zero byte", refused(2), sending("1\0")),
    Oddity("a prefix without digits", refused(2), sending("0b")),
    Oddity("a trailing underscore", refused(2), sending("0_")),
    Oddity("a leading underscore", refused(2), sending("_1")),
    Oddity("an underscore behind the prefix", DONE, sending("0x_1")),
    # Grants
    Oddity("an exec of nothing", failed(18), executing()),
    Oddity("an exec of an odd amount", DONE, executing("010")),
    Oddity("an exec of zero", failed(10), executing("0")),
    Oddity("an exec to a blocked address", failed(4), executing("1", to=FEE_COLLECTOR)),
    Oddity("an exec from no address", failed(1, "undefined"), executing("1", sender="juno1x")),
    Oddity("an exec eight deep", DONE, executing("1", depth=8)),
    Oddity("an exec ten deep", refused(2), executing("1", depth=10)),
    Oddity("a grant", DONE, granting(lambda _, to: to)),
    Oddity("a grant to oneself", failed(7, "authz"), granting(lambda draft, _: draft.signer.address)),
    Oddity("a grant of an unknown message", failed(29), granting(lambda _, to: to, "/x.Y")),
    Oddity("a grant of sends up to a limit", DONE, granting_sends((FEE_DENOM, 5))),
    Oddity("a grant of sends without a limit", failed(10), granting_sends()),
    # Multi-sends
    Oddity("no input", refused(4), multi(lambda _, to: ([], [(to, _one())]))),
    Oddity("no output", failed(3, "bank"), multi(lambda own, _: ([(own, _one())], []))),
    Oddity("two inputs", failed(9, "bank"), multi(lambda own, to: ([(own, _one())] * 2, [(to, _one(2))]))),
    Oddity("nothing in, nothing out", failed(10), multi(lambda own, to: ([(own, _one(0))], [(to, _one(0))]))),
    Oddity(
        "an output of no coins",
        failed(10),
        multi(lambda own, to: ([(own, _one())], [(to, _one()), (to, [])])),
    ),
    Oddity(
        "an output to a blocked address",
        failed(4),
        multi(lambda own, to: ([(own, _one(2))], [(to, _one()), (FEE_COLLECTOR, _one())])),
    ),
    Oddity(
        "an output to no address", failed(7), multi(lambda own, _: ([(own, _one())], [("juno1x", _one())]))
    ),
    Oddity(
        "an output of another denom",
        failed(4, "bank"),
        multi(lambda own, to: ([(own, _one())], [(to, _one(1, "uother"))])),
    ),
    Oddity(
        "more than is owned",
        failed(5),
        multi(lambda own, to: ([(own, _one(10**12))], [(to, _one(10**12))])),
    ),
    Oddity("upper case", DONE, multi(lambda own, to: ([(own.upper(), _one())], [(to.upper(), _one())]))),
)
