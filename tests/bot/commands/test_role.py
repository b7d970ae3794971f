"""/role, /audit, /pause and /resume over Telegram."""

import pytest

from ledger.accounts import AccountId
from ledger.pauses import standing_pause
from ledger.roles import CONSOLE, Role
from sandbox.telegram import Chat, User
from tests.bot.conftest import OWNER
from tests.bot.stage import Stage

PAYEE = "juno1qyqszqgpqyqszqgpqyqszqgpqyqszqgpypz92q"
TEN = 10_000_000


def role_of(bot: Stage, who: User) -> Role | None:
    return bot.service.users.role(AccountId(who.id))


# /role


async def test_an_owner_appoints_by_name_and_the_person_is_told(
    bot: Stage, owner: User, ana: User, plaza: Chat
) -> None:
    private = bot.telegram.private(ana)
    bot.telegram.say(ana, private, "/start")
    await bot.heard(ana, private, "Welcome")
    await bot.fund(ana, TEN)
    office = bot.telegram.private(owner)
    bot.telegram.say(owner, office, "/role @ana admin keeps order at night")
    await bot.heard(owner, office, "Ana is admin now, and was member.")
    bot.clock.pass_seconds(5)
    await bot.heard(ana, private, "Your role here is admin now; it was member.")
    assert (role_of(bot, ana), bot.balance(ana)) == (Role.ADMIN, TEN)
    bot.clock.pass_seconds(5)
    alert = await bot.heard(owner, office, "⚠️ Somebody has another role.")
    assert "keeps order at night" in alert.text


@pytest.mark.parametrize(
    ("typed", "saying"),
    [
        ("/role", "Who may do what"),
        ("/freeze", "Withdrawals\nNothing is frozen."),
        ("/unfreeze", "Withdrawals\nNothing is frozen."),
        ("/fines", "You owe no fines."),
        ("/status", "How you stand"),
    ],
)
async def test_a_topics_opening_message_is_nobody_to_look_up(
    bot: Stage, owner: User, ana: User, typed: str, saying: str
) -> None:
    forum = bot.telegram.group("Forum", ana, [owner, bot.account], is_forum=True)
    opening = bot.telegram.topic(ana, forum, "Tea")
    office = bot.telegram.private(owner)
    bot.telegram.say(owner, office, "/start")
    await bot.heard(owner, office, "Welcome")
    bot.telegram.say(owner, forum, typed, thread=opening.id)
    await bot.heard(owner, office, saying)


async def test_an_old_appointment_is_asked_about(bot: Stage, owner: User, ana: User) -> None:
    await bot.fund(ana, TEN)
    office = bot.telegram.private(owner)
    await bot.stop()
    bot.telegram.say(owner, office, f"/role {ana.id} admin keeps order at night")
    bot.clock.pass_seconds(3600)
    await bot.start()
    question = await bot.heard(owner, office, "You sent /role")
    assert role_of(bot, ana) is Role.MEMBER
    await bot.answered(bot.telegram.tap(owner, question))
    assert role_of(bot, ana) is Role.ADMIN


async def test_a_freeze_comes_never_too_late(bot: Stage, owner: User) -> None:
    office = bot.telegram.private(owner)
    await bot.stop()
    bot.telegram.say(owner, office, "/freeze all the nodes disagree")
    bot.clock.pass_seconds(3600)
    await bot.start()
    await bot.until(lambda: bot.rows("SELECT 1 FROM freezes"))


async def test_an_owner_appoints_by_a_reply(bot: Stage, owner: User, ana: User) -> None:
    group = bot.telegram.group("Plaza", owner, [ana, bot.account])
    said = bot.telegram.say(ana, group, "/start")
    await bot.heard(ana, group, "Hello.")
    bot.telegram.say(owner, group, "/role elevated she helps", reply_to=said)
    await bot.heard(owner, group, "Ana is elevated now, and was member.")
    assert role_of(bot, ana) is Role.ELEVATED


