"""/send: by name, mention or reply; once, to the right person, and quietly about balances."""

import pytest

from sandbox.telegram import Chat, User
from tests.bot.stage import Stage

DAY_SECONDS = 24 * 3600


async def met(bot: Stage, *people: User) -> None:
    """Let the bot see ``people``: a name it never saw is nobody's."""
    for person in people:
        bot.telegram.say(person, bot.telegram.private(person), "/start")
    await bot.settled()


@pytest.mark.parametrize("text", ["/send 5 @ben", "/send @ben 5", "/tip 5 JUNO @BEN", "/send @Ben 5JUNO"])
async def test_a_known_name_is_paid_in_either_order(bot: Stage, ana: User, ben: User, text: str) -> None:
    await met(bot, ben)
    await bot.fund(ana, 8_000_000)
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, text)
    receipt = await bot.heard(ana, chat, "Sent 5 JUNO to Ben.")
    assert "You have 3 JUNO left." in receipt.text
    assert (bot.balance(ana), bot.balance(ben)) == (3_000_000, 5_000_000)


async def test_the_recipient_is_told_in_private(bot: Stage, ana: User, ben: User) -> None:
    await met(bot, ben)
    await bot.fund(ana, 8_000_000)
    bot.telegram.say(ana, bot.telegram.private(ana), "/send 5 @ben for <lunch>")
    news = await bot.heard(ben, bot.telegram.private(ben), "Ana sent you 5 JUNO.")
    assert "“for <lunch>”" in news.text


async def test_a_reply_in_a_group_pays_its_sender(bot: Stage, ana: User, ben: User, plaza: Chat) -> None:
    await bot.fund(ana, 8_000_000)
    joke = bot.telegram.say(ben, plaza, "a joke")
    bot.telegram.say(ana, plaza, "/tip 1 haha", reply_to=joke)
    line = await bot.heard(ben, plaza, "Ana sent 1 JUNO to Ben.")
    assert bot.balance(ben) == 1_000_000
    assert "left" not in line.text


async def test_a_group_line_reaches_the_recipient_without_a_second_notice(
    bot: Stage, ana: User, ben: User, plaza: Chat
) -> None:
    await met(bot, ben)
    await bot.fund(ana, 8_000_000)
    bot.telegram.say(ana, plaza, "/send 1 @ben")
    line = await bot.heard(ben, plaza, "Ana sent 1 JUNO to Ben.")
    await bot.settled()
    assert not bot.said(ben, bot.telegram.private(ben), "Ana sent")
    assert [e["user"]["id"] for e in line.content["entities"] if e["type"] == "text_mention"] == [11, 22]


@pytest.mark.parametrize("left", [True, False], ids=["who left", "who never came"])
async def test_who_is_not_in_the_group_is_told_in_private(
    bot: Stage, ana: User, ben: User, plaza: Chat, left: bool
) -> None:
    payee = ben if left else bot.telegram.person("Cleo", "cleo")
    await met(bot, payee)
    if left:
        bot.telegram.leave(ben, plaza)
    await bot.fund(ana, 8_000_000)
    bot.telegram.say(ana, plaza, f"/send 1 @{payee.username} for lunch")
    news = await bot.heard(payee, bot.telegram.private(payee), "Ana sent you 1 JUNO.")
    assert "“for lunch”" in news.text


async def test_what_was_said_aside_is_told_to_the_recipient_in_private(
    bot: Stage, ana: User, ben: User, plaza: Chat
) -> None:
    await met(bot, ana, ben)
    await bot.fund(ana, 8_000_000)
    bot.telegram.say(ana, plaza, "/send 1 @ben", ephemeral=True)
    await bot.heard(ben, bot.telegram.private(ben), "Ana sent you 1 JUNO.")
    assert bot.said(ben, plaza) == []


async def test_a_mention_without_name_is_paid(bot: Stage, ana: User, plaza: Chat) -> None:
    carol = bot.telegram.person("Carol Ann", user_id=33)
    await bot.fund(ana, 8_000_000)
    bot.telegram.say(ana, plaza, "/send 😀", mentions={})
    bot.telegram.say(ana, plaza, "/send Carol Ann 2 for 😀", mentions={"Carol Ann": carol})
    await bot.heard(ana, plaza, "Ana sent 2 JUNO to Carol Ann.")
    assert bot.balance(carol) == 2_000_000


