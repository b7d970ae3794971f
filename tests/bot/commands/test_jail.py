"""/jail, /unjail, /jails, /paybail and /bail, as a group uses them; Telegram's rights follow the books."""

import pytest

from ledger.accounts import BOT_TREASURY, AccountId
from ledger.jails import jail_of
from ledger.roles import CONSOLE, Role
from sandbox.telegram import Chat, Fault, Message, User
from tests.bot.stage import JUNO, Stage

TEN = 10_000_000


def jailed(bot: Stage, who: User, chat: Chat) -> bool:
    return jail_of(bot.service.reader, chat.id, AccountId(who.id)) is not None


def may_speak(bot: Stage, who: User, chat: Chat) -> bool:
    return bot.telegram.may(chat, who.id, "can_send_messages")


def treasury(bot: Stage) -> int:
    return bot.service.reader.balance(BOT_TREASURY, JUNO.denom)


async def jail(bot: Stage, owner: User, hall: Chat, text: str = "/jail @ana 2h flooding") -> Message:
    """Return the notice of a jail that the owner set."""
    bot.telegram.say(owner, hall, text)
    notice = await bot.heard(owner, hall, "🔒 Ana is in jail")
    await bot.settled()
    bot.clock.pass_seconds(70)
    return notice


def label(notice: Message) -> list[str]:
    return [button["text"] for row in notice.buttons for button in row]


def token(notice: Message) -> str:
    return str(notice.buttons[0][0]["callback_data"])


def tries(bot: Stage) -> int:
    """Return how often Telegram refused what is still to be done about rights."""
    (row,) = bot.rows("SELECT attempts FROM outbox WHERE event = 'rights.due' ORDER BY id DESC LIMIT 1")
    return int(row[0])


# What is said


async def test_the_notice_says_why_until_when_and_at_what_bail(bot: Stage, owner: User, hall: Chat) -> None:
    notice = await jail(bot, owner, hall)
    assert "“flooding”" in notice.text
    assert "Bail is 1.2 JUNO." in notice.text
    assert label(notice) == ["Pay bail: 1.2 JUNO"]


@pytest.mark.parametrize(
    ("typed", "bail"),
    [
        ("/jail @ana 2h", "1.2 JUNO"),
        ("/jail @ana 10m", "1 JUNO"),
        ("/jail @ana 2h 5", "5 JUNO"),
        ("/jail @ana 2h 5 JUNO twice now", "5 JUNO"),
        ("/jail @ana 2h all day long", "1.2 JUNO"),
    ],
)
async def test_bail_is_the_admins_figure_or_what_is_set(
    bot: Stage, owner: User, hall: Chat, typed: str, bail: str
) -> None:
    assert f"Bail is {bail}." in (await jail(bot, owner, hall, typed)).text


async def test_a_reply_names_the_person(bot: Stage, owner: User, ana: User, hall: Chat) -> None:
    said = bot.telegram.say(ana, hall, "/balance now")
    bot.telegram.say(owner, hall, "/jail 30m", reply_to=said)
    assert "“no reason given”" in (await bot.heard(owner, hall, "🔒 Ana is in jail")).text


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("/jail", "That needs a little more"),
        ("/jail 2h", "Who is meant?"),
        ("/jail @ana", "For how long?"),
        ("/jail @ana soon", "I can't read soon as a time."),
        ("/jail @ana 0m", "A jail lasts 1 minute at least"),
        ("/jail @ana 366d", "A jail lasts 365 days at most"),
        ("/jail @ana 2h 1,5", "A comma can mean two things"),
        ("/jail @ana 2h $5", "I know no price in dollars here."),
        ("/jail @moneta_test_bot 2h", "@moneta_test_bot is a bot"),
        ("/jail @stranger 2h", "I have never met @stranger"),
        ("/unjail @ana", "They are not in jail here."),
        ("/bail @ana", "They are not in jail here."),
        ("/paybail", "You are not in jail here."),
    ],
)
async def test_wrong_forms_get_a_sentence(bot: Stage, owner: User, hall: Chat, typed: str, said: str) -> None:
    bot.telegram.say(owner, hall, typed)
    await bot.heard(owner, hall, said)
    assert bot.rows("SELECT 1 FROM violations") == []


