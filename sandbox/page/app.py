"""The web application: the page, the HTTP API beneath it, and its OpenAPI document."""

from collections.abc import Mapping
from importlib.resources import files
from typing import Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, JSONResponse, Response

from sandbox.page import books as books_view
from sandbox.page import money as money_view
from sandbox.page import people
from sandbox.page.books import Books
from sandbox.page.money import Money
from sandbox.telegram import SandboxRefused, Telegram

_STATIC: Final = {
    "index.html": "text/html; charset=utf-8",
    "app.js": "text/javascript; charset=utf-8",
    "style.css": "text/css; charset=utf-8",
}
_POLICY: Final = (
    "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
)

DESCRIPTION: Final = """
Everything that the sandbox's page does: people who talk and press buttons, their wallets on the play-money chain, the
ledger, and faults to switch on. A scenario is a list of these calls.
"""


def create_app(
    telegram: Telegram,
    *,
    money: Money | None = None,
    books: Books | None = None,
    controls: Mapping[str, APIRouter] | None = None,
) -> FastAPI:
    """Return the page over ``telegram``; with a chain, a ledger and, by prefix, further controls."""
    app = FastAPI(title="Moneta sandbox", version="1", description=DESCRIPTION, docs_url=None, redoc_url=None)
    app.include_router(people.router(telegram))
    if books is not None:
        app.include_router(books_view.router(books))
    if money is not None:
        app.include_router(money_view.router(money))
    for prefix, more in (controls or {}).items():
        app.include_router(more, prefix=prefix)
    app.add_exception_handler(SandboxRefused, _refused)
    app.add_exception_handler(ValueError, _wrong)
    _serve_page(app)
    return app


def _serve_page(app: FastAPI) -> None:
    """Serve the static files from memory: reading them per request would need threads."""
    folder = files("sandbox.page").joinpath("static")
    pages = {name: folder.joinpath(name).read_bytes() for name in _STATIC}

    async def page() -> Response:
        return HTMLResponse(pages["index.html"], headers=_headers())

    async def static(name: str) -> Response:
        if name not in pages:
            return JSONResponse({"detail": "Not Found"}, 404)
        return Response(pages[name], media_type=_STATIC[name], headers=_headers())

    app.add_api_route("/", page, include_in_schema=False)
    app.add_api_route("/static/{name}", static, include_in_schema=False)


def _headers() -> dict[str, str]:
    return {"Content-Security-Policy": _POLICY, "Cache-Control": "no-store"}


async def _refused(_: Request, error: Exception) -> Response:
    """409: what Telegram's apps would not let a person do."""
    return JSONResponse({"detail": str(error)}, 409)


async def _wrong(_: Request, error: Exception) -> Response:
    """422: what was asked cannot be meant."""
    return JSONResponse({"detail": str(error)}, 422)
