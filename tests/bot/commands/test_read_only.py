"""/start, /help, /balance, /deposit, /history: what people see of their own, and what groups never see."""

from typing import Any

import pytest

from bot.intents import Chat as BotChat
from bot.intents import ChatKind
from ledger.accounts import AccountId
from ledger.money import Amount
from ledger.outbox import news
from ledger.roles import Role
from ledger.units import Decision, Unit, View
from sandbox.telegram import Chat, User
from tests.bot.commands.conftest import TREASURY
from tests.bot.stage import JUNO, Stage


async def tell(bot: Stage, event: str, recipient: User, facts: dict[str, Any]) -> None:
    """Commit news, as the books do."""

    def decide(view: View) -> Decision[None]:
        return Decision(None, rows=(news(event, AccountId(recipient.id), facts, view.now),))

    bot.clock.pass_seconds(5)
    await bot.service.journal.submit(Unit(decide))
    bot.front.notifier.wake()


# /start


async def test_start_opens_an_account(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/start")
    await bot.heard(ana, chat, "Welcome, Ana. Your account is open.")
    assert bot.service.users.role(AccountId(ana.id)) is Role.MEMBER


async def test_a_hostile_name_is_only_shown(bot: Stage) -> None:
    eve = bot.telegram.person("<b>Eve\u202e</b>", user_id=55)
    chat = bot.telegram.private(eve)
    bot.telegram.say(eve, chat, "/start")
    await bot.heard(eve, chat, "Welcome, <b>Eve</b>.")


async def test_start_in_a_group_leads_to_the_private_chat(bot: Stage, ana: User, plaza: Chat) -> None:
    bot.telegram.say(ana, plaza, "/start@moneta_test_bot")
    hello = await bot.heard(ana, plaza, "Hello. I keep JUNO for the people here.")
    assert hello.buttons[0][0]["url"] == "https://t.me/moneta_test_bot?start=hello"


async def test_start_brings_what_could_not_be_told(bot: Stage, ana: User, ben: User, plaza: Chat) -> None:
    bot.telegram.say(ben, plaza, "/start@moneta_test_bot")
    await bot.fund(ana, 5_000_000)
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/send 1 @ben")
    await bot.heard(ana, chat, "Sent 1 JUNO")
    await bot.until(lambda: bot.rows("SELECT 1 FROM outbox WHERE state = 'undeliverable'"))
    bot.telegram.say(ben, bot.telegram.private(ben), "/start")
    await bot.heard(ben, bot.telegram.private(ben), "Ana sent you 1 JUNO.")


# /help


async def test_help_lists_every_command_that_is_allowed(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/help")
    listed = await bot.heard(ana, chat, "What I can do")
    allowed = bot.registry.allowed(Role.MEMBER, BotChat(1, ChatKind.PRIVATE))
    assert all(f"{command.usage} · {command.summary}" in listed.text for command in allowed)


@pytest.mark.parametrize("asked", ["/help send", "/help /tip", "/help Send@moneta_test_bot"])
async def test_help_tells_more_of_one(bot: Stage, ana: User, asked: str) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, asked)
    told = await bot.heard(ana, chat, "/send <amount> <who> [note]")
    assert "/send 0.5 @name for lunch" in told.text
    assert "Also /tip." in told.text


async def test_help_does_not_know_everything(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/help riches")
    await bot.heard(ana, chat, "I don't know /riches.")


async def test_help_works_in_a_group(bot: Stage, ana: User, plaza: Chat) -> None:
    bot.telegram.say(ana, plaza, "/help@moneta_test_bot")
    await bot.heard(ana, plaza, "What I can do")


# /balance


async def test_a_balance_is_shown_in_private(bot: Stage, ana: User) -> None:
    await bot.fund(ana, 1_500_000)
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/balance")
    assert (await bot.heard(ana, chat, "You have")).text == "You have 1.5 JUNO."


async def test_an_empty_balance_shows_the_way_in(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/balance")
    await bot.heard(ana, chat, "Nothing here yet. /deposit shows how to put JUNO in.")


async def test_a_balance_tells_what_is_on_its_way_out(bot: Stage, ana: User) -> None:
    await bot.fund(ana, 3_000_000)
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/withdraw 1 juno1qyqszqgpqyqszqgpqyqszqgpqyqszqgpypz92q")
    bot.telegram.tap(ana, await bot.heard(ana, chat, "Withdraw 1 JUNO?"), label="Withdraw")
    await bot.heard(ana, chat, "Withdrawal")
    bot.clock.pass_seconds(5)
    bot.telegram.say(ana, chat, "/balance")
    told = await bot.heard(ana, chat, "You have 1.98 JUNO.")
    assert "On its way out: 1 JUNO (withdrawal 2)." in told.text


@pytest.mark.parametrize("command", ["/balance", "/deposit", "/history"])
async def test_what_is_private_never_appears_in_a_group(
    bot: Stage, ana: User, ben: User, plaza: Chat, command: str
) -> None:
    await bot.fund(ana, 1_500_000)
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/start")
    await bot.heard(ana, chat, "Welcome")
    bot.telegram.say(ana, plaza, command)
    await bot.until(lambda: len(bot.said(ana, chat)) == 2)
    assert bot.said(ben, plaza) == []


@pytest.mark.parametrize("command", ["/balance", "/deposit", "/history"])
async def test_a_stranger_to_the_private_chat_gets_a_neutral_line(
    bot: Stage, ana: User, ben: User, plaza: Chat, command: str
) -> None:
    await bot.fund(ana, 1_500_000)
    bot.telegram.say(ana, plaza, command)
    line = await bot.heard(ben, plaza, "The answer is for you alone")
    assert "1.5" not in line.text


# /deposit


async def test_the_deposit_card_shows_address_memo_and_a_picture(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/deposit")
    card = await bot.heard(ana, chat, "Put JUNO in")
    assert TREASURY in card.text
    assert f"with the memo\n{ana.id}\n" in card.text
    assert "photo" in card.content
    assert [row[0]["copy_text"]["text"] for row in card.buttons] == [TREASURY, str(ana.id)]


async def test_the_deposit_card_changes_when_it_arrives(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/deposit")
    card = await bot.heard(ana, chat, "Put JUNO in")
    await bot.settled()
    facts = {"amount": 2_000_000, "denom": JUNO.denom, "height": 9, "transaction": 1, "tx": "CD34"}
    await tell(bot, "deposit.seen", ana, facts)
    await bot.until(lambda: card.text.startswith("2 JUNO is on its way to you."))
    await tell(bot, "deposit.credited", ana, facts)
    await bot.until(lambda: card.text.startswith("2 JUNO arrived and is yours."))
    assert card.buttons[0][0]["url"] == "https://explorer.example/tx/CD34"


async def test_a_deposit_without_a_card_is_told(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/start")
    await bot.settled()
    facts = {"amount": 2_000_000, "denom": JUNO.denom, "height": 9, "transaction": 1, "tx": "CD34"}
    await tell(bot, "deposit.credited", ana, facts)
    await bot.heard(ana, chat, "2 JUNO arrived and is yours.")


# /history


async def test_history_is_newest_first_with_signs_and_names(bot: Stage, ana: User, ben: User) -> None:
    bot.telegram.say(ben, bot.telegram.private(ben), "/start")
    await bot.settled()
    await bot.fund(ana, 5_000_000)
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/send 2 @ben tea & cake")
    await bot.heard(ana, chat, "Sent 2 JUNO")
    bot.telegram.say(ana, chat, "/history")
    page = (await bot.heard(ana, chat, "Your JUNO")).text.splitlines()
    assert page[3:5] == ["-2 JUNO to Ben", "“tea & cake”"]
    assert page[5].endswith("UTC · then 3 JUNO")
    assert page[6] == "+5 JUNO deposited"


async def test_an_empty_history_shows_the_way_in(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/history")
    await bot.heard(ana, chat, "Nothing has happened yet.")


async def test_history_is_turned_back_and_forth(bot: Stage, ana: User, ben: User) -> None:
    """Nineteen postings are three pages; each turn edits the one message."""
    await bot.service.users.register(AccountId(ben.id), "Ben")
    await bot.fund(ana, 100)
    for number in range(18):
        await bot.service.transfer_between_users(
            AccountId(ana.id), AccountId(ben.id), Amount(1), JUNO.denom, key=f"t{number}"
        )
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/history")
    page = await bot.heard(ana, chat, "Your JUNO")
    newest = page.text
    assert [key["text"] for key in page.buttons[0]] == ["Older"]
    bot.clock.pass_seconds(5)
    bot.telegram.tap(ana, page, label="Older")
    await bot.until(lambda: len(page.buttons[0]) == 2)
    assert "then 0.000091 JUNO" in page.text
    bot.clock.pass_seconds(5)
    bot.telegram.tap(ana, page, label="Older")
    await bot.until(lambda: "deposited" in page.text)
    assert [key["text"] for key in page.buttons[0]] == ["Newer"]
    bot.clock.pass_seconds(5)
    bot.telegram.tap(ana, page, label="Newer")
    await bot.until(lambda: "then 0.000091 JUNO" in page.text)
    bot.clock.pass_seconds(5)
    bot.telegram.tap(ana, page, label="Newer")
    await bot.until(lambda: page.text == newest)


async def test_history_of_an_asset_that_is_not_kept(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/history ATOM")
    await bot.heard(ana, chat, "I don't keep ATOM here, only JUNO.")
