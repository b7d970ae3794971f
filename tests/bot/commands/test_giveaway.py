"""A giveaway as a group plays it: one card, a button for everybody, and the rest back."""

import re
from hashlib import sha256

import pytest

from ledger.accounts import AccountId, escrow_account
from ledger.audit import audit
from ledger.packets import packets_of
from ledger.roles import Role
from ledger.units import Decision, Entry, Posting, Unit, View
from sandbox.telegram import Chat, Message, User
from tests.bot.conftest import OWNER
from tests.bot.stage import JUNO, Stage

TEN = 10_000_000
FOREIGN = 99


@pytest.fixture
async def rich(bot: Stage, ana: User, plaza: Chat) -> User:
    """Ana, with ten coins, in the plaza."""
    del plaza
    await bot.fund(ana, TEN)
    return ana


@pytest.fixture
async def admin(bot: Stage, ben: User) -> User:
    """Ben, an admin."""
    await bot.appoint(ben, Role.ADMIN)
    return ben


async def begun(bot: Stage, who: User, plaza: Chat, words: str) -> Message:
    """Return the card of the giveaway that ``who`` asked for."""
    bot.telegram.say(who, plaza, f"/giveaway {words}")
    return await bot.heard(who, plaza, "🎁 Giveaway", len(bot.said(who, plaza, "🎁 Giveaway")) + 1)


async def claimed(bot: Stage, who: User, card: Message) -> str:
    """Return the words over the chat after ``who`` pressed the card's button."""
    return await bot.answered(bot.telegram.tap(who, card))


def escrow(bot: Stage, giveaway: int = 1) -> int:
    return bot.service.reader.balance(escrow_account(giveaway), JUNO.denom)


def state(bot: Stage, giveaway: int = 1) -> str:
    return bot.service.giveaways.get(giveaway).state.value


def newcomers(bot: Stage, plaza: Chat, count: int) -> list[User]:
    people = [bot.telegram.person(f"P{number}", user_id=1000 + number) for number in range(count)]
    for person in people:
        bot.telegram.join(person, plaza)
    return people


async def fund_treasury(bot: Stage, amount: int) -> None:
    def decide(_view: View) -> Decision[None]:
        posting = Posting(None, AccountId(-1), amount, JUNO.denom)  # type: ignore[arg-type]
        return Decision(None, (Entry("top-up", b"", "deposit", (posting,)),))

    await bot.service.journal.submit(Unit(decide))


# First come


async def test_the_card_says_everything(bot: Stage, rich: User, plaza: Chat) -> None:
    card = await begun(bot, rich, plaza, "7 3")
    assert card.text.startswith(
        "🎁 Giveaway 1 by Ana\n\n7 JUNO for the first 3 who claim: 2.333333 JUNO each."
    )
    assert "0.000001 JUNO cannot be shared evenly and goes back at the end." in card.text
    assert "0 of 3 taken · until " in card.text
    assert (bot.balance(rich), escrow(bot)) == (3_000_000, 7_000_000)
    assert bot.rows("SELECT role, name FROM users WHERE id = -1001") == [("escrow", "giveaway 1")]


async def test_one_slot_is_for_whoever_is_first(bot: Stage, rich: User, ben: User, plaza: Chat) -> None:
    card = await begun(bot, rich, plaza, "1 1 random")
    assert "1 JUNO for whoever claims first." in card.text
    assert await claimed(bot, ben, card) == "1 JUNO is yours."


async def test_a_claim_is_paid_at_once(bot: Stage, rich: User, ben: User, plaza: Chat) -> None:
    card = await begun(bot, rich, plaza, "1 4")
    assert await claimed(bot, ben, card) == "0.25 JUNO is yours."
    assert (bot.balance(ben), escrow(bot)) == (250_000, 750_000)
    await bot.settled()
    assert "1 of 4 taken" in card.text
    assert len(bot.said(None, plaza)) == 1


