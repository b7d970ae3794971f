"""What the messages of a transaction do to the state, and the codes with which they fail."""

from dataclasses import dataclass, field
from typing import Any, Final

from chain import cosmos
from chain.light import wire
from ledger.errors import Refused
from sandbox.node import addresses, events, gas, state
from sandbox.node.decoding import GRANT as GRANT_SCHEMA
from sandbox.node.decoding import MESSAGE_URLS as KNOWN_URLS
from sandbox.node.decoding import TIMESTAMP as TIMESTAMP_SCHEMA
from sandbox.node.decoding import (
    Authorization,
    Coin,
    Coins,
    Exec,
    Fields,
    Grant,
    Message,
    MultiSend,
    Send,
    authorization,
)
from sandbox.node.refusal import (
    INVALID_ADDRESS,
    INVALID_COINS,
    INVALID_REQUEST,
    INVALID_TYPE,
    UNAUTHORIZED,
    UNDEFINED,
    UNNAMED,
    Refusal,
)

_NO_INPUTS: Final = 2
_NO_OUTPUTS: Final = 3
_SUMS_DIFFER: Final = 4
_SEVERAL_SENDERS: Final = 9
_NO_AUTHORIZATION: Final = 2
_EXPIRED: Final = 6
_GRANT_IN_THE_PAST: Final = 3
_GRANTEE_IS_GRANTER: Final = 7


@dataclass
class Context:
    """What execution knows of its surroundings, and the layer and meter it works on."""

    state: state.Layer
    meter: gas.Meter
    prefix: str
    blocked: frozenset[bytes]
    block_seconds: int
    told: list[events.Event] = field(default_factory=list)

    def spell(self, raw: bytes) -> str:
        """Return an address in bech32."""
        return addresses.encode(self.prefix, raw)

    def read(self, text: str, what: str) -> bytes:
        """Return the bytes of an address; refuses with code 7."""
        try:
            return addresses.decode(text, self.prefix)
        except Refused as refused:
            raise Refusal(INVALID_ADDRESS, f"invalid {what} address: {refused}") from refused

    def read_signer(self, text: str) -> bytes:
        """Return the bytes of an address that the chain asked a message for; its errors have no code of their own."""
        try:
            return addresses.decode(text, self.prefix)
        except Refused as refused:
            raise Refusal(UNNAMED, f"decoding bech32 failed: {refused}", UNDEFINED) from refused

    def credit(self, recipient: bytes, coins: Coins) -> None:
        """Give coins to an account and open it when it is new."""
        self.meter.spend(gas.MOVE * len(coins), "WriteFlat")
        state.give(self.state, recipient, coins)
        if state.account(self.state, recipient) is None:
            self.meter.spend(gas.NEW_ACCOUNT, "WriteFlat")
            state.open_account(self.state, recipient, self.spell(recipient))


def signers(message: Message) -> tuple[str, ...]:
    """Return who must sign ``message``, in order."""
    if isinstance(message, Send):
        return (message.sender,)
    if isinstance(message, MultiSend):
        return tuple(side.address for side in message.inputs)
    return (message.grantee,) if isinstance(message, Exec) else (message.granter,)


def run(context: Context, message: Message) -> Any:
    """Do what ``message`` says and return its packed response; raises Refusal."""
    context.meter.spend(gas.MESSAGE, "ReadFlat")
    if isinstance(message, Send):
        _send(context, message)
        return _response("/cosmos.bank.v1beta1.MsgSendResponse")
    if isinstance(message, MultiSend):
        _multi_send(context, message)
        return _response("/cosmos.bank.v1beta1.MsgMultiSendResponse")
    if isinstance(message, Grant):
        _grant(context, message)
        return _response("/cosmos.authz.v1beta1.MsgGrantResponse")
    return _response("/cosmos.authz.v1beta1.MsgExecResponse", _exec(context, message))


def _response(url: str, value: bytes = b"") -> Any:
    return cosmos.Packed(type_url=url, value=value)


def _send(context: Context, message: Send) -> None:
    sender, recipient = context.read(message.sender, "from"), context.read(message.recipient, "to")
    state.require_valid(message.coins)
    _refuse_blocked(context, recipient, message.recipient)
    state.take(context.state, sender, message.coins)
    context.credit(recipient, message.coins)
    from_text, to_text = context.spell(sender), context.spell(recipient)
    context.told += [
        events.spent(from_text, message.coins),
        events.received(to_text, message.coins),
        events.transfer(from_text, to_text, message.coins),
        events.message(("sender", from_text)),
    ]


def _multi_send(context: Context, message: MultiSend) -> None:
    _require_one_input(message)
    source = message.inputs[0]
    sender = context.read(source.address, "input")
    recipients = [context.read(side.address, "output") for side in message.outputs]
    for side in (source, *message.outputs):
        state.require_valid(side.coins)
    _require_same_sums(message)
    for recipient, side in zip(recipients, message.outputs, strict=True):
        _refuse_blocked(context, recipient, side.address)
    state.take(context.state, sender, source.coins)
    from_text = context.spell(sender)
    context.told += [events.spent(from_text, source.coins), events.message(("sender", from_text))]
    for recipient, side in zip(recipients, message.outputs, strict=True):
        context.credit(recipient, side.coins)
        to_text = context.spell(recipient)
        context.told += [
            events.received(to_text, side.coins),
            events.transfer(from_text, to_text, side.coins),
        ]