async def test_all_leaves_nothing(bot: Stage, ana: User, ben: User) -> None:
    await met(bot, ben)
    await bot.fund(ana, 8_123_456)
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/send all @ben")
    await bot.heard(ana, chat, "Sent 8.123456 JUNO to Ben.")
    assert bot.balance(ana) == 0


async def test_all_of_a_doubtful_name_pays_what_was_shown(bot: Stage, ana: User, ben: User) -> None:
    await met(bot, ben)
    bot.clock.pass_seconds(91 * DAY_SECONDS)
    await bot.fund(ana, 8_000_000)
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/send all @ben")
    question = await bot.heard(ana, chat, "I have not seen @ben for long")
    assert "Send 8 JUNO there?" in question.text
    bot.telegram.tap(ana, question, label="Yes, send")
    await bot.heard(ana, chat, "Sent 8 JUNO to Ben.")


async def test_a_name_that_moved_asks_and_then_pays_its_new_owner(bot: Stage, ana: User, ben: User) -> None:
    await met(bot, ben)
    thief = bot.telegram.person("Carl", "carl", user_id=44)
    ben.username, thief.username = None, "ben"
    await met(bot, thief)
    await bot.fund(ana, 8_000_000)
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/send 5 @ben")
    question = await bot.heard(
        ana, chat, "@ben belonged to somebody else not long ago and is Carl (id 44) now."
    )
    assert bot.balance(ana) == 8_000_000
    bot.telegram.tap(ana, question, label="Yes, send")
    await bot.heard(ana, chat, "Sent 5 JUNO to Carl.")
    assert bot.balance(thief) == 5_000_000


async def test_a_name_given_up_asks_and_can_be_left(bot: Stage, ana: User, ben: User) -> None:
    await met(bot, ben)
    ben.username = "benjamin"
    await met(bot, ben)
    await bot.fund(ana, 8_000_000)
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/send 5 @ben")
    question = await bot.heard(ana, chat, "Ben (id 22) was @ben when I last saw them")
    bot.telegram.tap(ana, question, label="Don't")
    await bot.heard(ana, chat, "All right, nothing was sent.")
    assert bot.balance(ana) == 8_000_000


async def test_a_name_not_seen_for_long_asks(bot: Stage, ana: User, ben: User) -> None:
    await met(bot, ben)
    bot.clock.pass_seconds(91 * DAY_SECONDS)
    await bot.fund(ana, 8_000_000)
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/send 5 @ben")
    await bot.heard(ana, chat, "I have not seen @ben for long; it was Ben (id 22).")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/send", "That needs a little more: /send <amount> <who> [note]"),
        ("/send 5", "To whom? Reply to one of their messages"),
        ("/send @ben", "How much?"),
        ("/send 5 ben", "I don't know who “ben” is."),
        ("/send ben 5", "I don't know who “ben” is."),
        ("/send 5 @nobody_at_all", "I have never met @nobody_at_all"),
        ("/send 5 @some_bot", "@some_bot is a bot"),
        ("/send 5 @ana", "That would go from you to yourself."),
        ("/send +5 @ben", "An amount has no sign in front. Did you mean 5 JUNO?"),
        ("/send 1,5 @ben", "A comma can mean two things, so I don't guess. Did you mean 1.5 JUNO?"),
        ("/send 1 000 @ben", "Please leave out whatever separates thousands. Did you mean 1000 JUNO?"),
        ("/send 1e3 @ben", "1e3 is in scientific notation"),
        ("/send nan @ben", "nan is not an amount of money."),
        ("/send 1_000 @ben", "Please leave out the underscores."),
        ("/send १२ @ben", "I read only the digits 0 to 9. Did you mean 12 JUNO?"),
        ("/send 1.0000001 @ben", "JUNO has 6 decimals at most."),
        ("/send 0 @ben", "Zero is nothing to move."),
        ("/send 0x7 @ben", "0x7 is not a decimal number."),
        ("/send 5 ATOM @ben", "I don't keep ATOM here, only JUNO. Did you mean 5 JUNO?"),
        ("/send 5ATOM @ben", "I don't keep ATOM here, only JUNO."),
        ("/send 1/2 @ben", "Please write the fraction as a decimal"),
        ("/send 5. @ben", "Something is missing behind the dot."),
        ("/send .5 @ben", "Please write a digit in front of the dot. Did you mean 0.5 JUNO?"),
        ("/send 1234567890123 @ben", "That is more JUNO than there is."),
        ("/send five @ben", "I can't read five as an amount."),
        ("/send 5 @ben " + "x" * 121, "The note is too long: 120 characters at most."),
        ("/send 9 @ben", "That takes 9 JUNO, and you have 8 JUNO."),
    ],
)
async def test_a_refusal_says_what_to_do_and_nothing_moves(
    bot: Stage, ana: User, ben: User, text: str, said: str
) -> None:
    await met(bot, ben)
    await bot.fund(ana, 8_000_000)
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, text)
    answer = await bot.heard(ana, chat, said)
    assert "Nothing moved. Reference" in answer.text
    assert (bot.balance(ana), bot.balance(ben)) == (8_000_000, 0)


