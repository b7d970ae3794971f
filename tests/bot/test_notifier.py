"""News and answers on their way out, against a Telegram that throttles, blocks, breaks off and refuses."""

import json
from typing import Any

import pytest

from bot import outbox
from bot.inbox import LONGEST_RAW
from bot.notifier import MOST_ATTEMPTS
from bot.pacing import GROUP
from ledger.accounts import AccountId
from ledger.outbox import OPERATORS, news
from ledger.ports import Millis
from ledger.units import Decision, Unit, View
from sandbox.telegram import Chat, Fault, User
from tests.bot.stage import Stage

DAY_SECONDS = 86_400


async def tell(bot: Stage, event: str, recipient: int, **facts: Any) -> None:
    """Commit news, as a book does."""

    def decide(view: View) -> Decision[None]:
        return Decision(None, rows=(news(event, AccountId(recipient), facts, view.now),))

    await bot.service.journal.submit(Unit(decide))


def state(bot: Stage, event: str = "reply") -> list[str]:
    return [row[0] for row in bot.rows("SELECT state FROM outbox WHERE event = ? ORDER BY id", event)]


async def greet(bot: Stage, who: User) -> Chat:
    """Let ``who`` begin a private chat with the bot."""
    chat = bot.telegram.private(who)
    bot.telegram.say(who, chat, "/hello")
    await bot.heard(who, chat, "hello")
    return chat