async def test_owners_and_admins_are_immune(bot: Stage, owner: User, ben: User, hall: Chat) -> None:
    await bot.service.users.appoint(CONSOLE, AccountId(ben.id), Role.ADMIN, "test")
    bot.telegram.say(owner, hall, "/jail @ben 2h")
    await bot.heard(owner, hall, "Owners and admins are neither warned")
    bot.telegram.say(ben, hall, "/jail 2h", mentions={}, reply_to=bot.telegram.say(owner, hall, "/help"))
    await bot.heard(ben, hall, "Owners and admins are neither warned", 2)


async def test_members_jail_nobody(bot: Stage, ana: User, ben: User, hall: Chat) -> None:
    bot.telegram.say(ben, hall, "/jail @ana 2h")
    await bot.heard(ben, hall, "That takes the role admin here.")
    assert not jailed(bot, ana, hall)


async def test_a_jail_never_shortens_a_longer_one(bot: Stage, owner: User, ana: User, hall: Chat) -> None:
    await jail(bot, owner, hall)
    bot.telegram.say(owner, hall, "/jail @ana 10m")
    await bot.heard(owner, hall, "They are in jail already")
    found = jail_of(bot.service.reader, hall.id, AccountId(ana.id))
    assert found is not None
    assert found.id == 1


async def test_a_longer_one_takes_its_place_and_its_notice(bot: Stage, owner: User, hall: Chat) -> None:
    first = await jail(bot, owner, hall)
    bot.telegram.say(owner, hall, "/jail @ana 1d 3")
    await bot.until(lambda: first.text == "🔒 Ana stays in jail: a longer one took its place.")
    assert first.buttons == []
    assert label(await bot.heard(owner, hall, "🔒 Ana is in jail")) == ["Pay bail: 3 JUNO"]


# Telegram's rights


async def test_whoever_is_jailed_cannot_write_there(bot: Stage, owner: User, ana: User, hall: Chat) -> None:
    await jail(bot, owner, hall)
    assert not may_speak(bot, ana, hall)
    until = hall.members[ana.id].until
    found = jail_of(bot.service.reader, hall.id, AccountId(ana.id))
    assert found is not None
    assert until * 1000 >= found.until_at


async def test_in_private_every_command_works_meanwhile(
    bot: Stage, owner: User, ana: User, ben: User, hall: Chat
) -> None:
    await jail(bot, owner, hall)
    private = bot.telegram.private(ana)
    bot.telegram.say(ana, private, "/send 1 @ben")
    await bot.heard(ana, private, "Sent 1 JUNO to Ben.")
    bot.telegram.say(ana, private, "/paybail")
    await bot.heard(ana, private, "🔓 Ana paid 1.2 JUNO of bail and is free.")
    assert (bot.balance(ana), treasury(bot)) == (TEN - 2_200_000, 1_200_000)
    await bot.until(lambda: may_speak(bot, ana, hall))


async def test_the_person_is_told_in_private(bot: Stage, owner: User, ana: User, hall: Chat) -> None:
    private = bot.telegram.private(ana)
    bot.telegram.say(ana, private, "/start")
    await bot.heard(ana, private, "Welcome")
    await jail(bot, owner, hall)
    told = await bot.heard(ana, private, "You are in jail in Hall until")
    assert "/paybail frees you at once" in told.text


async def test_the_clock_ends_it_and_rights_come_back(bot: Stage, owner: User, ana: User, hall: Chat) -> None:
    notice = await jail(bot, owner, hall)
    bot.clock.pass_seconds(2 * 3600)
    await bot.until(lambda: "the time is over" in notice.text)
    await bot.until(lambda: may_speak(bot, ana, hall))
    assert not jailed(bot, ana, hall)
    assert notice.buttons == []
    assert bot.balance(ana) == TEN


async def test_an_admin_lets_go(bot: Stage, owner: User, ana: User, hall: Chat) -> None:
    notice = await jail(bot, owner, hall)
    bot.telegram.say(owner, hall, "/unjail @ana enough")
    await bot.heard(owner, hall, "🔓 Ana is out of jail: an admin said so.")
    await bot.until(lambda: may_speak(bot, ana, hall))
    await bot.until(lambda: notice.buttons == [])
    assert bot.rows("SELECT reason FROM admin_audit ORDER BY id DESC LIMIT 1") == [("enough",)]