async def test_the_last_claim_ends_it(bot: Stage, rich: User, ben: User, plaza: Chat) -> None:
    (cat,) = newcomers(bot, plaza, 1)
    card = await begun(bot, rich, plaza, "0.000005 2")
    await claimed(bot, ben, card)
    await claimed(bot, cat, card)
    assert (bot.balance(ben), bot.balance(cat), bot.balance(rich)) == (2, 2, TEN - 4)
    assert (state(bot), escrow(bot)) == ("ended", 0)
    await bot.until(lambda: "It is over: 2 of 2 taken." in card.text)
    assert "Ben 0.000002 JUNO, P0 0.000002 JUNO" in card.text
    assert "0.000001 JUNO went back." in card.text
    assert not card.buttons


async def test_a_second_press_is_told_the_same_and_pays_nothing(
    bot: Stage, rich: User, ben: User, plaza: Chat
) -> None:
    card = await begun(bot, rich, plaza, "1 4")
    taps = [bot.telegram.tap(ben, card) for _ in range(3)]
    assert {await bot.answered(tap) for tap in taps} == {"0.25 JUNO is yours."}
    assert bot.balance(ben) == 250_000
    assert bot.rows("SELECT count(*) FROM giveaway_claims") == [(1,)]


async def test_seven_tenths_over_a_hundred_and_a_cancel_at_97(bot: Stage, rich: User, plaza: Chat) -> None:
    people = newcomers(bot, plaza, 97)
    card = await begun(bot, rich, plaza, "0.7 100")
    for tap in [bot.telegram.tap(person, card) for person in people]:
        assert await bot.answered(tap) == "0.007 JUNO is yours."
    bot.telegram.say(rich, plaza, "/cancelgiveaway")
    await bot.heard(rich, plaza, "Giveaway 1 is cancelled: 0.021 JUNO went back. 97 of 100 had been taken.")
    assert (bot.balance(rich), escrow(bot)) == (TEN - 679_000, 0)


async def test_a_hundred_people_tap_ten_slots_at_once(bot: Stage, rich: User, plaza: Chat) -> None:
    people = newcomers(bot, plaza, 100)
    card = await begun(bot, rich, plaza, "1 10")
    taps = [bot.telegram.tap(person, card) for person in people]
    told = [await bot.answered(tap) for tap in taps]
    assert told.count("0.1 JUNO is yours.") == 10
    assert told.count("Giveaway 1 is over.") == 90
    assert sorted(bot.balance(person) for person in people) == [0] * 90 + [100_000] * 10
    assert escrow(bot) == 0
    await bot.settled()
    assert "and 0 more" not in card.text
    # The stage's coins came from no block.
    found = [problem for problem in audit(bot.path).problems if "deposit of no transaction" not in problem]
    assert found == []


# Equal shares, random packets


async def test_equal_shares_are_paid_when_the_time_has_come(
    bot: Stage, rich: User, ben: User, plaza: Chat
) -> None:
    (cat,) = newcomers(bot, plaza, 1)
    card = await begun(bot, rich, plaza, "0.000005 5 equal 1h")
    assert await claimed(bot, ben, card) == "You are in. It is shared out at the end."
    assert await claimed(bot, ben, card) == "You have your part of this one already."
    await claimed(bot, cat, card)
    assert (bot.balance(ben), escrow(bot)) == (0, 5)
    bot.clock.pass_seconds(3601)
    await bot.until(lambda: state(bot) == "ended")
    assert (bot.balance(ben), bot.balance(cat), bot.balance(rich)) == (2, 2, TEN - 4)
    await bot.until(lambda: "It is over: 2 of 5 taken.\nBen 0.000002 JUNO, P0 0.000002 JUNO" in card.text)


async def test_equal_shares_of_a_cancelled_one_go_back(
    bot: Stage, rich: User, ben: User, plaza: Chat
) -> None:
    card = await begun(bot, rich, plaza, "1 5 equal")
    await claimed(bot, ben, card)
    bot.telegram.say(rich, plaza, "/cancelgiveaway")
    await bot.until(lambda: state(bot) == "cancelled")
    assert (bot.balance(ben), bot.balance(rich)) == (0, TEN)
    await bot.until(lambda: "It was cancelled: 1 of 5 had been taken.\n1 JUNO went back." in card.text)


