"""A node's JSON-RPC over HTTP, for one face of a chain: ``create_app`` may be called for as many faces as are wanted."""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.node.answers import Arguments, Face, RpcError
from sandbox.node.blockchain import Blockchain
from sandbox.node.faults import Faults

BATCH_LIMIT: Final = 10
BODY_LIMIT_BYTES: Final = 1_000_000
_URL_ID: Final = -1
_FACES: Final = "/faces/"


def create_app(chain: Blockchain, faults: Faults | None = None) -> ASGIApp:
    """Return the ASGI application of one face of ``chain``; ``faults`` stay switchable while it runs."""
    endpoint = _Endpoint(Face(chain, faults or Faults()))
    return Starlette(
        routes=[
            Route("/", endpoint.post, methods=["POST"]),
            Route("/", endpoint.index, methods=["GET"]),
            Route("/{method}", endpoint.get, methods=["GET"]),
        ]
    )


def faces_app(find: Callable[[str], ASGIApp | None]) -> ASGIApp:
    """Return one application for several faces: ``/faces/<name>`` is the face of that name, all else that of ""."""

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope.get("path", "/"))
        name, rest = "", path
        if path.startswith(_FACES):
            name, _, rest = path.removeprefix(_FACES).partition("/")
            rest = f"/{rest}"
        face = find(name) or Response("no such face\n", 404)
        await face({**scope, "path": rest, "raw_path": rest.encode()}, receive, send)

    return serve


class _Unreadable(Exception):  # noqa: N818 - what the request is
    """The body is no JSON-RPC."""


class _Endpoint:
    """Frames calls and answers as CometBFT does, and fails as the fault table says."""

    def __init__(self, face: Face) -> None:
        self._face = face

    async def index(self, _: Request) -> Response:
        """List the methods."""
        return HTMLResponse("<br>".join(["Available endpoints:", *self._face.methods]))

    async def get(self, request: Request) -> Response:
        """Answer one call by URL: an error of the application is HTTP 500."""
        method = request.path_params["method"]
        if method not in self._face.methods:
            return Response("404 page not found\n", 404)
        failure = await self._failure([method])
        if failure is not None:
            return failure
        answer = self._answer(_URL_ID, method, dict(request.query_params), by_url=True)
        return self._unless_lost(_json(answer, 500 if "error" in answer else 200), [method])

    async def post(self, request: Request) -> Response:
        """Answer one call or a batch; an error of the application is HTTP 200."""
        try:
            calls = _calls(await request.body())
        except _Unreadable as error:
            return _json(_error(None, RpcError(-32700, "Parse error. Invalid JSON", str(error))), 500)
        if len(calls) > BATCH_LIMIT:
            why = f"batch request exceeds maximum ({BATCH_LIMIT}) allowed number of requests"
            return _json(_error(None, RpcError(-32600, "Invalid Request", why)))
        named = [str(call.get("method")) for call in calls]
        failure = await self._failure(named)
        if failure is not None:
            return failure
        answers = [
            self._answer(call["id"], method, call.get("params") or {}, by_url=False)
            for call, method in zip(calls, named, strict=True)
            if call.get("id") is not None
        ]
        shown = answers[0] if len(answers) == 1 else answers
        return self._unless_lost(_json(shown) if answers else Response(), named)

    def _answer(self, call_id: Any, method: str, params: Any, *, by_url: bool) -> dict[str, Any]:
        run = self._face.methods.get(method)
        if run is None:
            return _error(call_id, RpcError(-32601, "Method not found", ""))
        if not isinstance(params, Mapping):
            return _error(call_id, RpcError(-32602, "Invalid params", "this node takes parameters by name"))
        try:
            result = run(Arguments(params, by_url=by_url))
        except RpcError as error:
            return _error(call_id, error)
        return {"jsonrpc": "2.0", "id": call_id, "result": result}

    async def _failure(self, methods: list[str]) -> Response | None:
        """Wait as the fault table says, then return what it says instead of an answer."""
        faults = self._face.faults
        for method in methods:
            await faults.hanging(method)
        table = faults.table
        if not any(table.concerns(method) for method in methods):
            return None
        if table.delay_ms:
            await asyncio.sleep(table.delay_ms / 1000)
        if table.status:
            return Response("the sandbox was told to fail\n", table.status)
        return Response("<html>not what you asked for", media_type="text/html") if table.garbage else None

    def _unless_lost(self, response: Response, methods: list[str]) -> Response:
        table = self._face.faults.table
        lost = table.lose_reply and any(table.concerns(method) for method in methods)
        return Response("502 Bad Gateway\n", 502) if lost else response


def _calls(body: bytes) -> list[dict[str, Any]]:
    if len(body) > BODY_LIMIT_BYTES:
        raise _Unreadable("error reading request body: http: request body too large")
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _Unreadable(f"error unmarshaling request: {error}") from error
    calls = document if isinstance(document, list) else [document]
    if not all(isinstance(call, dict) for call in calls):
        raise _Unreadable("error unmarshaling request: a call is an object")
    return calls


def _error(call_id: Any, error: RpcError) -> dict[str, Any]:
    body = {"code": error.code, "message": error.message, "data": error.reason}
    answer = {"jsonrpc": "2.0", "id": call_id, "error": body}
    return {key: value for key, value in answer.items() if value is not None}


def _json(document: Any, status: int = 200) -> Response:
    content = json.dumps(document, separators=(",", ":"))
    return Response(content, status, media_type="application/json")