def _require_one_input(message: MultiSend) -> None:
    if not message.inputs:
        raise Refusal(_NO_INPUTS, "no inputs to send transaction", "bank")
    if len(message.inputs) > 1:
        raise Refusal(_SEVERAL_SENDERS, "multiple senders not allowed", "bank")
    if not message.outputs:
        raise Refusal(_NO_OUTPUTS, "no outputs to send transaction", "bank")


def _require_same_sums(message: MultiSend) -> None:
    sums: dict[str, int] = {coin.denom: coin.amount for coin in message.inputs[0].coins}
    for side in message.outputs:
        for coin in side.coins:
            sums[coin.denom] = sums.get(coin.denom, 0) - coin.amount
    if any(sums.values()):
        raise Refusal(_SUMS_DIFFER, "sum inputs != sum outputs", "bank")


def _refuse_blocked(context: Context, recipient: bytes, text: str) -> None:
    if recipient in context.blocked:
        raise Refusal(UNAUTHORIZED, f"{text} is not allowed to receive funds")


def grant_key(granter: bytes, grantee: bytes, message_url: str) -> bytes:
    """Return where ``authz`` keeps what ``granter`` allows ``grantee``."""
    sides = bytes((len(granter),)) + granter + bytes((len(grantee),)) + grantee
    return b"\x01" + sides + message_url.encode(errors="surrogateescape")


def _grant(context: Context, message: Grant) -> None:
    if message.grantee == message.granter:
        raise Refusal(_GRANTEE_IS_GRANTER, "grantee and granter should be different", "authz")
    grantee, granter = context.read(message.grantee, "grantee"), context.read(message.granter, "granter")
    if message.expiration is not None and message.expiration <= context.block_seconds:
        raise Refusal(
            _GRANT_IN_THE_PAST, "expiration time of authorization should be more than current time", "authz"
        )
    _require_valid_limits(context, message.authorization)
    if message.authorization.message_url not in KNOWN_URLS:
        raise Refusal(INVALID_TYPE, f"{message.authorization.message_url} doesn't exist.")
    context.meter.spend(gas.GRANT, "WriteFlat")
    if state.account(context.state, grantee) is None:
        _refuse_blocked(context, grantee, message.grantee)
        state.open_account(context.state, grantee, context.spell(grantee))
    context.state.put(
        "authz", grant_key(granter, grantee, message.authorization.message_url), message.encoded
    )


def _require_valid_limits(context: Context, allowed: Authorization) -> None:
    if allowed.spend_limit is not None:
        state.require_valid(allowed.spend_limit)
    for text in allowed.allowed:
        context.read(text, "allowed")


def _exec(context: Context, message: Exec) -> bytes:
    """Run the inner messages in their granters' names; return the encoded response."""
    grantee = context.read(message.grantee, "grantee")
    if not message.messages:
        raise Refusal(INVALID_REQUEST, "messages cannot be empty")
    answers = b""
    for index, inner in enumerate(message.messages):
        (text,) = signers(inner)[:1] or ("",)
        granter = context.read_signer(text)
        if granter != grantee:
            _use_grant(context, granter, grantee, inner)
        before = len(context.told)
        answer = run(context, inner)
        context.told[before:] = [
            event.with_attribute("authz_msg_index", str(index)) for event in context.told[before:]
        ]
        answers += wire.message(1, answer.value)
    return answers


def _use_grant(context: Context, granter: bytes, grantee: bytes, inner: Message) -> None:
    key = grant_key(granter, grantee, inner.url)
    stored = context.state.get("authz", key)
    if stored is None:
        raise Refusal(_NO_AUTHORIZATION, "authorization not found", "authz")
    grant = Fields(GRANT_SCHEMA, stored)
    if grant.has(2) and Fields(TIMESTAMP_SCHEMA, grant.merged(2)).integer(1) < context.block_seconds:
        raise Refusal(_EXPIRED, "authorization expired", "authz")
    allowed = authorization(grant.merged(1))
    if allowed.spend_limit is not None:
        assert isinstance(inner, Send)
        context.state.put("authz", key, _after_spending(allowed, inner, grant))


def _after_spending(allowed: Authorization, inner: Send, grant: Fields) -> bytes | None:
    """Return the grant with its limit lowered, None when nothing of it is left."""
    if allowed.allowed and inner.recipient not in allowed.allowed:
        raise Refusal(UNAUTHORIZED, f"cannot send to {inner.recipient} address")
    left = {coin.denom: coin.amount for coin in allowed.spend_limit or ()}
    for coin in inner.coins:
        left[coin.denom] = left.get(coin.denom, 0) - coin.amount
        if coin.amount <= 0:
            raise Refusal(INVALID_COINS, str(coin))
        if left[coin.denom] < 0:
            raise Refusal(5, "requested amount is more than spend limit")
    rest = tuple(Coin(denom, amount) for denom, amount in left.items() if amount)
    if not rest:
        return None
    limits = cosmos.SendAuthorization(spend_limit=cosmos.coins(rest), allow_list=allowed.allowed)
    packed = wire.message(1, cosmos.encode(cosmos.pack(allowed.url, limits)))
    return packed + (wire.message(2, grant.merged(2)) if grant.has(2) else b"")