async def test_an_admin_lists_and_appoints_nobody(bot: Stage, owner: User, ana: User, ben: User) -> None:
    await bot.appoint(ana, Role.ADMIN)
    await bot.appoint(ben, Role.ELEVATED)
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/role")
    listed = await bot.heard(ana, chat, "Who may do what")
    assert listed.text.splitlines()[2:5] == [
        f"owner: member {OWNER} ({OWNER})",
        "admin: Ana (11)",
        "elevated: member 22 (22)",
    ]
    orders = (f"/role {ben.id} member why", f"/role {ana.id} member why", f"/role {ben.id} admin why")
    for number, order in enumerate(orders, 1):
        bot.clock.pass_seconds(5)
        bot.telegram.say(ana, chat, order)
        await bot.heard(ana, chat, "That takes the role owner here.", times=number)
    assert (role_of(bot, ana), role_of(bot, ben)) == (Role.ADMIN, Role.ELEVATED)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("@ana owner she built it", "Owners are named in the settings"),
        (f"{OWNER} member a coup", "Owners are named in the settings"),
        ("@ana king because", "I know no role king, only member, elevated, admin."),
        ("@ana admin", "Please say why"),
        ("@ana member because", "That is their role already: member."),
        ("@ana", "That needs a little more: /role"),
        ("@who_is_that admin because", "I have never met @who_is_that"),
        ("admin because", "Who is meant?"),
        ("404 admin because", "They have no account yet."),
    ],
)
async def test_what_is_no_appointment_is_told(
    bot: Stage, owner: User, ana: User, words: str, told: str
) -> None:
    private = bot.telegram.private(ana)
    bot.telegram.say(ana, private, "/start")
    await bot.heard(ana, private, "Welcome")
    office = bot.telegram.private(owner)
    bot.telegram.say(owner, office, f"/role {words}")
    await bot.heard(owner, office, told)
    assert role_of(bot, ana) is Role.MEMBER


async def test_a_name_that_changed_hands_is_not_appointed(
    bot: Stage, owner: User, ana: User, ben: User
) -> None:
    for who in (ana, ben):
        chat = bot.telegram.private(who)
        bot.telegram.say(who, chat, "/start")
        await bot.heard(who, chat, "Welcome")
        ana.username, ben.username = None, "ana"
    office = bot.telegram.private(owner)
    bot.telegram.say(owner, office, "/role @ana admin because")
    await bot.heard(owner, office, "@ana changed hands")
    assert (role_of(bot, ana), role_of(bot, ben)) == (Role.MEMBER, Role.MEMBER)


# /audit


async def test_the_log_is_read_in_pages_and_about_somebody(
    bot: Stage, owner: User, ana: User, ben: User
) -> None:
    await bot.appoint(ben, Role.ELEVATED)
    for number in range(4):
        await bot.service.users.appoint(CONSOLE, AccountId(ben.id), Role.ADMIN, f"up {number}")
        await bot.service.users.appoint(CONSOLE, AccountId(ben.id), Role.MEMBER, f"down {number}")
    await bot.appoint(ana, Role.ADMIN)
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/audit")
    page = await bot.heard(ana, chat, "What was ordered")
    # The newest line, and the day: the clock of the stage goes on.
    assert "\n10 1" in page.text
    assert "the console\nrole changed: Ana\nrole: member → admin\n“a test”" in page.text
    assert "up 0" not in page.text
    bot.clock.pass_seconds(5)
    bot.telegram.tap(ana, page, label="Older")
    await bot.until(lambda: "up 0" in page.text)
    bot.clock.pass_seconds(5)
    bot.telegram.tap(ana, page, label="Newer")
    await bot.until(lambda: "down 3" in page.text)
    bot.clock.pass_seconds(5)
    bot.telegram.say(ana, chat, f"/audit {ana.id}")
    about = await bot.heard(ana, chat, "What was ordered, by or about Ana")
    assert "up 3" not in about.text


async def test_the_log_stays_out_of_groups(bot: Stage, ana: User, ben: User, plaza: Chat) -> None:
    await bot.appoint(ana, Role.ADMIN)
    private = bot.telegram.private(ana)
    bot.telegram.say(ana, private, "/start")
    await bot.heard(ana, private, "Welcome")
    bot.clock.pass_seconds(5)
    bot.telegram.say(ana, plaza, "/audit")
    await bot.heard(ana, private, "What was ordered")
    assert bot.said(ben, plaza) == []


