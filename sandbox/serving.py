"""HTTP on this machine: one server for everything, found by the first part of the path."""

import contextlib
import socket
from collections.abc import Generator, Mapping
from typing import Final

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

LOOPBACK: Final = "127.0.0.1"
_GRACE_SECONDS: Final = 1


class Prefixes:
    """Gives requests below ``/<prefix>`` to their application, which sees its own paths only, and all others to one."""

    def __init__(self, otherwise: ASGIApp, apps: Mapping[str, ASGIApp]) -> None:
        self._otherwise = otherwise
        self._apps = apps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        _, first, *rest = f"{scope.get('path', '/')}/".split("/", 2)
        app = self._apps.get(first)
        if app is None:
            await self._otherwise(scope, receive, send)
            return
        below = "/" + "".join(rest)
        path = below if scope["path"].endswith("/") or below == "/" else below.removesuffix("/")
        await app({**scope, "path": path, "raw_path": path.encode()}, receive, send)


class Server(uvicorn.Server):
    """A server inside a program that minds its signals itself."""

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave the signals alone."""
        yield


def make_server(app: ASGIApp) -> Server:
    """Return a server for ``app``; ``await serve(sockets=[...])`` runs it until ``should_exit`` is set."""
    return Server(
        uvicorn.Config(
            app,
            lifespan="off",
            access_log=False,
            log_level="critical",
            timeout_graceful_shutdown=_GRACE_SECONDS,
        ),
    )


def bind(port: int) -> socket.socket:
    """Return a listening socket on loopback; port 0 takes a free one. Raises OSError when it is taken.

    The protocol is named because the loop sets TCP_NODELAY only then: without it each answer waits 40 ms.
    """
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((LOOPBACK, port))
        listening.listen(512)
    except OSError:
        listening.close()
        raise
    listening.setblocking(False)
    return listening


def url_of(listening: socket.socket) -> str:
    """Return the address of a bound socket, without a slash at its end."""
    return f"http://{LOOPBACK}:{listening.getsockname()[1]}"
