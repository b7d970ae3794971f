"""The OpenAPI document is complete enough that a client can be made from it, and the page needs no other host."""

import re
from importlib.resources import files
from typing import Any

import pytest

from tests.sandbox.page.conftest import ANA, BEN, Desk

STATIC = files("sandbox.page").joinpath("static")


def references(value: Any) -> list[str]:
    """Return every ``$ref`` below ``value``."""
    if isinstance(value, dict):
        own = [value["$ref"]] if "$ref" in value else []
        return own + [found for each in value.values() for found in references(each)]
    return [found for each in value for found in references(each)] if isinstance(value, list) else []


@pytest.fixture
async def document(desk: Desk) -> dict[str, Any]:
    found: dict[str, Any] = (await desk.get("/openapi.json")).json()
    return found


def operations(document: dict[str, Any]) -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, each) for path, item in document["paths"].items() for method, each in item.items()]


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    names = {reference.removeprefix("#/components/schemas/") for reference in references(document)}
    assert names <= set(document["components"]["schemas"])


def test_every_operation_has_a_name_of_its_own_and_says_what_it_does(document: dict[str, Any]) -> None:
    found = operations(document)
    assert len({each["operationId"] for _, _, each in found}) == len(found)
    assert [path for path, _, each in found if not each.get("description")] == []


def test_every_parameter_of_a_path_is_described(document: dict[str, Any]) -> None:
    for path, _, each in operations(document):
        named = {given["name"] for given in each.get("parameters", []) if given["in"] == "path"}
        assert named == set(re.findall(r"\{(\w+)\}", path))


async def test_a_scenario_is_played_by_the_document_alone(desk: Desk, document: dict[str, Any]) -> None:
    """A client that knows only operation names sends a deposit and a transfer command."""
    by_name = {each["operationId"]: (path, method) for path, method, each in operations(document)}

    async def play(name: str, body: dict[str, Any] | None = None, **parts: Any) -> Any:
        path, method = by_name[name]
        answer = await desk.request(method.upper(), path.format(**parts), json=body)
        assert answer.is_success, answer.text
        return answer.json()

    chat = (await play("chats", person=ANA))[0]
    await play("deposit", {"amount": 1_000_000, "memo": str(ANA)}, person=ANA)
    hello = await play("say", {"text": "hello"}, person=BEN, key=chat["key"])
    await play("say", {"text": "/send 1", "reply_to": hello["message_id"]}, person=ANA, key=chat["key"])
    texts = [message["text"] for message in await play("messages", person=BEN, key=chat["key"])]
    assert texts[-2:] == ["hello", "/send 1"]


@pytest.mark.parametrize("name", ["index.html", "app.js", "style.css"])
def test_the_page_names_no_other_host(name: str) -> None:
    text = STATIC.joinpath(name).read_text()
    assert re.findall(r"""["'(`](?:https?:)?//[\w-]+\.[\w.]+""", text) == []


def test_text_of_people_never_becomes_html() -> None:
    script = STATIC.joinpath("app.js").read_text()
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function", script
    )


async def test_the_page_is_served_with_a_strict_policy(desk: Desk) -> None:
    page = await desk.get("/")
    assert page.status_code == 200
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert (await desk.get("/static/app.js")).headers["content-type"].startswith("text/javascript")
    assert (await desk.get("/static/../app.py")).status_code == 404


def test_the_page_calls_what_the_document_has(document: dict[str, Any]) -> None:
    script = STATIC.joinpath("app.js").read_text()
    for path in ("people", "bots", "chain", "ledger", "faults", "taps/", "changes", "txs/"):
        assert f'"{path}' in script or f"`{path}" in script
        assert any(known.startswith(f"/api/{path.rstrip('/')}") for known in document["paths"])
