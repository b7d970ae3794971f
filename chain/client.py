"""What one node says, read without being believed. Whether it is true is decided one layer up."""

import base64
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Any, Final, NamedTuple

from chain.errors import NodeUnavailable, NotYet, Pruned
from chain.light import reading
from chain.light.commit import Validator, ValidatorSet
from chain.light.errors import Malformed
from chain.light.header import Header
from chain.light.proof import ProofOp, ops_from_json
from chain.light.trust import SignedHeader
from chain.rpc import Call, Rpc, RpcRefused

HEADERS_LIMIT: Final = 20
"""Headers in one ``/blockchain`` answer."""
VALIDATORS_LIMIT: Final = 100
"""Validators in one page."""
_VALIDATOR_PAGES_LIMIT: Final = 100
_IN_CACHE: Final = "tx already exists in cache"
_STATE_AHEAD: Final = ("sdk", 26)
_STATE_ABSENT: Final = (("sdk", 18), ("store", 7))
"""The first for heights up to 1 and by the query service, the second ("proof is unexpectedly empty") for the rest."""
_BACKENDS_APART: Final = 50
"""Blocks by which the machines behind one URL may differ; what is older, all of them once had."""
_MEMPOOL_FULL: Final = 20
_TX_IN_CACHE: Final = 19


class NodeStatus(NamedTuple):
    """What a node says of itself."""

    chain_id: str
    latest_height: int
    latest_time: int
    """Unix milliseconds of the latest block."""
    earliest_height: int
    catching_up: bool


class Body(NamedTuple):
    """A block's transactions and the results that the node claims for them."""

    txs: tuple[bytes, ...]
    results: Mapping[str, Any]


class StateKey(NamedTuple):
    """A place in the application's state."""

    store: str
    key: bytes


class StateAnswer(NamedTuple):
    """A value of the state (empty: the node claims that there is none), the height it is of, and its proof."""

    value: bytes
    height: int
    proof: tuple[ProofOp, ...]


class Verdict(StrEnum):
    """What one node says of transaction bytes."""

    ACCEPTED = "accepted"
    KNOWN = "known"
    """It has them already: neutral."""
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    """No answer, or one that decides nothing: they may be on their way."""


class BroadcastAnswer(NamedTuple):
    """One node's verdict; ``code`` (of ``codespace``) and ``log`` are its reasons when it rejects."""

    endpoint: str
    verdict: Verdict
    code: int = 0
    codespace: str = ""
    log: str = ""


