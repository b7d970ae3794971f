"""One transaction from its bytes to its result: the checks before its messages, then the messages.

The order of the checks is the chain's own, so that each wrong transaction gets the code it gets there
(chain.md, Withdrawals). A refusal before the messages leaves no trace; one in them still costs fee and sequence.
"""

from base64 import b64encode
from dataclasses import dataclass, replace
from enum import Enum
from functools import lru_cache
from typing import Any, Final, NamedTuple

import coincurve

from chain import address, cosmos
from chain.parameters import ChainParameters
from chain.verified import TxOutcome
from sandbox.node import addresses, events, gas, messages, state
from sandbox.node.decoding import Coin, Coins, Message, Tx, decode_tx
from sandbox.node.refusal import (
    INSUFFICIENT_FEE,
    INSUFFICIENT_FUNDS,
    INVALID_PUBLIC_KEY,
    INVALID_REQUEST,
    MEMO_TOO_LARGE,
    NO_SIGNATURES,
    TIMEOUT_HEIGHT,
    UNAUTHORIZED,
    UNDEFINED,
    UNKNOWN_ADDRESS,
    UNNAMED,
    WRONG_SEQUENCE,
    Refusal,
    stumbled,
)

FEE_COLLECTOR: Final = address.module_address("fee_collector")
_CURVE_ORDER: Final = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
_COMPACT_SIGNATURE: Final = 64
_COMPRESSED_KEY: Final = 33
_SIGNATURES_REMEMBERED: Final = 1_024
"""Each is looked at when it comes in, and again in its block."""
_LARGEST_GAS: Final = 2**63 - 1


class Mode(Enum):
    """Why a transaction is run."""

    CHECK = "check"
    """Into the mempool: the only mode that asks for the node's minimum fee."""
    RECHECK = "recheck"
    """Still fit after a block? Signatures were checked before."""
    BLOCK = "block"
    SIMULATE = "simulate"


@dataclass(frozen=True, slots=True)
class Rules:
    """What one chain asks of every transaction."""

    parameters: ChainParameters
    blocked: frozenset[bytes]


