"""``abci_query``: the state at a height, raw with proofs or by the queries of the chain's modules."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from chain import cosmos
from ledger.errors import Refused
from sandbox.node import addresses, iavl, state
from sandbox.node.blockchain import Blockchain
from sandbox.node.blocks import spell_base64
from sandbox.node.faults import OddProof
from sandbox.node.multistore import STORES, Version
from sandbox.node.refusal import (
    INVALID_HEIGHT,
    INVALID_REQUEST,
    KEY_NOT_FOUND,
    UNKNOWN_REQUEST,
    Refusal,
)

_STORE_UNKNOWN: Final = 4
_STORE_INVALID: Final = 7
_SIMULATION_FACTOR: Final = (95, 100)
"""Simulation reads 5% low (chain.md, Withdrawals)."""


class Query(NamedTuple):
    """What is asked; height 0 means latest."""

    path: str
    content: bytes
    height: int
    prove: bool


class Answer(NamedTuple):
    """What a node answers."""

    code: int = 0
    codespace: str = ""
    log: str = ""
    key: bytes | None = None
    value: bytes | None = None
    proof: Any = None
    height: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return the answer as JSON-RPC shows it."""
        ops = [
            {"type": op.type, "key": spell_base64(op.key), "data": spell_base64(op.data)}
            for op in (self.proof.ops if self.proof else ())
        ]
        response = {
            "code": self.code,
            "log": self.log,
            "info": "",
            "index": "0",
            "key": None if self.key is None else spell_base64(self.key),
            "value": spell_base64(self.value) if self.value else None,
            "proofOps": {"ops": ops} if ops else None,
            "height": str(self.height),
            "codespace": self.codespace,
        }
        return {"response": response}


class Reach(NamedTuple):
    """What of a chain a face shows: from ``base`` to ``tip``."""

    chain: Blockchain
    base: int
    tip: int

    def version(self, height: int) -> Version | None:
        """Return the state after ``height``, None outside the reach."""
        return self.chain.version(height) if self.base <= height <= self.tip else None


def ask(reach: Reach, query: Query, odd: OddProof = OddProof.NONE) -> Answer:
    """Answer ``query``; what cannot be answered is an answer with a code."""
    query = query._replace(height=query.height or reach.tip)
    try:
        if query.path in _MODULES:
            return _module(reach, query)
        return _bent(reach, query, _store(reach, query), odd)
    except Refusal as refusal:
        return Answer(refusal.code, refusal.codespace, refusal.log)


def _store(reach: Reach, query: Query) -> Answer:
    """Read one key, with its proof if that is asked for."""
    if not query.path.startswith("/store/"):
        raise Refusal(UNKNOWN_REQUEST, "unknown query path")
    if query.prove and query.height <= 1:
        raise Refusal(
            INVALID_REQUEST, "cannot query with proof when height <= 1; please provide a valid height"
        )
    _, _, name, *rest = query.path.split("/")
    if name not in STORES or rest != ["key"]:
        raise Refusal(_STORE_UNKNOWN, f"no such store: {name}: unknown request", "store")
    version = reach.version(query.height)
    if version is None and query.prove:
        why = "proof is unexpectedly empty; ensure height has not been pruned: invalid request"
        raise Refusal(_STORE_INVALID, why, "store")
    if version is None:
        return Answer(log="version does not exist", key=query.content, height=query.height)
    value = version.get(name, query.content)
    proof = version.prove(name, query.content) if query.prove else None
    return Answer(key=query.content, value=value, proof=proof, height=query.height)


def _bent(reach: Reach, query: Query, answer: Answer, odd: OddProof) -> Answer:
    """Spoil a proof as the face's fault table says."""
    if odd is OddProof.STALE and query.height - 1 > reach.base:
        stale = _store(reach, query._replace(height=query.height - 1))
        return stale._replace(height=query.height)
    if odd is OddProof.VALUE:
        return answer._replace(value=_another(answer.value or b""))
    if odd is OddProof.MISSING:
        return answer._replace(proof=None)
    if odd is OddProof.PROOF and answer.proof:
        spoiled = bytearray(answer.proof.ops[0].data)
        spoiled[-1] ^= 1
        answer.proof.ops[0].data = bytes(spoiled)
    return answer