async def test_whoever_leaves_and_comes_back_is_restricted_again(
    bot: Stage, owner: User, ana: User, hall: Chat
) -> None:
    await jail(bot, owner, hall)
    bot.telegram.leave(ana, hall)
    bot.telegram.join(ana, hall)
    assert may_speak(bot, ana, hall)
    await bot.until(lambda: not may_speak(bot, ana, hall))


async def test_what_somebody_changes_by_hand_is_changed_back(
    bot: Stage, owner: User, ana: User, hall: Chat
) -> None:
    await jail(bot, owner, hall)
    free = type(hall.members[ana.id])("member")
    bot.telegram.change_member(hall, ana.id, free, owner.id)
    await bot.until(lambda: not may_speak(bot, ana, hall))


async def test_a_change_that_nobody_told_of_is_found(bot: Stage, owner: User, ana: User, hall: Chat) -> None:
    await jail(bot, owner, hall)
    hall.members[ana.id] = type(hall.members[ana.id])("member")
    bot.clock.pass_seconds(3600)
    await bot.until(lambda: not may_speak(bot, ana, hall))


async def test_what_admins_restrict_for_their_own_reasons_is_left_alone(
    bot: Stage, owner: User, ben: User, hall: Chat
) -> None:
    bot.telegram.change_member(hall, ben.id, type(hall.members[ben.id])("restricted", {}), owner.id)
    await bot.settled()
    assert bot.rows("SELECT 1 FROM outbox WHERE event = 'rights.due'") == []
    assert not may_speak(bot, ben, hall)


async def test_when_telegram_refuses_to_restore_admins_learn_it_once_and_it_goes_on_trying(
    bot: Stage, owner: User, ana: User, ben: User, hall: Chat
) -> None:
    notice = await jail(bot, owner, hall)
    office = bot.telegram.private(owner)
    bot.telegram.say(owner, office, "/start")
    await bot.heard(owner, office, "Welcome")
    bot.telegram.demote(bot.account, hall)
    bot.telegram.tap(ben, notice, label="Pay bail: 1.2 JUNO")

    told = await bot.heard(owner, office, "⚠️ Telegram doesn't let me change what a member may write.")
    assert "books: bailed" in told.text
    assert "bail: 1.2 JUNO" in told.text
    assert (bot.balance(ben), treasury(bot)) == (TEN - 1_200_000, 1_200_000)
    assert not jailed(bot, ana, hall)
    for tried in range(1, 15):
        await bot.until(lambda tried=tried: tries(bot) >= tried)  # type: ignore[misc]
        bot.clock.pass_seconds(500)
    assert not may_speak(bot, ana, hall)
    bot.telegram.promote(bot.account, hall)
    bot.clock.pass_seconds(500)
    await bot.until(lambda: may_speak(bot, ana, hall))
    assert len(bot.said(owner, office, "⚠️ Telegram doesn't")) == 1


async def test_who_was_never_there_need_not_be_silenced(
    bot: Stage, owner: User, ana: User, hall: Chat
) -> None:
    """Telegram knows no participant then; nobody can do anything about it, so nobody is told, or asked for ever."""
    told = "Bad Request: PARTICIPANT_ID_INVALID"
    bot.telegram.faults.add(Fault("refuse", "getChatMember", times=100, code=400, description=told))
    await jail(bot, owner, hall)
    assert bot.rows("SELECT state FROM outbox WHERE event = 'rights.due'") == [("sent",)]
    assert bot.rows("SELECT 1 FROM outbox WHERE event = 'alert.raised'") == []


