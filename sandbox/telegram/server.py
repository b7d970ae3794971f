"""The Bot API over HTTP: ``/bot<token>/<method>`` and ``/file/bot<token>/<path>``, as api.telegram.org has them."""

import asyncio
from typing import Any, Final

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from sandbox.telegram.body import LARGEST_BYTES, read_parameters
from sandbox.telegram.faults import Fault
from sandbox.telegram.methods import METHODS, Call
from sandbox.telegram.model import BotAccount
from sandbox.telegram.people import Telegram
from sandbox.telegram.refusals import ApiError, conflict, not_found, unauthorized

_LONGEST_HANG_SECONDS: Final = 600.0


class BrokenConnection(Response):
    """An answer that ends in the middle: the caller cannot know what became of the call."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 - ASGI's signature
        """Begin an answer, then break off: a server closes the socket, an in-process caller gets the same error."""
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        raise httpx.RemoteProtocolError("peer closed connection without sending complete message body")


class BotApi:
    """Answers the calls of bots, with the faults that were asked for."""

    def __init__(self, telegram: Telegram) -> None:
        self.telegram = telegram
        self._by_token: dict[str, BotAccount] = {}

    async def call(self, request: Request) -> Response:
        """Answer one method call."""
        method = request.path_params["method"].lower()
        fault = self.telegram.faults.take(method)
        try:
            if fault is not None:
                return await self._with_fault(fault, request, method)
            return await self._act(request, method)
        except ApiError as error:
            return JSONResponse(error.body(), error.code)

    async def file(self, request: Request) -> Response:
        """Serve an uploaded file back."""
        try:
            self._bot(request)
        except ApiError as error:
            return JSONResponse(error.body(), error.code)
        file = self.telegram.state.files.get(request.path_params["file_id"])
        if file is None:
            return JSONResponse(ApiError(404, "Not Found").body(), 404)
        return Response(file.content, media_type=file.mime)

    async def _with_fault(self, fault: Fault, request: Request, method: str) -> Response:
        pause = min(fault.seconds, _LONGEST_HANG_SECONDS)
        match fault.kind:
            case "refuse":
                after = {"retry_after": fault.retry_after} if fault.retry_after else {}
                raise ApiError(fault.code, fault.description, **after)
            case "garbage":
                return HTMLResponse("<html><body>Bad gateway</body></html>", fault.code)
            case "hang":
                await asyncio.sleep(pause)
                raise ApiError(504, "Gateway Timeout")
            case "slow":
                await asyncio.sleep(pause)
                return await self._act(request, method)
            case "hang_after":
                answer = await self._act(request, method)
                await asyncio.sleep(pause)
                return answer
            case "lost_reply":
                await self._act(request, method)
                return BrokenConnection()

    async def _act(self, request: Request, method: str) -> Response:
        bot = self._bot(request)
        body = await _body(request)
        parameters = read_parameters(request.headers.get("content-type", ""), request.url.query, body)
        call = Call(self.telegram, bot, parameters)
        if method == "getupdates":
            return _ok(await self._updates(call))
        if method not in METHODS:
            raise not_found()
        return _ok(METHODS[method](call))

    async def _updates(self, call: Call) -> Any:
        if call.bot.webhook:
            raise conflict(
                "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first",
            )
        queue, parameters = self.telegram.queues[call.me], call.parameters
        if parameters.has("allowed_updates"):
            queue.allowed = parameters.json("allowed_updates") or None
        limit = min(max(parameters.integer("limit", 100), 1), 100)
        return await queue.poll(parameters.integer("offset", 0), limit, parameters.number("timeout", 0))

    def _bot(self, request: Request) -> BotAccount:
        token = request.path_params["token"]
        number = token.partition(":")[0]
        bot = self.telegram.state.bots.get(int(number)) if number.isdecimal() else None
        if bot is None or bot.token != token:
            raise unauthorized()
        return bot


async def _body(request: Request) -> bytes:
    parts, size = [], 0
    async for part in request.stream():
        size += len(part)
        if size > LARGEST_BYTES:
            raise ApiError(413, "Request Entity Too Large")
        parts.append(part)
    return b"".join(parts)


def _ok(result: Any) -> Response:
    return JSONResponse({"ok": True, "result": result})


def create_app(telegram: Telegram) -> Starlette:
    """Return the ASGI application that speaks the Bot API for the bots of ``telegram``."""
    api = BotApi(telegram)
    return Starlette(
        routes=[
            Route("/bot{token}/{method}", api.call, methods=["GET", "POST"]),
            Route("/file/bot{token}/files/{file_id}", api.file, methods=["GET"]),
        ],
    )
