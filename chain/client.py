"""One node's JSON-RPC: asks by POST with time-outs, and reads what comes back without believing it.

POST because GET turns every application error into HTTP 500. Whether an answer is true is decided one layer up.
"""

import asyncio
import base64
import itertools
import json
import zlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from enum import StrEnum
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import httpx

from chain.errors import NodeUnavailable, NotYet, Pruned
from chain.light import reading
from chain.light.commit import Validator, ValidatorSet
from chain.light.errors import Malformed
from chain.light.header import Header
from chain.light.proof import ProofOp, ops_from_json
from chain.light.trust import SignedHeader
from chain.longresults import Pieces, Thinned, Thinner

BATCH_LIMIT: Final = 10
"""Calls in one request; a node answers eleven with one error object and HTTP 200 (chain.md, Deposits 1)."""
HEADERS_LIMIT: Final = 20
"""Headers in one ``/blockchain`` answer."""
VALIDATORS_LIMIT: Final = 100
"""Validators in one page."""
LONG_SECONDS: Final = 600.0
"""How long the results of one block may take when they are longer than other answers may be."""
_VALIDATOR_PAGES_LIMIT: Final = 100
_REQUESTS_AT_ONCE: Final = 4
_RESPONSE_LIMIT_BYTES: Final = 64 * 1024 * 1024
_VALUES_SIGNS: Final = (b",", b"[", b"{")
"""There are no more values in JSON than these: three bytes of ``[],`` are seventy in memory."""
_TIMEOUT_SECONDS: Final = 15.0
_SLOW_BYTES: Final = 1024 * 1024
"""Whoever told so much in that time does not hang: the line is slow, and fewer calls or more time may do."""
_SILENCE_SECONDS: Final = 60.0
"""How long a node may think about a long answer."""
_PACKED: Final = "gzip"
"""Packed once, what comes over the wire at a time grows to some 70 MB at most; packed twice it has no bound."""

_AHEAD: Final = ("must be less than or equal to", "could not find results for height")
_BELOW: Final = ("lowest height is",)
_IN_CACHE: Final = "tx already exists in cache"
_STATE_AHEAD: Final = ("sdk", 26)
_STATE_ABSENT: Final = (("sdk", 18), ("store", 7))
"""The first for heights up to 1 and by the query service, the second ("proof is unexpectedly empty") for the rest."""
_BACKENDS_APART: Final = 50
"""Blocks by which the machines behind one URL may differ; what is older, all of them once had."""
_MEMPOOL_FULL: Final = 20
_TX_IN_CACHE: Final = 19


class Call(NamedTuple):
    """A method of the node and its parameters; heights are strings."""

    method: str
    params: Mapping[str, Any]


class _Limit(NamedTuple):
    """How long an answer may be, and how many values it may hold: one node could take all memory otherwise."""

    octets: int
    values: int


_LIMIT: Final = _Limit(4 * 1024 * 1024, 300_000)
_LIMITS: Final = {
    "status": _Limit(64 * 1024, 10_000),
    "broadcast_tx_sync": _Limit(64 * 1024, 10_000),
    # A transaction is one value; events are as many as somebody paid gas for.
    "block": _Limit(_RESPONSE_LIMIT_BYTES, 300_000),
    "block_results": _Limit(_RESPONSE_LIMIT_BYTES, 2_000_000),
}


class LongLimits(NamedTuple):
    """How long the results of one block may be where they are longer than other answers may be."""

    octets: int = 2 * 1024**3
    """A block's gas buys some hundred million bytes of events, and JSON makes six of one."""
    kept: int = 128 * 1024**2
    """What transactions return costs gas by the byte as well, and is hashed."""
    seconds: float = LONG_SECONDS


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


class RpcRefused(NodeUnavailable):
    """The node answered with an error of its own; ``text`` is its message and details."""

    def __init__(self, endpoint: str, text: str) -> None:
        super().__init__(f"{endpoint}: {text[:300]}")
        self.text = text


