"""/settings of a group, and what giveaways make of it."""

import pytest

from bot.chatsettings import ChatSettings, decide_setting, settings_of
from bot.intents import Chat as ChatPlace
from bot.intents import ChatKind
from ledger.accounts import AccountId
from ledger.roles import Actor, Role
from ledger.units import Unit
from sandbox.telegram import Chat, Message, User
from tests.bot.stage import Stage

MILLION = 1_000_000


@pytest.fixture
async def admin(bot: Stage, ben: User) -> User:
    """Ben, an admin."""
    await bot.appoint(ben, Role.ADMIN)
    return ben


async def menu(bot: Stage, who: User, plaza: Chat) -> Message:
    bot.telegram.say(who, plaza, "/settings")
    return await bot.heard(who, plaza, "Giveaways in this group")


def set_for(bot: Stage, chat: Chat) -> ChatSettings:
    return settings_of(bot.service.reader, chat.id)


async def test_a_group_begins_strict(bot: Stage, ana: User, plaza: Chat) -> None:
    shown = await menu(bot, ana, plaza)
    assert "Whoever gives leaves it to the others." in shown.text
    assert "Whoever is jailed waits until it is over." in shown.text
    assert "New accounts may claim at once." in shown.text
    assert not shown.buttons


async def test_an_admin_changes_it_by_its_buttons(bot: Stage, admin: User, plaza: Chat) -> None:
    shown = await menu(bot, admin, plaza)
    bot.telegram.tap(admin, shown, label="Let givers claim too")
    await bot.until(lambda: "Whoever gives may claim too." in shown.text)
    bot.telegram.tap(admin, shown, label="New accounts: after 1 h")
    await bot.until(lambda: "after 1 h." in shown.text)
    assert set_for(bot, plaza) == ChatSettings(giveaway_creator=True, giveaway_newcomer_hours=1)
    logged = bot.rows(
        "SELECT actor, action, chat, before, after FROM admin_audit WHERE action = 'chat.configured'"
    )
    assert logged[0] == (
        *(admin.id, "chat.configured", plaza.id),
        *('{"giveaway_creator": false}', '{"giveaway_creator": true}'),
    )
    assert len(logged) == 2


async def test_the_role_is_looked_at_when_it_is_pressed(bot: Stage, admin: User, plaza: Chat) -> None:
    shown = await menu(bot, admin, plaza)
    await bot.appoint(admin, Role.MEMBER)
    told = await bot.answered(bot.telegram.tap(admin, shown, label="Let givers claim too"))
    assert told == "That takes the role admin here."
    assert set_for(bot, plaza) == ChatSettings()


async def test_a_creator_claims_where_it_is_set(bot: Stage, admin: User, ana: User, plaza: Chat) -> None:
    shown = await menu(bot, admin, plaza)
    bot.telegram.tap(admin, shown, label="Let givers claim too")
    await bot.until(lambda: set_for(bot, plaza).giveaway_creator)
    await bot.fund(ana, MILLION)
    bot.telegram.say(ana, plaza, "/giveaway 1 4")
    card = await bot.heard(ana, plaza, "🎁 Giveaway")
    assert await bot.answered(bot.telegram.tap(ana, card)) == "0.25 JUNO is yours."


async def test_newcomers_wait_where_it_is_set(bot: Stage, admin: User, ana: User, plaza: Chat) -> None:
    shown = await menu(bot, admin, plaza)
    bot.telegram.tap(admin, shown, label="New accounts: after 1 h")
    await bot.until(lambda: set_for(bot, plaza).giveaway_newcomer_hours)
    await bot.fund(ana, MILLION)
    bot.telegram.say(ana, plaza, "/giveaway 1 4")
    card = await bot.heard(ana, plaza, "🎁 Giveaway")
    cat = bot.telegram.person("Cat", user_id=33)
    bot.telegram.join(cat, plaza)
    told = await bot.answered(bot.telegram.tap(cat, card))
    assert told == "This group's giveaways are for those who have been here for 1 h."
    bot.clock.pass_seconds(3600)
    assert await bot.answered(bot.telegram.tap(cat, card)) == "0.25 JUNO is yours."


@pytest.mark.parametrize(
    "stored",
    [
        "{}",
        '{"giveaway_creator": "yes"}',
        '{"giveaway_newcomer_hours": true}',
        '{"later": 1}',
        '{"giveaway_jailed": 1}',
    ],
)
def test_what_is_not_understood_is_the_default(stored: str) -> None:
    assert settings_of(Stored(stored), -1) == ChatSettings()


class Stored:
    """Books that hold one settings text."""

    def __init__(self, text: str) -> None:
        self._text = text

    def select(self, _sql: str, _parameters: object = ()) -> list[dict[str, str]]:
        return [{"settings": self._text}]


async def test_a_press_that_met_the_move_counts_where_the_group_is_now(
    bot: Stage, admin: User, ana: User
) -> None:
    village = bot.telegram.group("Village", ana, [admin, bot.account], kind="group")
    shown = await menu(bot, admin, village)
    town = bot.telegram.migrate(village)
    await bot.settled()
    await bot.answered(bot.telegram.tap(admin, shown, label="Let givers claim too"))
    assert set_for(bot, town) == ChatSettings(giveaway_creator=True)
    assert bot.rows("SELECT chat FROM admin_audit WHERE action = 'chat.configured'") == [(town.id,)]


async def test_what_is_set_after_the_move_stands_also_when_it_was_noticed_later(
    bot: Stage, admin: User, ana: User
) -> None:
    """The news of the move waits in another lane than an admin's press."""
    village = bot.telegram.group("Village", ana, [admin, bot.account], kind="group")
    shown = await menu(bot, admin, village)
    bot.telegram.tap(admin, shown, label="New accounts: after 1 h")
    await bot.until(lambda: set_for(bot, village).giveaway_newcomer_hours == 1)
    await bot.stop()
    town = bot.telegram.migrate(village)
    await bot.start(only="nothing")
    place = ChatPlace(town.id, ChatKind.SUPERGROUP)
    await bot.service.journal.submit(
        Unit(lambda view: decide_setting(view, Actor(AccountId(admin.id)), place, "giveaway_creator", True))
    )
    await bot.stop()
    await bot.start()
    await bot.settled()
    assert set_for(bot, town) == ChatSettings(giveaway_creator=True, giveaway_newcomer_hours=1)


async def test_a_migrated_group_takes_its_giveaways_along(bot: Stage, ana: User, ben: User) -> None:
    village = bot.telegram.group("Village", ana, [ben, bot.account], kind="group")
    await bot.fund(ana, MILLION)
    bot.telegram.say(ana, village, "/giveaway 1 4 1h")
    await bot.heard(ana, village, "🎁 Giveaway 1")
    town = bot.telegram.migrate(village)
    card = await bot.heard(ana, town, "🎁 Giveaway 1 by Ana")
    assert await bot.answered(bot.telegram.tap(ben, card)) == "0.25 JUNO is yours."
    await bot.until(lambda: "1 of 4 taken" in card.text)
    bot.clock.pass_seconds(3601)
    await bot.until(lambda: "It is over: 1 of 4 taken." in card.text)
    assert bot.balance(ana) == 750_000