async def test_a_throttled_message_waits_as_long_as_it_was_told(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.faults.add(
        Fault("refuse", "sendMessage", code=429, description="Too Many Requests", retry_after=2)
    )
    bot.telegram.say(ana, chat, "/hello")
    await bot.until(
        lambda: bot.rows("SELECT 1 FROM outbox WHERE due_at > created_at + 1500 AND attempts = 0")
    )
    bot.clock.pass_seconds(3)
    await bot.heard(ana, chat, "hello")


async def test_what_a_clock_that_was_ahead_put_off_is_not_late(bot: Stage, ana: User) -> None:
    """Where a clock is far ahead no certificate is good, so all messages wait for their next try."""
    chat = bot.telegram.private(ana)
    bot.clock.pass_seconds(DAY_SECONDS)
    bot.telegram.faults.add(Fault("refuse", "sendMessage", code=502))
    bot.telegram.say(ana, chat, "/hello")
    await bot.until(lambda: bot.rows("SELECT 1 FROM outbox WHERE due_at > created_at"))
    bot.clock.pass_seconds(-DAY_SECONDS)
    await bot.heard(ana, chat, "hello")


async def test_a_throttled_chat_keeps_no_other_waiting(bot: Stage, ana: User, ben: User) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.faults.add(
        Fault("refuse", "sendMessage", code=429, description="Too Many Requests", retry_after=600)
    )
    bot.telegram.say(ana, chat, "/hello")
    await bot.until(lambda: bot.rows("SELECT 1 FROM outbox WHERE due_at > created_at"))
    await greet(bot, ben)
    assert bot.said(ana, chat) == []


async def test_what_a_blocked_person_missed_comes_when_they_write(bot: Stage, ana: User) -> None:
    chat = await greet(bot, ana)
    bot.telegram.block(ana)
    await tell(bot, "transfer.received", ana.id, amount=5)
    await bot.until(lambda: state(bot, "transfer.received") == ["undeliverable"])
    bot.telegram.say(ana, chat, "/start")
    await bot.heard(ana, chat, "transfer.received")


async def test_who_came_back_during_an_attempt_is_known(bot: Stage, ana: User) -> None:
    """Else a refusal that arrives after their /start would keep the message until they write once more."""
    began = bot.clock.now()
    await greet(bot, ana)
    assert outbox.wrote_since(bot.service.reader, ana.id, began)
    assert not outbox.wrote_since(bot.service.reader, ana.id, Millis(bot.clock.now() + 1))


async def test_who_did_something_in_a_group_did_not_come_back(bot: Stage, ana: User, plaza: Chat) -> None:
    """Else whoever keeps the bot blocked could have the group told once a second where the answer is."""
    began = bot.clock.now()
    bot.telegram.say(ana, plaza, "/tally")
    bot.telegram.tap(ana, await bot.heard(ana, plaza, "tally"))
    await bot.settled()
    assert not outbox.wrote_since(bot.service.reader, ana.id, began)


async def test_who_pressed_a_button_in_private_came_back(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/tally")
    shown = await bot.heard(ana, chat, "tally")
    bot.clock.pass_seconds(60)
    began = bot.clock.now()
    await bot.answered(bot.telegram.tap(ana, shown))
    assert outbox.wrote_since(bot.service.reader, ana.id, began)


async def test_a_poisonous_row_keeps_nobody_from_being_known(bot: Stage, ana: User) -> None:
    began = bot.clock.now()
    bot.telegram.poison(bot.account)
    await greet(bot, ana)
    assert outbox.wrote_since(bot.service.reader, ana.id, began)


async def test_a_poisonous_row_that_was_cut_is_nobodys(bot: Stage) -> None:
    """It is no JSON, and has the number of the operators, whose alert may be refused just then."""
    began = bot.clock.now()
    bot.telegram.poison(bot.account, {"message": {"message_id": 10**30, "text": "x" * LONGEST_RAW}})
    await bot.until(lambda: bot.rows("SELECT 1 FROM inbox WHERE state = 'poison'"))
    assert not outbox.wrote_since(bot.service.reader, OPERATORS, began)


async def test_the_neutral_line_keeps_the_groups_pace(bot: Stage, ana: User, plaza: Chat) -> None:
    for _ in range(GROUP.messages):
        bot.front.notifier.desk.pacer.take(plaza.id, bot.clock.now())
    bot.telegram.say(ana, plaza, "/secret")
    await bot.until(lambda: bot.rows("SELECT 1 FROM outbox WHERE due_at > created_at AND attempts = 0"))
    assert bot.said(ana, plaza) == []
    bot.clock.pass_seconds(61)
    await bot.heard(ana, plaza, "private.elsewhere")


async def test_an_answer_outlives_a_neutral_line_that_is_refused(bot: Stage, ana: User, plaza: Chat) -> None:
    never_begun = Fault(
        "refuse", "sendMessage", code=403, description="Forbidden: bot can't initiate conversation"
    )
    bot.telegram.faults.add(never_begun)
    bot.telegram.faults.add(Fault("refuse", "sendMessage", code=400, description="Bad Request: TOPIC_CLOSED"))
    bot.telegram.say(ana, plaza, "/secret")
    await bot.until(lambda: bot.rows("SELECT 1 FROM outbox WHERE state <> 'pending'"))
    assert state(bot) == ["undeliverable"]


async def test_a_lost_reply_is_sent_again_with_its_number(bot: Stage, ana: User, ben: User) -> None:
    await bot.fund(ana, 100)
    await bot.fund(ben, 1)
    chat = bot.telegram.private(ana)
    bot.telegram.faults.add(Fault("lost_reply", "sendMessage"))
    bot.telegram.say(ana, chat, f"/give {ben.id} 10")
    await bot.heard(ana, chat, "paid", times=2)
    await bot.settled()
    first, second = bot.said(ana, chat, "paid")
    assert (first.text, bot.balance(ben)) == (second.text, 11)


async def test_markup_that_is_refused_goes_out_plain(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/bold")
    assert (await bot.heard(ana, chat, "receipt 7")).text == "receipt 7"


async def test_a_message_that_says_so_already_counts_as_edited(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/follow")
    await bot.heard(ana, chat, "followed")
    for _ in range(2):
        await tell(bot, "withdrawal.signed", ana.id, withdrawal=7)
    await bot.settled()
    assert state(bot, "withdrawal.signed") == ["sent", "sent"]


async def test_news_edit_the_message_that_they_belong_to(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/follow")
    tracker = await bot.heard(ana, chat, "followed")
    await tell(bot, "withdrawal.confirmed", ana.id, withdrawal=7)
    assert (await bot.heard(ana, chat, "withdrawal.confirmed")).id == tracker.id


async def test_news_of_a_closed_subject_are_a_new_message(bot: Stage, ana: User) -> None:
    chat = await greet(bot, ana)
    await tell(bot, "deposit.seen", ana.id, amount=1)
    card = await bot.heard(ana, chat, "deposit.seen")
    await tell(bot, "deposit.credited", ana.id, amount=1)
    assert (await bot.heard(ana, chat, "deposit.credited")).id == card.id
    await tell(bot, "deposit.credited", ana.id, amount=2)
    assert (await bot.heard(ana, chat, "deposit.credited", times=2)).id != card.id


async def test_news_whose_message_was_deleted_are_written_anew(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/follow")
    tracker = await bot.heard(ana, chat, "followed")
    del chat.messages[tracker.id]
    await tell(bot, "withdrawal.confirmed", ana.id, withdrawal=7)
    assert (await bot.heard(ana, chat, "withdrawal.confirmed")).id != tracker.id


NOT_EDITABLE = "Bad Request: there is no text in the message to edit"


async def test_news_whose_message_takes_no_edit_are_written_anew(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/follow")
    tracker = await bot.heard(ana, chat, "followed")
    bot.telegram.faults.add(Fault("refuse", "editMessageText", code=400, description=NOT_EDITABLE))
    await tell(bot, "withdrawal.confirmed", ana.id, withdrawal=7)
    assert (await bot.heard(ana, chat, "withdrawal.confirmed")).id != tracker.id


async def test_an_answer_whose_message_takes_no_edit_is_written_anew(
    bot: Stage, ana: User, ben: User
) -> None:
    await bot.fund(ana, 10)
    await bot.fund(ben, 1)
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/ask 22 3")
    question = await bot.heard(ana, chat, "asked")
    bot.telegram.faults.add(Fault("refuse", "editMessageText", code=400, description=NOT_EDITABLE))
    bot.telegram.tap(ana, question)
    assert (await bot.heard(ana, chat, "paid")).id != question.id


async def test_plain_words_that_stand_already_count_as_edited(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/follow")
    await bot.heard(ana, chat, "followed")
    for words in ("can't parse entities: unclosed tag", "message is not modified"):
        bot.telegram.faults.add(
            Fault("refuse", "editMessageText", code=400, description=f"Bad Request: {words}")
        )
    await tell(bot, "withdrawal.signed", ana.id, withdrawal=7)
    await bot.settled()
    assert bot.said(ana, chat, "withdrawal.signed") == []
    assert state(bot, "withdrawal.signed") == ["sent"]


async def test_a_secret_asked_for_in_a_group_is_told_in_private(bot: Stage, ana: User, plaza: Chat) -> None:
    chat = await greet(bot, ana)
    bot.telegram.say(ana, plaza, "/secret")
    await bot.heard(ana, chat, "secret")
    assert bot.said(None, plaza) == []


async def test_a_refusal_about_money_stays_out_of_the_group(bot: Stage, ana: User, plaza: Chat) -> None:
    chat = await greet(bot, ana)
    bot.telegram.say(ana, plaza, "/refuse")
    await bot.heard(ana, chat, "refused.insufficient_balance")
    assert bot.said(None, plaza) == []


async def test_who_cannot_be_written_to_finds_a_neutral_line(bot: Stage, ana: User, plaza: Chat) -> None:
    bot.telegram.say(ana, plaza, "/secret")
    pointer = await bot.heard(ana, plaza, "private.elsewhere")
    assert "42" not in pointer.text
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/start")
    await bot.heard(ana, chat, "secret")


async def test_an_ephemeral_command_is_answered_to_its_sender_alone(
    bot: Stage, ana: User, ben: User, plaza: Chat
) -> None:
    bot.telegram.promote(bot.account, plaza)
    bot.telegram.say(ana, plaza, "/secret", ephemeral=True)
    await bot.heard(ana, plaza, "secret")
    assert bot.said(ben, plaza) == []


async def test_what_a_server_shows_to_all_is_deleted_and_told_in_private(
    bot: Stage, ana: User, plaza: Chat
) -> None:
    """One that knows ephemeral messages may not know the parameter that asks for one."""
    bot.front.notifier.delivery.ephemeral = bot.telegram.ignores_ephemeral = True
    chat = await greet(bot, ana)
    bot.telegram.say(ana, plaza, "/secret")
    await bot.heard(ana, chat, "secret")
    assert bot.said(None, plaza) == []


@pytest.mark.parametrize("hidden", [False, True])
async def test_a_server_that_showed_an_answer_to_all_is_not_tried_again(
    bot: Stage, ana: User, plaza: Chat, hidden: bool
) -> None:
    bot.front.notifier.delivery.ephemeral = bot.telegram.ignores_ephemeral = True
    chat = await greet(bot, ana)
    bot.telegram.say(ana, plaza, "/secret")
    await bot.heard(ana, chat, "secret")
    last = bot.telegram.say(ana, plaza, "and again")
    bot.telegram.say(ana, plaza, "/secret", ephemeral=hidden)
    await bot.heard(ana, chat, "secret", times=2)
    assert bot.telegram.say(ana, plaza, "done").id - last.id == (1 if hidden else 2)


async def test_an_alert_reaches_the_owner(bot: Stage, owner: User) -> None:
    chat = await greet(bot, owner)
    await tell(bot, "alert.raised", OPERATORS, alert="test")
    assert (
        json.loads((await bot.heard(owner, chat, "alert.raised")).text.partition(" ")[2])["alert"] == "test"
    )


async def test_an_alert_that_reached_nobody_waits_for_an_owner(bot: Stage, owner: User) -> None:
    await tell(bot, "alert.raised", OPERATORS, alert="test")
    await bot.until(lambda: state(bot, "alert.raised") == ["undeliverable"])
    chat = await greet(bot, owner)
    await bot.heard(owner, chat, "alert.raised")


async def test_an_alert_follows_the_operators_to_their_supergroup(bot: Stage, owner: User, ana: User) -> None:
    group = bot.telegram.group("Operators", owner, [ana, bot.account], kind="group")
    bot.front.notifier.delivery.operators = (group.id,)
    moved = bot.telegram.migrate(group)
    await tell(bot, "alert.raised", OPERATORS, alert="test")
    await bot.heard(owner, moved, "alert.raised")


async def test_an_operator_whose_message_is_refused_keeps_the_alert_from_nobody(
    bot: Stage, ana: User, ben: User
) -> None:
    await greet(bot, ana)
    chat = await greet(bot, ben)
    await bot.settled()
    bot.front.notifier.delivery.operators = (ana.id, ben.id)
    bot.telegram.faults.add(Fault("refuse", "sendMessage", code=400, description="Bad Request: TOPIC_CLOSED"))
    await tell(bot, "alert.raised", OPERATORS, alert="test")
    await bot.heard(ben, chat, "alert.raised")


async def test_a_message_without_words_is_dropped_and_told(bot: Stage, ana: User, owner: User) -> None:
    watch = await greet(bot, owner)
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/mumble")
    await bot.heard(owner, watch, "alert.raised")
    await greet(bot, ana)
    assert "dropped" in state(bot)


async def test_attempts_end(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.faults.add(Fault("refuse", "sendMessage", times=900, code=500))
    bot.telegram.say(ana, chat, "/hello")

    def given_up() -> bool:
        bot.clock.pass_seconds(1000)
        return state(bot) == ["undeliverable"]

    await bot.until(given_up)
    assert bot.rows("SELECT attempts FROM outbox WHERE event = 'reply'") == [(12,)]


async def test_nothing_is_lost_while_telegram_does_not_know_the_token(bot: Stage, ana: User) -> None:
    chat = await greet(bot, ana)
    unauthorized = Fault(
        "refuse", "sendMessage", times=MOST_ATTEMPTS + 1, code=401, description="Unauthorized"
    )
    bot.telegram.faults.add(unauthorized)
    await tell(bot, "transfer.received", ana.id, amount=5)

    def told() -> bool:
        bot.clock.pass_seconds(60)
        return state(bot, "transfer.received") != ["pending"]

    await bot.until(told)
    assert (state(bot, "transfer.received"), len(bot.said(ana, chat, "transfer.received"))) == (["sent"], 1)


async def test_a_group_that_threw_the_bot_out_stops_nothing(
    bot: Stage, ana: User, ben: User, plaza: Chat
) -> None:
    bot.telegram.faults.add(
        Fault(
            "refuse",
            "sendMessage",
            code=403,
            description="Forbidden: bot was kicked from the supergroup chat",
        )
    )
    bot.telegram.say(ana, plaza, "/hello")
    await bot.until(lambda: state(bot) == ["undeliverable"])
    await greet(bot, ben)


@pytest.mark.parametrize(
    ("code", "why"),
    [
        (403, "Forbidden: bot was kicked from the supergroup chat"),
        (400, "Bad Request: not enough rights to send text messages to the chat"),
        (400, "Bad Request: TOPIC_CLOSED"),
    ],
)
async def test_an_answer_that_its_group_cannot_be_told_is_told_in_private(
    bot: Stage, ana: User, plaza: Chat, code: int, why: str
) -> None:
    chat = await greet(bot, ana)
    await bot.settled()
    bot.telegram.faults.add(Fault("refuse", "sendMessage", code=code, description=why))
    bot.telegram.say(ana, plaza, "/hello")
    await bot.heard(ana, chat, "hello", times=2)
    await bot.settled()
    assert (state(bot), bot.said(ana, plaza)) == (["sent", "sent"], [])