async def test_a_group_that_becomes_a_supergroup_takes_its_jails_along(
    bot: Stage, owner: User, ana: User, ben: User
) -> None:
    small = bot.telegram.group("Small", owner, [ana, ben, bot.account], kind="group")
    bot.telegram.promote(bot.account, small)
    await bot.fund(ben, TEN)
    bot.telegram.say(ana, small, "/help")
    await bot.heard(ana, small, "What I can do")
    bot.telegram.say(owner, small, "/jail @ana 2h")
    await bot.heard(owner, small, "🔒 Ana is in jail")
    large = bot.telegram.migrate(small)
    await bot.until(lambda: jailed(bot, ana, large))
    bot.clock.pass_seconds(500)
    await bot.until(lambda: not may_speak(bot, ana, large))
    notice = await bot.heard(owner, large, "🔒 Ana is in jail")
    bot.clock.pass_seconds(70)
    assert (
        await bot.answered(bot.telegram.tap(ben, notice, label="Pay bail: 1.2 JUNO"))
        == "You paid 1.2 JUNO of bail."
    )
    await bot.until(lambda: may_speak(bot, ana, large))


# Who pays


async def test_a_friend_presses_and_she_is_free(
    bot: Stage, owner: User, ana: User, ben: User, hall: Chat
) -> None:
    notice = await jail(bot, owner, hall)
    tap = bot.telegram.tap(ben, notice, label="Pay bail: 1.2 JUNO")
    assert await bot.answered(tap) == "You paid 1.2 JUNO of bail."
    await bot.heard(ben, hall, "🔓 Ben paid 1.2 JUNO of bail, and Ana is free.")
    assert (bot.balance(ben), bot.balance(ana), treasury(bot)) == (TEN - 1_200_000, TEN, 1_200_000)
    await bot.until(lambda: "Ben paid the bail of 1.2 JUNO" in notice.text)
    await bot.until(lambda: may_speak(bot, ana, hall))


async def test_she_presses_herself(bot: Stage, owner: User, ana: User, hall: Chat) -> None:
    tap = bot.telegram.tap(ana, await jail(bot, owner, hall), label="Pay bail: 1.2 JUNO")
    assert await bot.answered(tap) == "You paid 1.2 JUNO of bail."
    assert bot.balance(ana) == TEN - 1_200_000


async def test_a_friend_types_it(bot: Stage, owner: User, ana: User, ben: User, hall: Chat) -> None:
    await jail(bot, owner, hall)
    bot.telegram.say(ben, hall, "/bail @ana")
    await bot.heard(ben, hall, "🔓 Ben paid 1.2 JUNO of bail, and Ana is free.")
    assert bot.balance(ben) == TEN - 1_200_000


async def test_of_two_friends_at_once_one_is_charged(
    bot: Stage, owner: User, ana: User, ben: User, hall: Chat
) -> None:
    await bot.fund(owner, TEN)
    notice = await jail(bot, owner, hall)
    taps = [bot.telegram.tap(who, notice, label="Pay bail: 1.2 JUNO") for who in (ben, owner, ben, owner)]
    said = [await bot.answered(tap) for tap in taps]
    assert treasury(bot) == 1_200_000
    assert bot.balance(ben) + bot.balance(owner) == 2 * TEN - 1_200_000
    assert "That jail is over already, so nobody was charged." in said


async def test_pressing_twice_pays_once(bot: Stage, owner: User, ben: User, hall: Chat) -> None:
    notice = await jail(bot, owner, hall)
    pressed = token(notice)
    for _ in range(3):
        await bot.answered(bot.telegram.tap(ben, notice, forged=pressed))
    assert bot.balance(ben) == TEN - 1_200_000


async def test_pressing_twice_is_announced_once(bot: Stage, owner: User, ben: User, hall: Chat) -> None:
    notice = await jail(bot, owner, hall)
    pressed = token(notice)
    said = [await bot.answered(bot.telegram.tap(ben, notice, forged=pressed)) for _ in range(3)]
    await bot.settled()
    assert len(bot.said(ben, hall, "🔓 Ben paid")) == 1
    assert said == ["You paid 1.2 JUNO of bail."] * 3


async def test_who_cannot_pay_is_told_alone_and_the_button_stays(
    bot: Stage, owner: User, ana: User, ben: User, hall: Chat
) -> None:
    notice = await jail(bot, owner, hall, "/jail @ana 2h 11")
    before = len(bot.said(None, hall))
    tap = bot.telegram.tap(ben, notice, label="Pay bail: 11 JUNO")
    assert "That takes 11 JUNO, and you have 10 JUNO." in await bot.answered(tap)
    await bot.settled()
    assert len(bot.said(None, hall)) == before
    assert label(notice) == ["Pay bail: 11 JUNO"]
    assert jailed(bot, ana, hall)


