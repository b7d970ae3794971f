"""JSON-RPC to one node: calls by POST, alone or ten to a request, with time-outs and limits for what comes back.

POST because GET turns every application error into HTTP 500.
"""

import asyncio
import itertools
import json
import zlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Any, Final, NamedTuple, Self

import httpx

from chain.errors import NodeUnavailable, NotYet, Pruned
from chain.light import reading
from chain.longresults import Pieces, Thinned, Thinner

BATCH_LIMIT: Final = 10
"""Calls in one request; a node answers eleven with one error object and HTTP 200 (chain.md, Deposits 1)."""
LONG_SECONDS: Final = 600.0
"""How long the results of one block may take when they are longer than other answers may be."""
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


class RpcRefused(NodeUnavailable):
    """The node answered with an error of its own; ``text`` is its message and details."""

    def __init__(self, endpoint: str, text: str) -> None:
        super().__init__(f"{endpoint}: {text[:300]}")
        self.text = text


class TooLong(NodeUnavailable):
    """The answer is longer than the limit: fewer calls in one request may fit."""


class _Late(NodeUnavailable):
    """The answer did not come to its end in time."""


class Rpc:
    """Makes calls of one node. Raises NodeUnavailable (NotYet, Pruned) for what the node refuses or cannot say.

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

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

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
