"""The HTTP API plays people: what they say and press reaches the bot, what they may not see stays away."""

import asyncio
import threading
from typing import Any

import httpx
import pytest

from sandbox.telegram import Chat, create_app
from tests.sandbox.page.conftest import ANA, BEN, CHI, OLGA, Desk


def waiting(desk: Desk) -> list[dict[str, Any]]:
    """Return the updates that wait for the bot."""
    return list(desk.telegram.queues[desk.bot.user.id].waiting)


def bot_says(desk: Desk, text: str, **more: Any) -> None:
    desk.telegram.post(desk.plaza, desk.bot.user.id, {"text": text, **more})


async def test_the_cast_can_be_played(desk: Desk) -> None:
    people = (await desk.get("/api/people")).json()
    assert [person["name"] for person in people] == ["Ana", "Ben", "Chi", "Dev", "Olga"]


async def test_everybody_has_the_group_and_the_bot(desk: Desk) -> None:
    chats = (await desk.get(f"/api/people/{CHI}/chats")).json()
    assert [chat["title"] for chat in chats] == ["Moneta Plaza", "Moneta"]


async def test_what_is_said_reaches_the_bot(desk: Desk) -> None:
    await desk.post(desk.at(ANA, desk.plaza, "/messages"), json={"text": "/send 5 @ben_juno"})
    assert waiting(desk)[-1]["message"]["text"] == "/send 5 @ben_juno"


async def test_a_person_without_a_name_is_mentioned_by_the_app(desk: Desk) -> None:
    said = {"text": "/send 5 Chi", "mentions": [{"text": "Chi", "user_id": CHI}]}
    await desk.post(desk.at(ANA, desk.plaza, "/messages"), json=said)
    mention = waiting(desk)[-1]["message"]["entities"][-1]
    assert (mention["type"], mention["user"]["id"], mention["offset"]) == ("text_mention", CHI, 8)


async def test_a_reply_quotes(desk: Desk) -> None:
    first = (await desk.post(desk.at(ANA, desk.plaza, "/messages"), json={"text": "hi"})).json()
    answer = {"text": "/send 1", "reply_to": first["message_id"]}
    said = (await desk.post(desk.at(BEN, desk.plaza, "/messages"), json=answer)).json()
    assert said["reply_to"] == {"ref": first["ref"], "name": "Ana", "text": "hi"}


async def test_an_edit_is_shown_and_told(desk: Desk) -> None:
    said = (await desk.post(desk.at(ANA, desk.plaza, "/messages"), json={"text": "one"})).json()
    path = desk.at(ANA, desk.plaza, f"/messages/{said['ref']}")
    assert (await desk.patch(path, json={"text": "two"})).json()["text"] == "two"
    assert "edited_message" in waiting(desk)[-1]


async def test_a_forward_names_its_author(desk: Desk) -> None:
    said = (await desk.post(desk.at(ANA, desk.plaza, "/messages"), json={"text": "/send 5"})).json()
    path = desk.at(BEN, desk.plaza, f"/messages/{said['ref']}/forwards")
    assert (await desk.post(path, json={"to": desk.plaza.key})).json()["forwarded_from"] == "Ana"


async def test_a_tap_brings_the_answer_of_the_bot(desk: Desk) -> None:
    markup = {"inline_keyboard": [[{"text": "Yes", "callback_data": "y"}]]}
    bot_says(desk, "Sure?", reply_markup=markup)
    ref = (await desk.get(desk.at(ANA, desk.plaza, "/messages"))).json()[-1]["ref"]
    tap = (await desk.post(desk.at(ANA, desk.plaza, f"/messages/{ref}/taps"), json={})).json()
    answer = asyncio.create_task(desk.get(f"/api/taps/{tap['id']}", params={"timeout_seconds": 5}))
    await asyncio.sleep(0)
    query = desk.telegram.state.queries[tap["id"]]
    query.answered, query.answer = True, {"text": "Done", "show_alert": False}
    desk.telegram.touched()
    assert (await answer).json() == {"id": tap["id"], "answered": True, "text": "Done", "show_alert": False}


async def test_a_missing_button_is_refused_in_words(desk: Desk) -> None:
    bot_says(desk, "no buttons here")
    ref = (await desk.get(desk.at(ANA, desk.plaza, "/messages"))).json()[-1]["ref"]
    refusal = await desk.post(desk.at(ANA, desk.plaza, f"/messages/{ref}/taps"), json={})
    assert (refusal.status_code, refusal.json()) == (409, {"detail": "no such button"})


async def test_an_ephemeral_message_is_for_one(desk: Desk) -> None:
    desk.telegram.post_ephemeral(desk.plaza, desk.bot.user.id, BEN, {"text": "secret"})
    of_ben = (await desk.get(desk.at(BEN, desk.plaza, "/messages"))).json()[-1]
    assert (of_ben["text"], of_ben["only_you"]) == ("secret", True)
    assert "secret" not in (await desk.get(desk.at(ANA, desk.plaza, "/messages"))).text
    tap = desk.at(ANA, desk.plaza, f"/messages/{of_ben['ref']}/taps")
    assert (await desk.post(tap, json={})).status_code == 404


async def test_a_private_chat_is_nobody_elses(desk: Desk) -> None:
    private: Chat = desk.telegram.private(ANA, desk.bot)
    assert (await desk.get(desk.at(BEN, private, "/messages"))).status_code == 404