def _another(value: bytes) -> bytes:
    """Return another value of the same form: one more coin, or a record that ends otherwise (an account's sequence)."""
    if not value or value.isdigit():
        return str(int(value or b"0") + 1).encode()
    return value[:-1] + bytes((value[-1] ^ 1,))


# The modules' own queries


def _module(reach: Reach, query: Query) -> Answer:
    if query.height > reach.tip:
        raise Refusal(INVALID_HEIGHT, "cannot query with height in the future; please provide a valid height")
    version = reach.version(query.height)
    if version is None:
        raise Refusal(
            INVALID_REQUEST,
            f"failed to load state at height {query.height}; version does not exist (latest height: {reach.tip})",
        )
    value = cosmos.encode(_MODULES[query.path](reach, version, query.content))
    return Answer(value=value, height=query.height)


def _request(kind: Any, content: bytes) -> Any:
    try:
        return cosmos.decode(kind, content)
    except cosmos.Undecodable as error:
        raise Refusal(INVALID_REQUEST, str(error)) from error


def _raw(reach: Reach, text: str) -> bytes:
    try:
        return addresses.decode(text, reach.chain.parameters.prefix)
    except Refused as refused:
        raise Refusal(
            INVALID_REQUEST, f"rpc error: code = InvalidArgument desc = invalid address: {refused}"
        ) from refused


def _balance(reach: Reach, version: Version, content: bytes) -> Any:
    request = _request(cosmos.QueryBalanceRequest, content)
    amount = state.balance(version, _raw(reach, request.address), request.denom)
    return cosmos.QueryBalanceResponse(balance=cosmos.Coin(denom=request.denom, amount=str(amount)))


def _all_balances(reach: Reach, version: Version, content: bytes) -> Any:
    request = _request(cosmos.QueryAllBalancesRequest, content)
    prefix = state.balances_prefix(_raw(reach, request.address))
    held = [
        (key[len(prefix) :].decode(errors="replace"), int(value))
        for key, value in iavl.prefixed(version.trees["bank"], prefix)
    ]
    return cosmos.QueryAllBalancesResponse(balances=cosmos.coins(held), pagination={"total": len(held)})


def _account(reach: Reach, version: Version, content: bytes) -> Any:
    request = _request(cosmos.QueryAccountRequest, content)
    stored = version.get("acc", state.account_key(_raw(reach, request.address)))
    if stored is None:
        raise Refusal(
            KEY_NOT_FOUND,
            f"rpc error: code = NotFound desc = account {request.address} not found: key not found",
        )
    return cosmos.QueryAccountResponse(account=cosmos.decode(cosmos.Packed, stored))


def _simulate(reach: Reach, _: Version, content: bytes) -> Any:
    request = _request(cosmos.SimulateRequest, content)
    encoded = request.tx_bytes or _raw_tx(request.tx)
    result = reach.chain.simulate(encoded)
    if result.outcome.code:
        raise Refusal(UNKNOWN_REQUEST, f"rpc error: code = Unknown desc = {result.log}")
    part, whole = _SIMULATION_FACTOR
    used = result.outcome.gas_used * part // whole
    return cosmos.SimulateResponse(gas_info={"gas_wanted": result.outcome.gas_wanted, "gas_used": used})


def _raw_tx(tx: Any) -> bytes:
    """Return a ``Tx``, which some clients send whole, as the bytes that would be broadcast."""
    body, auth_info = cosmos.encode(tx.body), cosmos.encode(tx.auth_info)
    raw = cosmos.TxRaw(body_bytes=body, auth_info_bytes=auth_info, signatures=tx.signatures)
    return cosmos.encode(raw)


_MODULES: Final[dict[str, Callable[[Reach, Version, bytes], Any]]] = {
    "/cosmos.bank.v1beta1.Query/Balance": _balance,
    "/cosmos.bank.v1beta1.Query/AllBalances": _all_balances,
    "/cosmos.auth.v1beta1.Query/Account": _account,
    "/cosmos.tx.v1beta1.Service/Simulate": _simulate,
}