class TooLong(NodeUnavailable):
    """The answer is longer than the limit: fewer calls in one request may fit."""


class _Late(NodeUnavailable):
    """The answer did not come to its end in time."""


class NodeClient:
    """Speaks to one node. Every method raises NodeUnavailable (NotYet, Pruned), or Malformed for a strange form.

    ``name`` stands for the node in logs and alerts: its URL may hold a key and is never shown.
    """

    def __init__(
        self,
        name: str,
        url: str,
        *,
        transport: httpx.AsyncBaseTransport | None = None,
        timeout_seconds: float = _TIMEOUT_SECONDS,
        response_limit_bytes: int = _RESPONSE_LIMIT_BYTES,
        long_limits: LongLimits = LongLimits(),  # noqa: B008 - immutable
    ) -> None:
        self.name: Final = name
        self._url: Final = url
        self._timeout_seconds: Final = timeout_seconds
        self._response_limit_bytes: Final = response_limit_bytes
        self._long_limits: Final = long_limits
        self._http: Final = httpx.AsyncClient(
            transport=transport,
            timeout=timeout_seconds,
            headers={"Accept-Encoding": _PACKED},
            # A node has no business to leave anything with us; its cookies would pile up for ever.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        )
        self._slots: Final = asyncio.Semaphore(_REQUESTS_AT_ONCE)
        self._long: Final = asyncio.Lock()
        self._ids: Final = itertools.count(1)
        self._latest_seen = 0

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

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

    async def call(self, method: str, **params: Any) -> Any:
        """Make one call and return its result."""
        number = next(self._ids)
        answer = await self._post(_request(number, Call(method, params)), _LIMITS.get(method, _LIMIT))
        return self._result(number, answer)

    async def batch(self, calls: Sequence[Call]) -> list[Any]:
        """Make calls, ten to a request and some requests at once; return their results in order, or raise the first error."""
        groups = [calls[i : i + BATCH_LIMIT] for i in range(0, len(calls), BATCH_LIMIT)]
        answers = await asyncio.gather(*(self._group(group) for group in groups), return_exceptions=True)
        results: list[Any] = []
        for answer in answers:
            if isinstance(answer, BaseException):
                raise answer
            results += answer
        return results

    async def _group(self, calls: Sequence[Call]) -> list[Any]:
        """Make calls in one request, or in more where the answer would be too long: five full blocks are."""
        if len(calls) == 1:
            return [await self._alone(calls[0])]
        try:
            return await self._batch(calls)
        except TooLong:
            half = len(calls) // 2
        # Not within the handler: there the error still holds what was read.
        return [*await self._group(calls[:half]), *await self._group(calls[half:])]

    async def _alone(self, call: Call) -> Any:
        """Make one call, by itself: a node answers an array of one by a bare object."""
        try:
            return await self.call(call.method, **call.params)
        except TooLong:
            if call.method != "block_results":
                raise
        return await self._long_results(call)

    async def _long_results(self, call: Call) -> Thinned:
        """Ask for the results of a block again and keep, as they come, only what consensus hashes of them."""
        number = next(self._ids)
        # One at a time: what is kept of one may be much.
        async with self._long:
            content = await self._thinned(_request(number, call))
        answer = self._unfolded(content, _LIMITS[call.method].values)
        return Thinned(reading.mapping(self._result(number, answer), call.method))

    async def _thinned(self, document: Any) -> bytearray:
        limits, thinner, content, octets = self._long_limits, Thinner(), bytearray(), 0
        async with self._exchange(document, limits.seconds) as response:
            pieces = Pieces(is_packed=response.headers.get("Content-Encoding", "").lower() == _PACKED)
            async for chunk in response.aiter_raw():
                for piece in pieces.of(chunk):
                    octets += len(piece)
                    content += thinner.feed(piece)
                    if octets > limits.octets or len(content) > limits.kept:
                        raise TooLong(f"{self.name}: the answer is too long, also without events")
                    # Pieces may come faster than they are read: let others have their turn.
                    await asyncio.sleep(0)
        return content

    async def _batch(self, calls: Sequence[Call]) -> list[Any]:
        numbers = [next(self._ids) for _ in calls]
        limit = max(_LIMITS.get(call.method, _LIMIT) for call in calls)
        answer = await self._post([_request(*pair) for pair in zip(numbers, calls, strict=True)], limit)
        if not isinstance(answer, list):
            raise self._refused(answer)
        by_number = {each["id"]: each for each in answer if _numbered(each)}
        if len(answer) != len(calls) or set(by_number) != set(numbers):
            raise NodeUnavailable(f"{self.name}: the answers are not to the calls made")
        return [self._result(number, by_number[number]) for number in numbers]

    def _result(self, number: int, answer: Any) -> Any:
        if not isinstance(answer, dict) or answer.get("error") is not None or "result" not in answer:
            raise self._refused(answer)
        if answer.get("id") != number:
            raise NodeUnavailable(f"{self.name}: the answer is not to the call made")
        return answer["result"]

    def _refused(self, answer: Any) -> NodeUnavailable:
        error = answer.get("error") if isinstance(answer, dict) else None
        if not isinstance(error, dict):
            return NodeUnavailable(f"{self.name}: the answer is no JSON-RPC")
        # JSON can spell strings that no log can write.
        text = f"{error.get('message', '')}: {error.get('data', '')}".encode(errors="replace").decode()
        if any(sign in text for sign in _BELOW):
            return Pruned(f"{self.name}: {text[:300]}")
        if any(sign in text for sign in _AHEAD):
            return NotYet(f"{self.name}: {text[:300]}")
        return RpcRefused(self.name, text)

    async def _post(self, document: Any, limit: _Limit) -> Any:
        limit_bytes, content = min(limit.octets, self._response_limit_bytes), bytearray()
        try:
            async with self._exchange(document, self._timeout_seconds) as response:
                async for chunk in response.aiter_bytes():
                    content += chunk
                    if len(content) > limit_bytes:
                        raise TooLong(f"{self.name}: the answer is too long")
        except _Late as error:
            if len(content) < _SLOW_BYTES:
                raise
            raise TooLong(f"{self.name}: the answer is too long for {self._timeout_seconds} s") from error
        return self._unfolded(content, limit.values)

    @asynccontextmanager
    async def _exchange(self, document: Any, seconds: float) -> AsyncIterator[httpx.Response]:
        """Post ``document`` and let its answer be read, all of it in so many seconds. Raises NodeUnavailable."""
        silence = min(seconds, _SILENCE_SECONDS)
        request = self._http.stream("POST", self._url, json=document, timeout=silence)
        try:
            async with self._slots, asyncio.timeout(seconds), request as response:
                if response.status_code != httpx.codes.OK:
                    raise NodeUnavailable(f"{self.name}: HTTP {response.status_code}")
                if response.headers.get("Content-Encoding", _PACKED).lower() not in (_PACKED, "identity"):
                    raise NodeUnavailable(f"{self.name}: the answer is packed in another way than asked")
                yield response
        except TimeoutError as error:
            raise _Late(f"{self.name}: no answer in {seconds} s") from error
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL, zlib.error) as error:
            raise NodeUnavailable(f"{self.name}: {type(error).__name__}") from error

    def _unfolded(self, content: bytearray, values: int) -> Any:
        if sum(map(content.count, _VALUES_SIGNS)) > values:
            raise TooLong(f"{self.name}: the answer is too long: it holds too many values")
        try:
            return json.loads(content)
        except (ValueError, RecursionError) as error:
            raise NodeUnavailable(f"{self.name}: the answer is no JSON") from error


def _numbered(answer: Any) -> bool:
    return isinstance(answer, dict) and isinstance(answer.get("id"), int)


def _request(number: int, call: Call) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "id": number, "method": call.method, "params": dict(call.params)}


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