async def test_random_packets_can_be_checked_by_anyone(
    bot: Stage, rich: User, ben: User, plaza: Chat
) -> None:
    (cat,) = newcomers(bot, plaza, 1)
    card = await begun(bot, rich, plaza, "1 2 random")
    promised = re.findall(r"[0-9a-f]{64}", card.text)
    (secret,) = bot.rows("SELECT seed FROM giveaways")[0]
    assert len(promised) == 1
    await claimed(bot, ben, card)
    await claimed(bot, cat, card)
    await bot.until(lambda: "It is over" in card.text)
    seed, commitment = re.findall(r"[0-9a-f]{64}", card.text)
    assert seed == secret
    assert sha256(seed.encode()).hexdigest() == commitment == promised[0]
    assert (bot.balance(ben), bot.balance(cat)) == packets_of(seed, 1_000_000, 2)


async def test_the_seed_stays_in_its_row_until_the_end(
    bot: Stage, rich: User, ben: User, plaza: Chat, caplog: pytest.LogCaptureFixture
) -> None:
    card = await begun(bot, rich, plaza, "1 3 random")
    await claimed(bot, ben, card)
    await bot.settled()
    (secret,) = bot.rows("SELECT seed FROM giveaways")[0]
    for table in ("outbox", "inbox", "buttons", "admin_audit", "transactions", "entries"):
        assert all(secret not in str(row) for row in bot.rows(f"SELECT * FROM {table}"))
    assert secret not in caplog.text
    assert all(secret not in shown.text for shown in bot.said(None, plaza))


# How many


async def test_without_a_number_it_asks(bot: Stage, rich: User, plaza: Chat) -> None:
    bot.telegram.say(rich, plaza, "/giveaway 5 30m")
    question = await bot.heard(rich, plaza, "Give away 5 JUNO")
    assert [button["text"] for row in question.buttons for button in row] == ["10", "25", "50", "100"]
    bot.telegram.tap(rich, question, label="25")
    card = await bot.heard(rich, plaza, "🎁 Giveaway 1")
    assert "for the first 25 who claim: 0.2 JUNO each" in card.text
    (begins, ends) = bot.rows("SELECT created_at, expires_at FROM giveaways")[0]
    assert ends - begins == 30 * 60_000


async def test_the_question_says_how_many_people_it_can_be(bot: Stage, rich: User, plaza: Chat) -> None:
    bot.telegram.say(rich, plaza, "/giveaway 10")
    assert "any number up to 10000:" in (await bot.heard(rich, plaza, "Give away")).text


async def test_a_number_of_people_that_is_too_large_is_told_the_largest(
    bot: Stage, rich: User, plaza: Chat
) -> None:
    bot.telegram.say(rich, plaza, "/giveaway 10 10001")
    assert "from 1 to 10000," in (await bot.heard(rich, plaza, "10001 is no number of people")).text


async def test_nobody_else_answers_the_question(bot: Stage, rich: User, ben: User, plaza: Chat) -> None:
    bot.telegram.say(rich, plaza, "/giveaway 5")
    question = await bot.heard(rich, plaza, "Give away 5 JUNO")
    assert (
        await bot.answered(bot.telegram.tap(ben, question, label="25")) == "That button is somebody else's."
    )
    assert bot.rows("SELECT 1 FROM giveaways") == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("", "That needs a little more"),
        ("treasury", "How much in all?"),
        ("x 10", "I can't read x as an amount."),
        ("all 10", "Here I need a number, not “all”."),
        ("1 0", "0 is no number of people."),
        ("1 10001", "10001 is no number of people."),
        ("1 -5", "-5 is no number of people."),
        ("1 2.5", "2.5 is no number of people."),
        ("1 10 soon", "I don't know what “soon” means here."),
        ("1 10 20", "I don't know what “20” means here."),
        ("1 10 5s", "A giveaway lasts from 1m to 30d"),
        ("1 10 31d", "A giveaway lasts from 1m to 30d"),
        ("1 10 0m", "A giveaway lasts from 1m to 30d"),
        ("0.000005 6", "0.000005 JUNO cannot be cut into 6 parts"),
        ("0.000005", "0.000005 JUNO cannot be cut into 10 parts"),
        ("treasury 1", "From the treasury I need the number of people and why, too"),
        ("treasury 1 10", "From the treasury I need the number of people and why, too"),
        ("treasury 1 10 for the helpers", "That takes the role admin here."),
    ],
)
async def test_what_cannot_be_begun_is_said(
    bot: Stage, rich: User, plaza: Chat, words: str, said: str
) -> None:
    bot.telegram.say(rich, plaza, f"/giveaway {words}".rstrip())
    await bot.heard(rich, plaza, said)
    assert bot.rows("SELECT 1 FROM giveaways") == []
    assert bot.balance(rich) == TEN