async def test_the_menu_is_the_one_of_the_narrowest_scope(desk: Desk) -> None:
    desk.bot.commands['{"type": "default"}'] = [{"command": "help", "description": "all"}]
    desk.bot.commands['{"type": "all_chat_administrators"}'] = [{"command": "jail", "description": "admins"}]
    of_ana = (await desk.get(desk.at(ANA, desk.plaza, "/commands"))).json()
    of_olga = (await desk.get(desk.at(OLGA, desk.plaza, "/commands"))).json()
    assert [menu[0]["command"] for menu in (of_ana, of_olga)] == ["help", "jail"]


async def test_a_change_ends_the_wait_for_it(desk: Desk) -> None:
    version = (await desk.get("/api/changes", params={"after": 10**9})).json()["version"]
    wait = asyncio.create_task(desk.get("/api/changes", params={"after": version, "timeout_seconds": 20}))
    await asyncio.sleep(0)
    desk.telegram.person("Eve")
    async with asyncio.timeout(5):
        assert (await wait).json()["version"] > version


async def test_somebody_new_makes_a_group(desk: Desk) -> None:
    eve = (await desk.post("/api/people", json={"first_name": "Eve"})).json()
    group = {"title": "Tiny", "creator": eve["id"], "members": [BEN, desk.bot.user.id], "kind": "group"}
    made = (await desk.post("/api/groups", json=group)).json()
    assert (made["type"], len(made["members"])) == ("group", 3)


@pytest.mark.parametrize("status", ["administrator", "left", "kicked"])
async def test_standing_can_be_changed(desk: Desk, status: str) -> None:
    path = f"/api/groups/{desk.plaza.key}/members/{BEN}"
    assert (await desk.put(path, json={"status": status})).status_code == 200
    assert desk.plaza.member(BEN).status == status


async def test_the_banned_cannot_speak(desk: Desk) -> None:
    await desk.put(f"/api/groups/{desk.plaza.key}/members/{BEN}", json={"status": "kicked"})
    refusal = await desk.post(desk.at(BEN, desk.plaza, "/messages"), json={"text": "hello"})
    assert refusal.status_code == 404


async def test_a_blocked_bot_is_told(desk: Desk) -> None:
    assert (await desk.put(f"/api/people/{ANA}/blocks/{desk.bot.user.id}")).status_code == 200
    assert waiting(desk)[-1]["my_chat_member"]["new_chat_member"]["status"] == "kicked"


async def test_updates_can_be_repeated_and_poisoned(desk: Desk) -> None:
    said = (await desk.post(desk.at(ANA, desk.plaza, "/messages"), json={"text": "/send 5"})).json()
    await desk.post(desk.at(ANA, desk.plaza, f"/messages/{said['ref']}/repeats"))
    await desk.post(f"/api/bots/{desk.bot.user.id}/poison")
    *_, first, again, poison = waiting(desk)
    assert first["message"] == again["message"]
    assert poison["message"]["chat"] == 5


async def test_faults_are_switched_on_and_off(desk: Desk) -> None:
    await desk.post("/api/faults", json={"kind": "refuse", "method": "sendMessage", "code": 502})
    assert len(desk.telegram.faults.waiting) == 1
    await desk.delete("/api/faults")
    assert desk.telegram.faults.waiting == []


async def test_telegrams_clock_can_be_behind(desk: Desk) -> None:
    await desk.post(desk.at(ANA, desk.plaza, "/messages"), json={"text": "now"})
    await desk.put("/api/clock", json={"seconds": -600})
    await desk.post(desk.at(ANA, desk.plaza, "/messages"), json={"text": "then"})
    *_, now, then = (await desk.get(desk.at(ANA, desk.plaza, "/messages"))).json()
    assert (now["text"], then["text"], now["at"] - then["at"]) == ("now", "then", 600)


async def test_a_picture_is_served_and_cannot_run(desk: Desk) -> None:
    file = desk.telegram.keep_file("x.svg", "image/svg+xml", b"<svg/>")
    answer = await desk.get(f"/api/files/{file.id}")
    assert (answer.content, answer.headers["content-security-policy"]) == (b"<svg/>", "sandbox")


async def test_no_thread_is_ever_started(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything behind the API runs on one loop, so that a virtual clock can drive it (simulation.md)."""

    def refuse(thread: threading.Thread) -> None:
        raise AssertionError(f"{thread} was started")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    for path in (
        "/",
        "/openapi.json",
        "/api/people",
        "/api/chain",
        "/api/ledger",
        f"/api/people/{ANA}/chats",
    ):
        assert (await desk.get(path)).status_code == 200
    await desk.post(desk.at(ANA, desk.plaza, "/messages"), json={"text": "/balance"})
    bot_api = httpx.ASGITransport(create_app(desk.telegram))
    async with httpx.AsyncClient(transport=bot_api, base_url="http://telegram.test") as client:
        updates = await client.post(f"/bot{desk.bot.token}/getUpdates", json={"timeout": 5})
    assert updates.json()["result"][-1]["message"]["text"] == "/balance"


async def test_something_else_than_words_is_sent_with_its_caption(desk: Desk) -> None:
    sent = (
        await desk.post(desk.at(ANA, desk.plaza, "/messages"), json={"media": "voice", "text": "hear"})
    ).json()
    assert (sent["media"], sent["text"], sent["service"]) == ("Voice", "hear", False)