async def test_all_of_nothing_is_nothing(bot: Stage, ana: User, ben: User) -> None:
    await met(bot, ben)
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/send all @ben")
    await bot.heard(ana, chat, "There is nothing to send yet.")


async def test_an_empty_balance_is_no_news_for_the_group(
    bot: Stage, ana: User, ben: User, plaza: Chat
) -> None:
    await met(bot, ana, ben)
    bot.telegram.say(ana, plaza, "/send 5 @ben")
    await bot.heard(ana, bot.telegram.private(ana), "That takes 5 JUNO, and you have 0 JUNO.")
    await bot.settled()
    assert bot.said(ben, plaza) == []


async def test_who_cannot_be_reached_gets_a_neutral_line(
    bot: Stage, ana: User, ben: User, plaza: Chat
) -> None:
    await met(bot, ben)
    bot.telegram.say(ana, plaza, "/send 5 @ben")
    line = await bot.heard(ben, plaza, "The answer is for you alone")
    assert line.buttons[0][0]["url"].startswith("https://t.me/moneta_test_bot")


async def test_a_topics_opening_message_is_no_recipient(bot: Stage, ana: User, ben: User) -> None:
    forum = bot.telegram.group("Forum", ben, [ana, bot.account], is_forum=True)
    opening = bot.telegram.topic(ben, forum, "Tea")
    await bot.fund(ana, 8_000_000)
    bot.telegram.say(ana, forum, "/tip 5", thread=opening.id)
    await bot.heard(ana, forum, "To whom?")
    assert bot.balance(ana) == 8_000_000


async def test_an_anonymous_admin_cannot_be_paid(bot: Stage, ana: User, ben: User) -> None:
    group = bot.telegram.group("Quiet", ben, [ana, bot.account])
    bot.telegram.promote(ben, group, anonymous=True)
    said = bot.telegram.say(ben, group, "who am I")
    await bot.fund(ana, 8_000_000)
    bot.telegram.say(ana, group, "/tip 5", reply_to=said)
    await bot.heard(ana, group, "That was written by a channel or an anonymous admin")
    assert bot.balance(ana) == 8_000_000


async def test_twenty_transfers_at_once_from_a_balance_for_eight(bot: Stage, ana: User, ben: User) -> None:
    await met(bot, ben)
    await bot.fund(ana, 8_000_000)
    chat = bot.telegram.private(ana)
    for _ in range(20):
        bot.telegram.say(ana, chat, "/send 1 @ben")
    decided = "SELECT state FROM inbox WHERE state <> 'new' AND sender = 11"
    await bot.until(lambda: len(bot.rows(decided)) == 20)
    assert bot.rows(decided).count(("done",)) == 8
    assert (bot.balance(ana), bot.balance(ben)) == (0, 8_000_000)