async def test_members_read_no_log(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/audit")
    await bot.heard(ana, chat, "That takes the role admin here.")


async def test_nothing_was_ordered_yet(bot: Stage, owner: User) -> None:
    chat = bot.telegram.private(owner)
    bot.telegram.say(owner, chat, "/audit")
    await bot.heard(owner, chat, "Nothing was ordered yet.")


# /pause and /resume


@pytest.fixture
async def paused(bot: Stage, owner: User) -> Stage:
    """The bot while money commands rest."""
    office = bot.telegram.private(owner)
    bot.telegram.say(owner, office, "/pause we look at something")
    await bot.heard(owner, office, "Money commands rest.")
    return bot


async def test_members_are_told_and_nothing_moves(paused: Stage, ana: User, ben: User, plaza: Chat) -> None:
    bot = paused
    await bot.fund(ana, TEN)
    bot.telegram.say(ana, plaza, "/send 5 @ben")
    told = await bot.heard(ana, plaza, "The people who run this have paused it: “we look at something”")
    assert "Nothing moved." in told.text
    assert bot.balance(ana) == TEN


async def test_what_moves_nothing_goes_on_and_help_says_why(paused: Stage, ana: User) -> None:
    bot = paused
    chat = bot.telegram.private(ana)
    for words, told in (("/balance", "Nothing here yet."), ("/deposit", ""), ("/help", "What I can do")):
        bot.clock.pass_seconds(5)
        bot.telegram.say(ana, chat, words)
        await bot.heard(ana, chat, told)
    help_text = (await bot.heard(ana, chat, "What I can do")).text
    assert "⏸ Money commands rest: “we look at something”" in help_text


async def test_resuming_lets_them_go_on(
    paused: Stage, owner: User, ana: User, ben: User, plaza: Chat
) -> None:
    bot = paused
    await bot.fund(ana, TEN)
    bot.telegram.say(ben, plaza, "/start")
    await bot.heard(ben, plaza, "Hello.")
    office = bot.telegram.private(owner)
    bot.clock.pass_seconds(5)
    bot.telegram.say(owner, office, "/resume all is well")
    await bot.heard(owner, office, "Money commands go on.")
    bot.clock.pass_seconds(5)
    bot.telegram.say(ana, plaza, "/send 5 @ben")
    await bot.heard(ana, plaza, "Ana sent 5 JUNO")


async def test_a_question_from_before_is_not_answered_by_a_yes_but_may_be_left(
    bot: Stage, owner: User, ana: User
) -> None:
    await bot.fund(ana, TEN)
    chat, office = bot.telegram.private(ana), bot.telegram.private(owner)
    bot.telegram.say(ana, chat, f"/withdraw 1 {PAYEE}")
    one = await bot.heard(ana, chat, "Withdraw 1 JUNO?")
    bot.clock.pass_seconds(5)
    bot.telegram.say(ana, chat, f"/withdraw 2 {PAYEE}")
    two = await bot.heard(ana, chat, "Withdraw 2 JUNO?")
    bot.telegram.say(owner, office, "/pause we look")
    await bot.heard(owner, office, "Money commands rest.")
    assert (await bot.answered(bot.telegram.tap(ana, one, label="Withdraw"))).startswith("The people who run")
    await bot.answered(bot.telegram.tap(ana, two, label="Don't"))
    await bot.until(lambda: two.text.startswith("All right, nothing was withdrawn."))
    assert bot.service.withdrawals.of_account(AccountId(ana.id)) == []


async def test_a_withdrawal_is_called_back_meanwhile(bot: Stage, owner: User, ana: User) -> None:
    """Cancelling gives back what is theirs, and spends nothing: a pause does not keep anybody from it."""
    await bot.fund(ana, TEN)
    chat, office = bot.telegram.private(ana), bot.telegram.private(owner)
    bot.telegram.say(ana, chat, f"/withdraw 1 {PAYEE}")
    question = await bot.heard(ana, chat, "Withdraw 1 JUNO?")
    bot.telegram.tap(ana, question, label="Withdraw")
    tracker = await bot.heard(ana, chat, "Withdrawal ")
    bot.telegram.say(owner, office, "/pause we look")
    await bot.heard(owner, office, "Money commands rest.")
    await bot.answered(bot.telegram.tap(ana, tracker, label="Cancel it"))
    assert bot.balance(ana) == TEN


async def test_an_admin_pauses_and_a_member_does_not(bot: Stage, ana: User, ben: User) -> None:
    await bot.appoint(ana, Role.ADMIN)
    chat, other = bot.telegram.private(ana), bot.telegram.private(ben)
    bot.telegram.say(ben, other, "/pause fun")
    await bot.heard(ben, other, "That takes the role admin here.")
    bot.telegram.say(ana, chat, "/pause")
    await bot.heard(ana, chat, "Please say why")
    assert standing_pause(bot.service.reader) is None
    bot.clock.pass_seconds(5)
    bot.telegram.say(ana, chat, "/pause we look")
    await bot.heard(ana, chat, "Money commands rest.")
    assert bot.rows("SELECT actor, role, action, reason FROM admin_audit WHERE action LIKE 'commands%'") == [
        (ana.id, "admin", "commands.paused", "we look")
    ]
