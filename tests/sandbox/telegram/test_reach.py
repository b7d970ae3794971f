"""Whom a bot can reach, and Telegram's words where it cannot."""

import httpx
import pytest
import telegram as ptb

from sandbox.telegram import BotAccount, Chat, FloodLimits, Telegram, User, create_app
from sandbox.telegram.flood import FloodGate
from sandbox.telegram.refusals import ApiError
from tests.sandbox.telegram.conftest import ManualClock, request_to


async def test_a_wrong_token_is_unauthorized(telegram: Telegram, account: BotAccount) -> None:
    stranger = ptb.Bot(
        account.token[:-1] + "~", base_url="http://telegram.test/bot", request=request_to(telegram)
    )
    with pytest.raises(ptb.error.InvalidToken):
        await stranger.get_me()


async def test_an_unknown_method_is_not_found(telegram: Telegram, account: BotAccount) -> None:
    transport = httpx.ASGITransport(create_app(telegram))
    async with httpx.AsyncClient(transport=transport, base_url="http://telegram.test") as client:
        answer = await client.post(f"/bot{account.token}/sendMoney", json={})
    assert (answer.status_code, answer.json()["description"]) == (404, "Not Found: method not found")


@pytest.mark.parametrize(
    "form", [{"json": {"chat_id": "5"}}, {"data": {"chat_id": "5"}}, {"params": {"chat_id": "5"}}]
)
async def test_every_form_of_body_is_read(
    telegram: Telegram, account: BotAccount, form: dict[str, dict[str, str]]
) -> None:
    transport = httpx.ASGITransport(create_app(telegram))
    async with httpx.AsyncClient(transport=transport, base_url="http://telegram.test") as client:
        answer = await client.post(f"/bot{account.token}/GetChat", **form)  # type: ignore[arg-type] # one keyword each
    assert answer.json()["description"] == "Bad Request: chat not found"


async def test_somebody_never_met_is_not_found(bot: ptb.Bot, ana: User) -> None:
    with pytest.raises(ptb.error.BadRequest, match="Chat not found"):
        await bot.send_message(ana.id, "hi")


async def test_a_member_who_never_pressed_start_cannot_be_written_to(
    bot: ptb.Bot, ben: User, plaza: Chat
) -> None:
    with pytest.raises(ptb.error.Forbidden, match="bot can't initiate conversation with a user"):
        await bot.send_message(ben.id, "hi")


async def test_a_person_who_blocked_the_bot_hears_nothing(
    bot: ptb.Bot, telegram: Telegram, ana: User
) -> None:
    telegram.say(ana, telegram.private(ana), "/start")
    telegram.block(ana)
    with pytest.raises(ptb.error.Forbidden, match="bot was blocked by the user"):
        await bot.send_message(ana.id, "hi")
    change = (await bot.get_updates())[-1].my_chat_member
    assert change is not None
    assert change.new_chat_member.status == "kicked"


async def test_writing_again_unblocks(bot: ptb.Bot, telegram: Telegram, ana: User) -> None:
    telegram.block(ana)
    telegram.say(ana, telegram.private(ana), "/start")
    assert await bot.send_message(ana.id, "welcome back")


async def test_a_group_without_the_bot_is_closed_to_it(
    bot: ptb.Bot, telegram: Telegram, account: BotAccount, plaza: Chat
) -> None:
    telegram.remove(account, plaza)
    with pytest.raises(ptb.error.Forbidden, match="bot was kicked from the supergroup chat"):
        await bot.send_message(plaza.id, "hi")


async def test_a_migrated_group_names_its_new_id(
    bot: ptb.Bot, telegram: Telegram, account: BotAccount, ana: User
) -> None:
    old = telegram.group("Old", ana, [account], kind="group")
    new = telegram.migrate(old)
    with pytest.raises(ptb.error.ChatMigrated) as moved:
        await bot.send_message(old.id, "hi")
    assert moved.value.new_chat_id == new.id
    assert (await bot.send_message(new.id, "hi")).message_id < 5


def test_three_messages_to_a_chat_pass_and_a_fourth_waits(clock: ManualClock) -> None:
    gate = FloodGate(clock, FloodLimits())
    for _ in range(3):
        gate.passes(1, "p", is_group=False)
    with pytest.raises(ApiError) as refusal:
        gate.passes(1, "p", is_group=False)
    assert refusal.value.parameters == {"retry_after": 1}
    clock.pass_seconds(1)
    gate.passes(1, "p", is_group=False)


def test_a_group_takes_20_messages_a_minute(clock: ManualClock) -> None:
    gate = FloodGate(clock, FloodLimits())
    passed = 0
    for _ in range(60):
        clock.pass_seconds(1)
        try:
            gate.passes(1, "g", is_group=True)
        except ApiError:
            continue
        passed += 1
    assert 20 <= passed <= 40


def test_thirty_messages_a_second_are_the_most(clock: ManualClock) -> None:
    gate = FloodGate(clock, FloodLimits())
    for chat in range(30):
        gate.passes(1, str(chat), is_group=False)
    with pytest.raises(ApiError, match="429"):
        gate.passes(1, "30", is_group=False)


async def test_the_library_reads_how_long_to_wait(
    clock: ManualClock, telegram: Telegram, bot: ptb.Bot, ana: User
) -> None:
    telegram.flood.limits = FloodLimits()
    telegram.say(ana, telegram.private(ana), "/start")
    for _ in range(3):
        await bot.send_message(ana.id, "hi")
    with pytest.raises(ptb.error.RetryAfter):
        await bot.send_message(ana.id, "hi")
