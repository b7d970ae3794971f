"""The button below /history: a CSV document, for its owner, in private."""

import csv
import io

from sandbox.telegram import Chat, Message, User
from tests.bot.stage import Stage

LABEL = "Statement (CSV)"


async def page_of(bot: Stage, who: User, chat: Chat) -> Message:
    """Fund ``who``, and return their page of history."""
    await bot.fund(who, 5_000_000)
    bot.telegram.say(who, bot.telegram.private(who), "/start")
    await bot.settled()
    bot.clock.pass_seconds(5)
    bot.telegram.say(who, chat, "/history")
    return await bot.heard(who, bot.telegram.private(who), "Your JUNO\n")


def rows_of(bot: Stage, message: Message) -> list[list[str]]:
    content = bot.telegram.state.files[message.content["document"]["file_id"]].content
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


async def test_it_is_sent_as_a_document(bot: Stage, ana: User, ben: User) -> None:
    bot.telegram.say(ben, bot.telegram.private(ben), "/start")
    await bot.settled()
    await bot.fund(ana, 5_000_000)
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, '/send 2 @ben =HYPERLINK("x"), please')
    await bot.heard(ana, chat, "Sent 2 JUNO")
    bot.clock.pass_seconds(5)
    bot.telegram.say(ana, chat, "/history")
    page = await bot.heard(ana, chat, "Your JUNO\n")
    query = bot.telegram.tap(ana, page, label=LABEL)
    assert await bot.answered(query) == "It comes to our private chat."
    bot.clock.pass_seconds(5)
    sent = await bot.heard(ana, chat, "Your JUNO statement\nLines: 2, newest first")
    header, newest, oldest = rows_of(bot, sent)
    assert header[3] == "amount (JUNO)"
    assert newest[1:6] == ["transfer", "Ben", "-2.000000", "3.000000", '\'=HYPERLINK("x"), please']
    assert oldest[1:6] == ["deposit", "", "5.000000", "5.000000", ""]


async def test_the_page_keeps_its_buttons(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    page = await page_of(bot, ana, chat)
    for times in (1, 2):
        bot.clock.pass_seconds(5)
        bot.telegram.tap(ana, page, label=LABEL)
        await bot.heard(ana, chat, "Your JUNO statement", times)
        await bot.settled()


async def test_the_outbox_holds_no_document(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    page = await page_of(bot, ana, chat)
    bot.telegram.tap(ana, page, label=LABEL)
    bot.clock.pass_seconds(5)
    await bot.heard(ana, chat, "Your JUNO statement")
    rows = bot.rows("SELECT facts FROM outbox WHERE event = 'statement.asked'")
    assert rows == [('{"account":11,"denom":"ujuno","newest":1}',)]


async def test_asked_in_a_group_it_comes_in_private(bot: Stage, ana: User, plaza: Chat) -> None:
    page = await page_of(bot, ana, plaza)
    bot.telegram.tap(ana, page, label=LABEL)
    bot.clock.pass_seconds(5)
    await bot.heard(ana, bot.telegram.private(ana), "Your JUNO statement")
    assert not [shown for shown in bot.telegram.replies(plaza) if "document" in shown.content]


async def test_of_two_accounts_both_come(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    own = await page_of(bot, ana, chat)
    pages = [own]
    for words, saying in (
        ("/shared new Picnic", "Picnic is open"),
        ("/shared Picnic deposit 2", "You put"),
        ("/shared Picnic history", "Picnic (100)"),
    ):
        bot.clock.pass_seconds(5)
        bot.telegram.say(ana, chat, words)
        pages[1:] = [await bot.heard(ana, chat, saying)]
    bot.front.notifier.delivery.statements.most_at_once = 0
    for page in pages:
        assert await bot.answered(bot.telegram.tap(ana, page, label=LABEL)) == "It comes to our private chat."
    asked = bot.rows("SELECT json_extract(facts, '$.account') FROM outbox WHERE event = 'statement.asked'")
    assert asked == [(ana.id,), (-100,)]


async def test_nobody_else_gets_it(bot: Stage, ana: User, ben: User) -> None:
    page = await page_of(bot, ana, bot.telegram.private(ana))
    token = page.buttons[0][0]["callback_data"]
    ben_chat = bot.telegram.private(ben)
    bot.telegram.say(ben, ben_chat, "/start")
    await bot.heard(ben, ben_chat, "Welcome")
    await bot.fund(ben, 1)
    bot.clock.pass_seconds(5)
    bot.telegram.say(ben, ben_chat, "/history")
    own = await bot.heard(ben, ben_chat, "Your JUNO\n")
    query = bot.telegram.tap(ben, own, forged=token)
    assert await bot.answered(query) == "That button is somebody else's."
    assert bot.rows("SELECT 1 FROM outbox WHERE event = 'statement.asked'") == []


async def test_an_empty_history_has_no_statement(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/history")
    assert (await bot.heard(ana, chat, "Nothing has happened yet.")).buttons == []


async def test_when_it_cannot_be_read_now_it_comes_later(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    page = await page_of(bot, ana, chat)
    bot.front.notifier.delivery.statements.most_at_once = 0
    bot.telegram.tap(ana, page, label=LABEL)
    bot.clock.pass_seconds(5)
    waits = "SELECT 1 FROM outbox WHERE event = 'statement.asked' AND state = 'pending' AND attempts > 0"
    await bot.until(lambda: bot.rows(waits))
    bot.front.notifier.delivery.statements.most_at_once = 2
    bot.clock.pass_seconds(60)
    bot.front.notifier.wake()
    await bot.heard(ana, chat, "Your JUNO statement")