async def test_a_button_that_is_pressed_elsewhere_does_nothing(
    bot: Stage, owner: User, ana: User, ben: User, hall: Chat
) -> None:
    notice = await jail(bot, owner, hall)
    elsewhere = bot.telegram.group("Elsewhere", ben, [bot.account])
    bot.telegram.say(ben, elsewhere, "/help")
    shown = await bot.heard(ben, elsewhere, "What I can do")
    assert "That button does nothing any more" in await bot.answered(
        bot.telegram.tap(ben, shown, forged=token(notice))
    )
    assert bot.balance(ben) == TEN
    assert jailed(bot, ana, hall)


async def test_bail_after_the_end_charges_nobody(bot: Stage, owner: User, ben: User, hall: Chat) -> None:
    notice = await jail(bot, owner, hall)
    pressed = token(notice)
    bot.clock.pass_seconds(2 * 3600)
    tap = bot.telegram.tap(ben, notice, forged=pressed)
    assert await bot.answered(tap)
    bot.telegram.say(ben, hall, "/bail @ana")
    await bot.until(
        lambda: bot.said(ben, hall, "They are not in jail here.") or bot.said(ben, hall, "That jail has just")
    )
    assert bot.balance(ben) == TEN


async def test_in_private_with_jails_in_two_chats_one_chooses(
    bot: Stage, owner: User, ana: User, ben: User, hall: Chat
) -> None:
    await jail(bot, owner, hall)
    other = bot.telegram.group("Other", owner, [ana, bot.account])
    bot.telegram.promote(bot.account, other)
    bot.telegram.say(owner, other, "/jail @ana 2h 3")
    await bot.heard(owner, other, "🔒 Ana is in jail")
    private = bot.telegram.private(ben)
    bot.telegram.say(ben, private, "/bail @ana")
    question = await bot.heard(ben, private, "Ana is in jail in more than one chat.")
    assert label(question) == ["Pay bail: 1.2 JUNO", "Pay bail: 3 JUNO"]
    bot.telegram.tap(ben, question, label="Pay bail: 3 JUNO")
    await bot.heard(ben, private, "🔓 Ben paid 3 JUNO of bail, and Ana is free.")
    assert (jailed(bot, ana, other), jailed(bot, ana, hall)) == (False, True)


# Who serves


async def test_jails_lists_who_serves_here(bot: Stage, owner: User, ben: User, hall: Chat) -> None:
    bot.telegram.say(ben, hall, "/jails")
    await bot.heard(ben, hall, "Nobody is in jail here.")
    await jail(bot, owner, hall)
    bot.telegram.say(ben, hall, "/jails")
    listed = await bot.heard(ben, hall, "In jail here")
    assert "Ana: until" in listed.text
    assert "bail 1.2 JUNO" in listed.text


async def test_a_command_that_only_the_admin_sees_still_has_a_notice(
    bot: Stage, owner: User, ana: User, hall: Chat
) -> None:
    bot.telegram.say(owner, hall, "/jail @ana 2h", ephemeral=True)
    notice = await bot.heard(ana, hall, "🔒 Ana is in jail")
    assert label(notice) == ["Pay bail: 1.2 JUNO"]
    assert bot.said(ana, hall, "Ana is in jail until") == []


async def test_an_old_command_that_is_still_meant_has_its_notice_in_the_group(
    bot: Stage, owner: User, ana: User, hall: Chat
) -> None:
    """It is confirmed where the question was, in private; the group is where it belongs."""
    office = bot.telegram.private(owner)
    bot.telegram.say(owner, office, "/start")
    await bot.heard(owner, office, "Welcome")
    await bot.stop()
    bot.telegram.say(owner, hall, "/jail @ana 2h")
    bot.clock.pass_seconds(600)
    await bot.start()
    question = await bot.heard(owner, office, "You sent /jail @ana 2h some time ago")
    bot.telegram.tap(owner, question, label="Yes, do it")
    notice = await bot.heard(ana, hall, "🔒 Ana is in jail")
    assert label(notice) == ["Pay bail: 1.2 JUNO"]
    await bot.heard(owner, office, "Ana is in jail until")
