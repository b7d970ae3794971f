"""The network between the program and the world: every call may be lost, late, doubled or answered by an error.

A call to a fake server runs in a task of the world's, the caller only waits for a future: so a caller's time-out or
death never stops what the server was doing, and "acted, but the answer is lost" happens by itself (simulation.md).
"""

import asyncio
import contextvars
import random
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import httpx

from tests.simulation.loop import incarnation

_AppCall = Any


class Mishap(StrEnum):
    """What happens to one request."""

    NONE = "none"
    REQUEST_LOST = "request lost"
    ANSWER_LOST = "answer lost"
    DOUBLED = "doubled"
    LATE = "late"
    REFUSED = "refused"
    BROKEN = "5xx"


@dataclass(slots=True)
class Weather:
    """How bad the network is: the chance of each mishap, from a random source of its own."""

    rng: random.Random
    chances: Mapping[Mishap, float] = field(default_factory=dict)
    latency_seconds: tuple[float, float] = (0.002, 0.08)

    def draw(self) -> Mishap:
        """Return what happens to the next request."""
        at = self.rng.random()
        for mishap, chance in self.chances.items():
            at -= chance
            if at < 0:
                return mishap
        return Mishap.NONE

    def delay(self) -> float:
        """Return how long one way takes, in seconds."""
        return self.rng.uniform(*self.latency_seconds)


_LATE_SECONDS: Final = 8.0


class Network(httpx.AsyncBaseTransport):
    """A transport for httpx that knows its hosts by name and nothing else of the world.

    ``apps`` maps ``host:port`` to an ASGI app. Errors inside an app are the world's own faults: they are kept in
    ``errors`` and fail the run, because a client library would take any exception for a network error.
    """

    def __init__(self, apps: Mapping[str, _AppCall], weather: Weather) -> None:
        self._apps = apps
        self._weather = weather
        self._world = contextvars.copy_context()
        self._world.run(incarnation.set, 0)
        self._tasks: set[asyncio.Task[None]] = set()
        self.errors: list[BaseException] = []
        self.watch: Callable[[httpx.Request, Mishap], None] | None = None
        self.strike: Callable[[str], object] = lambda _: None
        """Called before a request leaves and when its answer is there: who makes requests may die of it."""
        self.forbidden: Callable[[bytes], float] = lambda _: 0.0
        """Called with the body that a server forbade; returns how many seconds its answer takes longer."""

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Carry one request; raises what httpx raises for the mishap that befell it."""
        mishap = self._weather.draw()
        if self.watch is not None:
            self.watch(request, mishap)
        self.strike("before request")
        await asyncio.sleep(self._weather.delay())
        if mishap is Mishap.REFUSED:
            raise httpx.ConnectError("connection refused", request=request)
        answer = asyncio.get_running_loop().create_future()
        if mishap is not Mishap.REQUEST_LOST:
            self._send(request, await request.aread(), answer, mishap)
        limits = request.extensions.get("timeout", {})
        try:
            async with asyncio.timeout(limits.get("read")):
                response: httpx.Response = await answer
        except TimeoutError:
            raise httpx.ReadTimeout("no answer", request=request) from None
        self.strike("after request")
        await asyncio.sleep(0)
        return response

    def _send(
        self, request: httpx.Request, body: bytes, answer: "asyncio.Future[Any]", mishap: Mishap
    ) -> None:
        task = asyncio.get_running_loop().create_task(
            self._serve(request, body, answer, mishap), context=self._world.copy()
        )
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            self.errors.append(task.exception() or AssertionError())

    async def _serve(
        self, request: httpx.Request, body: bytes, answer: "asyncio.Future[Any]", mishap: Mishap
    ) -> None:
        broken: httpx.TransportError | None = None
        late = _LATE_SECONDS if mishap is Mishap.LATE else 0.0
        response = httpx.Response(502, text="bad gateway", request=request)
        try:
            for _ in range({Mishap.BROKEN: 0, Mishap.DOUBLED: 2}.get(mishap, 1)):
                response = await self._ask(request, body)
            if response.status_code == httpx.codes.FORBIDDEN:
                late += self.forbidden(body)
        except httpx.TransportError as error:
            # The server broke the connection on purpose: that is for the caller to see.
            broken = error
        await asyncio.sleep(self._weather.delay() + late)
        if mishap is Mishap.ANSWER_LOST or answer.done():
            return
        if broken is not None:
            answer.set_exception(broken)
        else:
            answer.set_result(response)

    def under_way(self) -> frozenset[asyncio.Task[None]]:
        """Return the tasks that carry out requests now: they go on though the sender is dead."""
        return frozenset(self._tasks)

    async def _ask(self, request: httpx.Request, body: bytes) -> httpx.Response:
        port = f":{request.url.port}" if request.url.port else ""
        call = _Call(request, body)
        await self._apps[f"{request.url.host}{port}"](call.scope(), call.receive, call.send)
        return httpx.Response(
            call.status, headers=call.headers, content=b"".join(call.parts), request=request
        )


class _Call:
    """One request as an ASGI app sees it, and what the app says."""

    def __init__(self, request: httpx.Request, body: bytes) -> None:
        self._request = request
        self._unread: bytes | None = body
        self.status = 500
        self.headers: Sequence[tuple[bytes, bytes]] = ()
        self.parts: list[bytes] = []

    def scope(self) -> dict[str, Any]:
        """Return where the request goes."""
        url = self._request.url
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": self._request.method,
            "headers": [(name.lower(), value) for name, value in self._request.headers.raw],
            "scheme": url.scheme,
            "path": url.path,
            "raw_path": url.raw_path.partition(b"?")[0],
            "query_string": url.query,
            "server": (url.host, url.port),
            "client": ("127.0.0.1", 123),
            "root_path": "",
        }

    async def receive(self) -> dict[str, Any]:
        """Return the body, whole; nobody comes after it."""
        body, self._unread = self._unread, None
        if body is None:
            return {"type": "http.disconnect"}
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        """Take a part of the answer."""
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], message.get("headers", ())
        else:
            self.parts.append(message.get("body", b""))