class NodeClient(Rpc):
    """Asks one node. Every method raises NodeUnavailable (NotYet, Pruned), or Malformed for a strange form."""

    _latest_seen = 0

    async def status(self) -> NodeStatus:
        """Return what the node says of itself."""
        result = await self.call("status")
        info, sync = reading.member(result, "node_info"), reading.member(result, "sync_info")
        self._latest_seen = reading.natural(sync, "latest_block_height")
        return NodeStatus(
            chain_id=reading.text(info, "network"),
            latest_height=self._latest_seen,
            latest_time=reading.timestamp(sync, "latest_block_time").millis(),
            earliest_height=reading.natural(sync, "earliest_block_height"),
            catching_up=sync.get("catching_up") is not False,
        )

    async def signed_header(self, height: int) -> SignedHeader:
        """Return the header of ``height`` and the commit for it."""
        return SignedHeader.from_json(await self.call("commit", height=str(height)))

    async def headers(self, low: int, high: int) -> list[Header]:
        """Return the headers from ``low`` to ``high``, both included, in ascending order as claimed."""
        pages = [
            Call(
                "blockchain",
                {"minHeight": str(first), "maxHeight": str(min(first + HEADERS_LIMIT - 1, high))},
            )
            for first in range(low, high + 1, HEADERS_LIMIT)
        ]
        headers: list[Header] = []
        for page in await self.batch(pages):
            metas = reading.sequence(reading.mapping(page, "blockchain").get("block_metas"), "block_metas")
            newest_first = [Header.from_json(reading.member(meta, "header")) for meta in metas]
            headers += reversed(newest_first)
        return headers

    async def validators(self, height: int) -> ValidatorSet:
        """Return the validators of ``height`` in the order that their hash has."""
        found: list[Validator] = []
        for page in range(1, _VALIDATOR_PAGES_LIMIT + 1):
            answer = await self.call(
                "validators", height=str(height), page=str(page), per_page=str(VALIDATORS_LIMIT)
            )
            source = reading.mapping(answer, "validators")
            rows = reading.sequence(source.get("validators"), "validators")
            total = reading.natural(source, "total")
            if total > VALIDATORS_LIMIT * _VALIDATOR_PAGES_LIMIT:
                break
            if len(rows) != min(total - len(found), VALIDATORS_LIMIT):
                raise Malformed(f"page {page} of {total} validators holds {len(rows)}")
            found += [Validator.from_json(row) for row in rows]
            if len(found) == total:
                return ValidatorSet(tuple(found))
        raise Malformed("there are too many validators")

    async def bodies(self, heights: Sequence[int]) -> list[Body]:
        """Return what is in the blocks of ``heights`` and what they are claimed to have resulted in."""
        calls = [
            Call(method, {"height": str(height)})
            for height in heights
            for method in ("block", "block_results")
        ]
        answers = await self.batch(calls)
        return [_body(block, results) for block, results in zip(answers[::2], answers[1::2], strict=True)]

    async def next_block(self, height: int) -> tuple[SignedHeader, Header, Body]:
        """Return, in one request, the signed header of ``height + 1``, and header and body of block ``height``."""
        at = {"height": str(height)}
        signed, block, results = await self.batch(
            [Call("commit", {"height": str(height + 1)}), Call("block", at), Call("block_results", at)]
        )
        header = Header.from_json(reading.member(block, "block").get("header"))
        return SignedHeader.from_json(signed), header, _body(block, results)

    async def results(self, height: int) -> Mapping[str, Any]:
        """Return the claimed results of one block, events included."""
        return reading.mapping(await self.call("block_results", height=str(height)), "block_results")

    async def states(self, wanted: Sequence[tuple[StateKey, int]]) -> list[StateAnswer | NodeUnavailable]:
        """Return for each key and height what the state held after that block, or why the node cannot say it."""
        answers = await self.batch([_state_call(key, height) for key, height in wanted])
        return [
            await self._state(height, answer) for (_, height), answer in zip(wanted, answers, strict=True)
        ]

    async def _state(self, height: int, answer: Any) -> StateAnswer | NodeUnavailable:
        response = reading.member(answer, "response")
        refusal = (reading.text(response, "codespace"), reading.natural(response, "code"))
        if refusal[1]:
            return await self._state_refused(refusal, reading.text(response, "log"), height)
        value = reading.base64_octets(response.get("value"), "value")
        return StateAnswer(
            value, reading.natural(response, "height"), ops_from_json(response.get("proofOps"))
        )

    async def _state_refused(self, refusal: tuple[str, int], log: str, height: int) -> NodeUnavailable:
        """Say why there was no state; where a proof was asked for, one code stands for pruned states and future ones."""
        if refusal in _STATE_ABSENT:
            if height > self._latest_seen - _BACKENDS_APART:
                await self.status()
            return (NotYet if height > self._latest_seen else Pruned)(f"{self.name}: {log[:300]}")
        if refusal == _STATE_AHEAD:
            return NotYet(f"{self.name}: {log[:300]}")
        return RpcRefused(self.name, f"{refusal[0]} code {refusal[1]}: {log}")

    async def broadcast(self, raw: bytes) -> BroadcastAnswer:
        """Offer transaction bytes to the node. Raises nothing of the chain's: no answer is verdict UNKNOWN."""
        try:
            answer = await self.call("broadcast_tx_sync", tx=base64.b64encode(raw).decode())
            source = reading.mapping(answer, "broadcast")
            code, codespace = reading.natural(source, "code"), reading.text(source, "codespace")
            log = reading.text(source, "log")
        except RpcRefused as error:
            known = _IN_CACHE in error.text
            return BroadcastAnswer(
                self.name, Verdict.KNOWN if known else Verdict.UNKNOWN, log=error.text[:300]
            )
        except (NodeUnavailable, Malformed) as error:
            return BroadcastAnswer(self.name, Verdict.UNKNOWN, log=str(error)[:300])
        return BroadcastAnswer(self.name, _verdict(code, codespace), code, codespace, log[:300])


def _state_call(asked: StateKey, height: int) -> Call:
    path = f"/store/{asked.store}/key"
    return Call("abci_query", {"path": path, "data": asked.key.hex(), "height": str(height), "prove": True})


def _body(block: Any, results: Any) -> Body:
    txs = reading.sequence(reading.member(reading.member(block, "block"), "data").get("txs"), "txs")
    return Body(
        tuple(reading.base64_octets(tx, "tx") for tx in txs), reading.mapping(results, "block_results")
    )


def _verdict(code: int, codespace: str) -> Verdict:
    if code == 0:
        return Verdict.ACCEPTED
    if codespace == "sdk" and code == _TX_IN_CACHE:
        return Verdict.KNOWN
    if codespace == "sdk" and code == _MEMPOOL_FULL:
        return Verdict.UNKNOWN
    return Verdict.REJECTED