async def test_more_than_one_has_is_said_in_private(bot: Stage, rich: User, plaza: Chat) -> None:
    private = bot.telegram.private(rich)
    bot.telegram.say(rich, private, "/start")
    bot.telegram.say(rich, plaza, "/giveaway 11 10")
    await bot.heard(rich, private, "That takes 11 JUNO, and you have 10 JUNO.")
    assert bot.said(rich, plaza) == []


async def test_it_works_in_groups_alone(bot: Stage, rich: User) -> None:
    private = bot.telegram.private(rich)
    bot.telegram.say(rich, private, "/giveaway 1 10")
    await bot.heard(rich, private, "/giveaway works in groups.")


# Whose press counts


async def test_the_creator_gets_none_of_it(bot: Stage, rich: User, plaza: Chat) -> None:
    card = await begun(bot, rich, plaza, "1 4")
    before = card.text
    assert await claimed(bot, rich, card) == "This one is yours to give, and for the others to take."
    assert (card.text, escrow(bot)) == (before, 1_000_000)
    assert card.buttons


async def test_a_forged_press_from_elsewhere_gets_nothing(
    bot: Stage, rich: User, ben: User, plaza: Chat
) -> None:
    await begun(bot, rich, plaza, "1 4")
    elsewhere = bot.telegram.group("Elsewhere", ben, [bot.account])
    bot.telegram.say(ben, elsewhere, "/giveaway 1")
    other = await bot.heard(ben, elsewhere, "Give away 1 JUNO")
    other.buttons[0][0]["callback_data"] = "giveaway:1.0"
    assert await bot.answered(bot.telegram.tap(ben, other)) == "That giveaway is in another chat."
    assert bot.balance(ben) == 0
    assert other.text.startswith("Give away 1 JUNO")


# Back


async def test_it_expires_by_itself(bot: Stage, rich: User, ben: User, plaza: Chat) -> None:
    private = bot.telegram.private(rich)
    bot.telegram.say(rich, private, "/start")
    card = await begun(bot, rich, plaza, "1 4 10m")
    await claimed(bot, ben, card)
    bot.clock.pass_seconds(601)
    await bot.until(lambda: state(bot) == "ended")
    assert (bot.balance(rich), escrow(bot)) == (TEN - 250_000, 0)
    await bot.heard(rich, private, "Your giveaway 1 is over: 1 of 4 were taken, and 0.75 JUNO came back.")
    await bot.until(lambda: "It is over: 1 of 4 taken." in card.text)


async def test_a_member_cannot_cancel_anothers(bot: Stage, rich: User, ben: User, plaza: Chat) -> None:
    await begun(bot, rich, plaza, "1 4")
    bot.telegram.say(ben, plaza, "/cancelgiveaway 1 because")
    await bot.heard(ben, plaza, "Giveaway 1 can be cancelled by whoever gives it, and by admins.")
    assert state(bot) == "active"


async def test_an_admin_cancels_anothers_with_a_reason(
    bot: Stage, rich: User, admin: User, plaza: Chat
) -> None:
    await begun(bot, rich, plaza, "1 4")
    bot.telegram.say(admin, plaza, "/cancelgiveaway 1")
    await bot.heard(admin, plaza, "Please say why")
    assert state(bot) == "active"
    bot.telegram.say(admin, plaza, "/cancelgiveaway 1 wrong group")
    await bot.heard(admin, plaza, "Giveaway 1 is cancelled")
    assert bot.balance(rich) == TEN
    logged = bot.rows(
        "SELECT actor, role, action, target, chat, reason FROM admin_audit WHERE action LIKE 'giveaway.%'"
    )
    assert logged == [(admin.id, "admin", "giveaway.cancelled", rich.id, plaza.id, "wrong group")]