class Place(NamedTuple):
    """Where in the chain a transaction is run."""

    height: int
    seconds: int


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a transaction; only ``outcome`` is hashed."""

    outcome: TxOutcome
    codespace: str = ""
    log: str = ""
    told: tuple[events.Event, ...] = ()


def run(rules: Rules, base: state.Layer, encoded: bytes, place: Place, mode: Mode) -> Result:
    """Run ``encoded`` over ``base``, keep what it may change, and return its result."""
    try:
        tx = decode_tx(encoded)
    except Refusal as refusal:
        return _refused(refusal, 0, 0)
    run_of = _Run(rules, base, tx, place, mode)
    return run_of.result()


def _refused(refusal: Refusal, wanted: int, used: int, kept: tuple[events.Event, ...] = ()) -> Result:
    outcome = TxOutcome(refusal.code, b"", wanted, used)
    return Result(outcome, refusal.codespace, refusal.log, kept)


class _Run:
    """The run of one decoded transaction."""

    def __init__(self, rules: Rules, base: state.Layer, tx: Tx, place: Place, mode: Mode) -> None:
        self._rules = rules
        self._base = base
        self._tx = tx
        self._place = place
        self._mode = mode
        self._meter = gas.Meter(None if mode is Mode.SIMULATE else tx.gas_limit)
        self._prefix = rules.parameters.prefix

    def result(self) -> Result:
        ante = state.Layer(self._base)
        try:
            told = self._ante(ante)
        except Refusal as refusal:
            return _refused(refusal, self._tx.gas_limit, self._meter.used)
        self._base.keep(ante)
        if self._mode in {Mode.CHECK, Mode.RECHECK}:
            return Result(TxOutcome(0, b"", self._tx.gas_limit, self._meter.used), told=told)
        return self._messages(told)

    def _messages(self, told: tuple[events.Event, ...]) -> Result:
        layer = state.Layer(self._base)
        context = self._context(layer)
        answers: list[Any] = []
        try:
            for index, message in enumerate(self._tx.messages):
                answers.append(self._message(context, index, message))
        except Refusal as refusal:
            named = replace_log(
                refusal, f"failed to execute message; message index: {len(answers)}: {refusal.log}"
            )
            return _refused(named, self._tx.gas_limit, self._meter.used, told)
        self._base.keep(layer)
        content = cosmos.encode(cosmos.TxMsgData(msg_responses=answers))
        outcome = TxOutcome(0, content, self._tx.gas_limit, self._meter.used)
        return Result(outcome, told=(*told, *context.told))

    def _message(self, context: messages.Context, index: int, message: Message) -> Any:
        before = len(context.told)
        answer = messages.run(context, message)
        sender = messages.signers(message)[0]
        action = events.message(
            ("action", message.url), ("sender", sender), ("module", message.url.split(".")[1])
        )
        told = [action, *context.told[before:]]
        context.told[before:] = [event.with_attribute("msg_index", str(index)) for event in told]
        return answer

    def _context(self, layer: state.Layer) -> messages.Context:
        return messages.Context(layer, self._meter, self._prefix, self._rules.blocked, self._place.seconds)

    # The checks before the messages, in the chain's order.

    def _ante(self, layer: state.Layer) -> tuple[events.Event, ...]:
        if not self._tx.has_fee:
            raise stumbled("runtime error: invalid memory address or nil pointer dereference")
        signers = self._signers()
        self._require_signatures(len(signers))
        self._require_in_time()
        self._require_short_memo()
        self._meter.spend(gas.TX_BYTE * len(self._tx.encoded), "txSize")
        payer = self._context(layer).read(self._tx.payer, "fee payer") if self._tx.payer else signers[0]
        told = self._charge(layer, payer)
        accounts = [self._with_key(layer, index, signer) for index, signer in enumerate(signers)]
        self._meter.spend(gas.ANTE + gas.SIGNATURE * len(signers), "ante verify: secp256k1")
        for index, signer in enumerate(accounts):
            self._require_signed(index, signer)
        for raw in signers:
            state.advance(layer, raw)
        return (*told, *self._signature_events(signers))

    def _signers(self) -> list[bytes]:
        """Return who must sign, each once; the payer of the fee last, when it is another."""
        texts = [text for message in self._tx.messages for text in messages.signers(message)]
        asked = self._context(self._base)
        found = [asked.read_signer(text) for text in texts]
        payer = [asked.read(self._tx.payer, "fee payer")] if self._tx.payer else []
        return list(dict.fromkeys([*found, *payer]))

    def _require_signatures(self, signers: int) -> None:
        if self._tx.gas_limit > _LARGEST_GAS:
            raise Refusal(INVALID_REQUEST, f"invalid gas supplied; {self._tx.gas_limit} > {_LARGEST_GAS}")
        if not self._tx.signatures:
            raise Refusal(NO_SIGNATURES, "no signatures supplied")
        infos = len(self._tx.signer_infos)
        if len(self._tx.signatures) == signers < infos:
            raise stumbled(f"index out of range [{signers}] with length {signers}")
        if not len(self._tx.signatures) == infos == signers:
            raise Refusal(
                UNAUTHORIZED, f"wrong number of signers; expected {signers}, got {len(self._tx.signatures)}"
            )

    def _require_in_time(self) -> None:
        timeout = self._tx.timeout_height
        if 0 < timeout < self._place.height:
            raise Refusal(TIMEOUT_HEIGHT, f"block height: {self._place.height}, timeout height: {timeout}")

    def _require_short_memo(self) -> None:
        limit = self._rules.parameters.memo_limit_bytes
        if len(self._tx.memo) > limit:
            raise Refusal(
                MEMO_TOO_LARGE,
                f"maximum number of characters is {limit} but received {len(self._tx.memo)} characters",
            )

    def _charge(self, layer: state.Layer, payer: bytes) -> tuple[events.Event, ...]:
        fee = self._tx.fee
        if self._mode in {Mode.CHECK, Mode.RECHECK}:
            self._require_floor(fee)
        if self._tx.granter:
            raise Refusal(INVALID_REQUEST, "fee grants are not enabled")
        if any(coin.amount < 0 for coin in fee):
            raise Refusal(INSUFFICIENT_FEE, f"invalid fee provided: {events.spelled(fee)}")
        payer_text = addresses.encode(self._prefix, payer)
        if state.account(layer, payer) is None:
            raise Refusal(UNKNOWN_ADDRESS, f"fee payer address: {payer_text} does not exist")
        paid = tuple(coin for coin in fee if coin.amount)
        if paid:
            self._take_fee(layer, payer, fee)
        collector = addresses.encode(self._prefix, FEE_COLLECTOR)
        moved = (
            events.spent(payer_text, fee),
            events.received(collector, fee),
            events.transfer(payer_text, collector, fee),
            events.message(("sender", payer_text)),
        )
        told = events.Event("tx", (("fee", events.spelled(fee)), ("fee_payer", payer_text)))
        return (*(moved if paid else ()), told)

    def _require_floor(self, fee: Coins) -> None:
        parameters = self._rules.parameters
        for coin in fee:
            if not state.is_denom(coin.denom):
                raise stumbled(f"invalid denom: {coin.denom}")
        required = parameters.fee(self._tx.gas_limit)
        offered = {coin.denom: coin.amount for coin in fee}.get(parameters.fee_denom, 0)
        if required and offered < required:
            wanted = Coin(parameters.fee_denom, required)
            raise Refusal(
                INSUFFICIENT_FEE, f"insufficient fees; got: {events.spelled(fee)} required: {wanted}"
            )

    def _take_fee(self, layer: state.Layer, payer: bytes, fee: Coins) -> None:
        try:
            state.require_valid(fee)
        except Refusal as refusal:
            raise Refusal(INSUFFICIENT_FEE, f"invalid fee amount: {events.spelled(fee)}") from refusal
        try:
            state.take(layer, payer, fee)
        except Refusal as refusal:
            raise Refusal(INSUFFICIENT_FUNDS, refusal.log) from refusal
        state.give(layer, FEE_COLLECTOR, fee)

    def _with_key(self, layer: state.Layer, index: int, raw: bytes) -> state.Account:
        """Return the signer's account; the first signature writes its key."""
        signer = state.account(layer, raw)
        if signer is None:
            text = addresses.encode(self._prefix, raw)
            raise Refusal(UNKNOWN_ADDRESS, f"account {text} does not exist")
        key = self._tx.signer_infos[index].public_key
        if key and len(key) != _COMPRESSED_KEY:
            raise stumbled("length of pubkey is incorrect")
        if key and self._mode is not Mode.SIMULATE and address.key_address(key) != raw:
            raise Refusal(
                INVALID_PUBLIC_KEY,
                f"pubKey does not match signer address {signer.address} with signer index: {index}",
            )
        if key and not signer.public_key:
            signer = replace(signer, public_key=key)
            state.save(layer, raw, signer)
        return signer

    def _require_signed(self, index: int, signer: state.Account) -> None:
        info = self._tx.signer_infos[index]
        if not signer.public_key and self._mode is not Mode.SIMULATE:
            raise Refusal(INVALID_PUBLIC_KEY, "pubkey on account is not set")
        if info.sequence != signer.sequence:
            raise Refusal(
                WRONG_SEQUENCE, f"account sequence mismatch, expected {signer.sequence}, got {info.sequence}"
            )
        if not info.has_mode:
            raise Refusal(UNNAMED, "got empty SignatureData", UNDEFINED)
        if self._mode in {Mode.CHECK, Mode.BLOCK} and not (info.direct and self._signed_by(index, signer)):
            chain_id = self._rules.parameters.chain_id
            raise Refusal(
                UNAUTHORIZED,
                f"signature verification failed; please verify account number ({signer.number}) "
                f"and chain-id ({chain_id}): (unable to verify single signer signature)",
            )

    def _signed_by(self, index: int, signer: state.Account) -> bool:
        document = cosmos.SignDoc(
            body_bytes=self._tx.body,
            auth_info_bytes=self._tx.auth_info,
            chain_id=self._rules.parameters.chain_id,
            account_number=signer.number,
        )
        return signature_holds(signer.public_key, cosmos.encode(document), self._tx.signatures[index])

    def _signature_events(self, signers: list[bytes]) -> tuple[events.Event, ...]:
        told = []
        for raw, info, signature in zip(signers, self._tx.signer_infos, self._tx.signatures, strict=True):
            text = addresses.encode(self._prefix, raw)
            told.append(events.Event("tx", (("acc_seq", f"{text}/{info.sequence}"),)))
            told.append(events.Event("tx", (("signature", b64encode(signature).decode()),)))
        return tuple(told)


def replace_log(refusal: Refusal, log: str) -> Refusal:
    """Return the same code with another sentence."""
    named = Refusal(refusal.code, "", refusal.codespace)
    named.log = log
    return named


@lru_cache(_SIGNATURES_REMEMBERED)
def signature_holds(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether ``signature`` (r, low s) is ``public_key``'s over sha256(``message``)."""
    if len(signature) != _COMPACT_SIGNATURE:
        return False
    s = int.from_bytes(signature[32:], "big")
    if s > _CURVE_ORDER // 2:
        return False
    try:
        compact = coincurve.ecdsa.deserialize_compact(signature)
        der = coincurve.ecdsa.cdata_to_der(compact)
        return coincurve.PublicKey(public_key).verify(der, message)
    except ValueError:
        return False
