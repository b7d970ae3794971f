"""What goes wrong on purpose looks to the library as it does on a bad day."""

import pytest
import telegram as ptb

from sandbox.telegram import Chat, Fault, Telegram, User
from sandbox.telegram.faults import FaultKind


@pytest.fixture
def chat(telegram: Telegram, ana: User, bot: ptb.Bot) -> Chat:
    chat = telegram.private(ana)
    telegram.say(ana, chat, "/start")
    return chat


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("refuse", code=502, description="Bad Gateway"), ptb.error.NetworkError),
        (Fault("refuse", code=429, description="Too Many Requests", retry_after=3), ptb.error.RetryAfter),
        (Fault("refuse", code=409, description="Conflict: another"), ptb.error.Conflict),
        (Fault("garbage", code=502), ptb.error.NetworkError),
        (Fault("hang", seconds=0.01), ptb.error.NetworkError),
    ],
)
async def test_a_call_that_does_not_act(
    bot: ptb.Bot, telegram: Telegram, chat: Chat, fault: Fault, error: type
) -> None:
    telegram.faults.add(fault)
    with pytest.raises(error):
        await bot.send_message(chat.person or 0, "hi")
    assert telegram.replies(chat) == []


async def test_a_lost_reply_hides_that_the_call_acted(bot: ptb.Bot, telegram: Telegram, chat: Chat) -> None:
    telegram.faults.add(Fault("lost_reply", "sendMessage"))
    with pytest.raises(ptb.error.NetworkError):
        await bot.send_message(chat.person or 0, "hi")
    assert len(telegram.replies(chat)) == 1


@pytest.mark.parametrize("kind", ["slow", "hang_after"])
async def test_a_late_answer_is_an_answer(
    bot: ptb.Bot, telegram: Telegram, chat: Chat, kind: FaultKind
) -> None:
    telegram.faults.add(Fault(kind, seconds=0.01))
    assert await bot.send_message(chat.person or 0, "hi")


async def test_a_fault_is_for_its_method_and_its_times(bot: ptb.Bot, telegram: Telegram, chat: Chat) -> None:
    telegram.faults.add(Fault("refuse", "getMe", times=2))
    assert await bot.send_message(chat.person or 0, "hi")
    for _ in range(2):
        with pytest.raises(ptb.error.NetworkError):
            await bot.get_me()
    assert await bot.get_me()