async def test_two_cancels_give_back_once(bot: Stage, rich: User, admin: User, plaza: Chat) -> None:
    await begun(bot, rich, plaza, "1 4")
    bot.telegram.say(rich, plaza, "/cancelgiveaway 1")
    bot.telegram.say(admin, plaza, "/cancelgiveaway 1 mine too")
    await bot.heard(rich, plaza, "Giveaway 1 is cancelled")
    await bot.heard(rich, plaza, "Giveaway 1 is over.")
    assert bot.balance(rich) == TEN


async def test_what_is_given_away_in_one_group_is_not_told_in_another(
    bot: Stage, rich: User, ben: User, plaza: Chat
) -> None:
    other = bot.telegram.group("Other", rich, [ben, bot.account])
    private = bot.telegram.private(rich)
    bot.telegram.say(rich, private, "/cancelgiveaway")
    await bot.heard(rich, private, "You have no giveaway under way.")
    await begun(bot, rich, plaza, "1 4")
    await begun(bot, rich, plaza, "2 4")
    bot.telegram.say(rich, other, "/cancelgiveaway")
    question = await bot.heard(rich, private, "Which one?")
    bot.telegram.tap(rich, question, label="Cancel 1")
    await bot.heard(rich, private, "Giveaway 1 is cancelled")
    bot.telegram.say(rich, other, "/cancelgiveaway")
    await bot.heard(rich, private, "Giveaway 2 is cancelled")
    await bot.settled()
    assert bot.said(ben, other) == []


async def test_without_a_number_the_only_one_is_meant(bot: Stage, rich: User, plaza: Chat) -> None:
    bot.telegram.say(rich, plaza, "/cancelgiveaway")
    await bot.heard(rich, plaza, "You have no giveaway under way.")
    await begun(bot, rich, plaza, "1 4")
    await begun(bot, rich, plaza, "2 4")
    bot.telegram.say(rich, plaza, "/cancelgiveaway")
    question = await bot.heard(rich, plaza, "Which one?\n\n2: 2 JUNO\n1: 1 JUNO")
    bot.telegram.tap(rich, question, label="Cancel 1")
    await bot.heard(rich, plaza, "Giveaway 1 is cancelled")
    assert (state(bot, 1), state(bot, 2)) == ("cancelled", "active")


@pytest.mark.parametrize("words", ["x", "-1", "1.5", "\u0661", "9" * 16])
async def test_what_is_no_number_of_a_giveaway_is_said(
    bot: Stage, rich: User, plaza: Chat, words: str
) -> None:
    bot.telegram.say(rich, plaza, f"/cancelgiveaway {words}")
    await bot.heard(rich, plaza, "Which giveaway?")


# The treasury's


async def test_an_admin_gives_away_the_treasurys(bot: Stage, admin: User, ana: User, plaza: Chat) -> None:
    await fund_treasury(bot, TEN)
    bot.telegram.say(admin, plaza, "/giveaway treasury 1 4 for the helpers")
    card = await bot.heard(admin, plaza, "🎁 Giveaway 1 by Ben, from the treasury")
    assert (escrow(bot), bot.service.reader.balance(AccountId(-1), JUNO.denom)) == (1_000_000, 9_000_000)
    assert await claimed(bot, ana, card) == "0.25 JUNO is yours."
    bot.telegram.say(admin, plaza, "/cancelgiveaway 1 enough")
    await bot.heard(admin, plaza, "Giveaway 1 is cancelled: 0.75 JUNO went back.")
    assert bot.service.reader.balance(AccountId(-1), JUNO.denom) == 9_750_000
    logged = bot.rows(
        "SELECT action, reason, target FROM admin_audit WHERE action LIKE 'giveaway.%' ORDER BY id"
    )
    assert logged == [("giveaway.created", "for the helpers", -1), ("giveaway.cancelled", "enough", -1)]


async def test_an_empty_treasury_gives_nothing(bot: Stage, owner: User, ana: User) -> None:
    office = bot.telegram.group("Office", owner, [ana, bot.account])
    private = bot.telegram.private(owner)
    bot.telegram.say(owner, private, "/start")
    bot.telegram.say(owner, office, "/giveaway treasury 1 4 for the helpers")
    await bot.heard(owner, private, "That takes 1 JUNO, and BOT_TREASURY has 0 JUNO.")
    assert owner.id == OWNER
    assert bot.rows("SELECT 1 FROM admin_audit") == []
