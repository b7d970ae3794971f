"""The offset rules of getUpdates, which decide whether a command can be lost."""

import asyncio

import pytest
import telegram as ptb

from sandbox.telegram import BotAccount, Chat, Telegram, User


@pytest.fixture
def chat(telegram: Telegram, account: BotAccount, ana: User) -> Chat:
    chat = telegram.private(ana, account)
    for number in range(5):
        telegram.say(ana, chat, f"/start {number}")
    return chat


def texts(updates: tuple[ptb.Update, ...]) -> list[str]:
    return [update.message.text[-1] for update in updates if update.message and update.message.text]


async def test_unconfirmed_updates_come_again(bot: ptb.Bot, chat: Chat) -> None:
    assert texts(await bot.get_updates()) == texts(await bot.get_updates()) == list("01234")


async def test_update_ids_count_by_one_from_a_random_start(bot: ptb.Bot, chat: Chat) -> None:
    ids = [update.update_id for update in await bot.get_updates()]
    assert ids == list(range(ids[0], ids[0] + 5))
    assert ids[0] > 1


async def test_an_offset_confirms_what_comes_before_it(bot: ptb.Bot, chat: Chat) -> None:
    first = (await bot.get_updates())[0].update_id
    assert texts(await bot.get_updates(offset=first + 2)) == list("234")
    assert texts(await bot.get_updates()) == list("234")


async def test_an_old_offset_brings_nothing_back(bot: ptb.Bot, chat: Chat) -> None:
    first = (await bot.get_updates())[0].update_id
    await bot.get_updates(offset=first + 5)
    assert await bot.get_updates(offset=first) == ()


async def test_a_negative_offset_forgets_all_but_the_last(bot: ptb.Bot, chat: Chat) -> None:
    assert texts(await bot.get_updates(offset=-2)) == list("34")
    assert texts(await bot.get_updates()) == list("34")


async def test_the_limit_cuts_a_batch(bot: ptb.Bot, chat: Chat) -> None:
    assert texts(await bot.get_updates(limit=3)) == list("012")


async def test_a_long_poll_wakes_when_somebody_speaks(
    bot: ptb.Bot, telegram: Telegram, account: BotAccount, ana: User
) -> None:
    poll = asyncio.create_task(bot.get_updates(timeout=20))
    await waiting(telegram, account)
    telegram.say(ana, telegram.private(ana), "/start 7")
    async with asyncio.timeout(5):
        assert texts(await poll) == ["7"]


async def test_a_long_poll_ends_empty_after_its_time(bot: ptb.Bot) -> None:
    assert await bot.get_updates(timeout=1) == ()


async def test_a_second_poller_ends_the_first_with_409(
    bot: ptb.Bot, telegram: Telegram, account: BotAccount
) -> None:
    first = asyncio.create_task(bot.get_updates(timeout=20))
    await waiting(telegram, account)
    assert await bot.get_updates() == ()
    with pytest.raises(ptb.error.Conflict, match="terminated by other getUpdates request"):
        await first


async def test_polling_is_refused_while_a_webhook_stands(bot: ptb.Bot) -> None:
    await bot.set_webhook("https://moneta.example/hook")
    with pytest.raises(ptb.error.Conflict, match="webhook is active"):
        await bot.get_updates()
    await bot.delete_webhook()
    assert await bot.get_updates() == ()


async def test_a_webhook_can_drop_what_waits(bot: ptb.Bot, chat: Chat) -> None:
    assert (await bot.get_webhook_info()).pending_update_count == 5
    await bot.delete_webhook(drop_pending_updates=True)
    assert (await bot.get_webhook_info()).pending_update_count == 0


async def test_allowed_updates_hold_until_they_are_changed(
    bot: ptb.Bot, telegram: Telegram, ana: User
) -> None:
    await bot.get_updates(allowed_updates=["callback_query"])
    telegram.say(ana, telegram.private(ana), "/start")
    assert await bot.get_updates() == ()


async def test_membership_of_others_comes_only_on_request(
    bot: ptb.Bot, telegram: Telegram, plaza: Chat
) -> None:
    await bot.get_updates(allowed_updates=["chat_member"])
    chi = telegram.person("Chi")
    telegram.join(chi, plaza)
    (update,) = await bot.get_updates()
    assert update.chat_member is not None
    assert update.chat_member.new_chat_member.user.id == chi.id


async def test_a_confirmed_update_can_be_delivered_again(
    bot: ptb.Bot, telegram: Telegram, account: BotAccount, chat: Chat
) -> None:
    first = (await bot.get_updates())[0].update_id
    await bot.get_updates(offset=first + 5)
    telegram.queues[account.user.id].redeliver(2)
    assert [update.update_id for update in await bot.get_updates()] == [first + 3, first + 4]


async def test_one_message_can_come_in_two_updates(bot: ptb.Bot, telegram: Telegram, ana: User) -> None:
    message = telegram.say(ana, telegram.private(ana), "/start")
    telegram.repeat(message)
    one, two = await bot.get_updates()
    assert one.update_id != two.update_id
    assert one.message == two.message


async def test_a_poisoned_update_stands_among_the_others(
    bot: ptb.Bot, telegram: Telegram, account: BotAccount, chat: Chat
) -> None:
    telegram.poison(account)
    with pytest.raises((TypeError, ValueError, AttributeError, KeyError)):
        await bot.get_updates()


async def waiting(telegram: Telegram, account: BotAccount) -> None:
    """Let other tasks run until a poll waits for an update."""
    async with asyncio.timeout(5):
        while telegram.queues[account.user.id]._poller is None:  # noqa: ASYNC110 - the server tells nobody of it
            await asyncio.sleep(0)
