"""/treasury, /freeze, /reconcile, /limits and /owner over Telegram: who may, what is asked first, what is told."""

import pytest

from bot.speech import Sentences
from ledger.accounts import BOT_TREASURY, SYSTEM_RESERVE, AccountId
from ledger.freezes import Freeze, FreezeReason, standing
from ledger.limits import Limits
from ledger.money import Amount, Asset, Denom
from ledger.roles import Role
from ledger.terms import Term, Terms, value_of
from ledger.units import Decision, Entry, Posting, Row, Unit, View
from sandbox.telegram import Chat, Message, User
from tests.bot.commands.conftest import FEE, MINIMUM, TREASURY
from tests.bot.stage import JUNO, Stage

PAYEE = "juno1qyqszqgpqyqszqgpqyqszqgpqyqszqgpypz92q"
TEN = 10_000_000
ATOM = Asset(Denom("uatom"), "ATOM", 6)
EVERYONE = Freeze(FreezeReason.ORDERED, None)


@pytest.fixture
async def office(bot: Stage, owner: User, ana: User) -> Chat:
    """The owner's private chat. BOT_TREASURY has ten, and Ana is known and owns ten."""
    private = bot.telegram.private(ana)
    bot.telegram.say(ana, private, "/start")
    await bot.heard(ana, private, "Welcome")
    await bot.fund(ana, TEN)
    await post(bot, None, BOT_TREASURY, TEN, "opening")
    bot.clock.pass_seconds(5)
    return bot.telegram.private(owner)


async def post(
    bot: Stage, source: AccountId | None, to: AccountId | None, amount: int, kind: str, *, asset: Asset = JUNO
) -> None:
    """Post what a block would."""

    def decide(view: View) -> Decision[None]:
        posting = Posting(source, to, Amount(amount), asset.denom)
        return Decision(None, (Entry(f"test:{view.next_transaction_id}", b"", kind, (posting,)),))

    await bot.service.journal.submit(Unit(decide))


async def write(bot: Stage, sql: str, *parameters: object) -> None:
    await bot.service.journal.submit(Unit(lambda _: Decision(None, rows=(Row(sql, parameters),))))


async def told(bot: Stage, who: User, words: str, saying: str) -> Message:
    """Let ``who`` write to the bot alone, and wait for the answer."""
    chat = bot.telegram.private(who)
    bot.clock.pass_seconds(5)
    bot.telegram.say(who, chat, words)
    return await bot.heard(who, chat, saying)


async def with_atom(bot: Stage) -> None:
    """Start the program anew with two coins; of each a person may take out ten in a day."""
    await bot.stop()
    bot.assets = (JUNO, ATOM)
    bot.speech = Sentences(bot.assets, "")
    limits = Limits(user_per_day=Amount(TEN))
    bot.terms = tuple(Terms(each.denom, Amount(MINIMUM), Amount(FEE), limits) for each in bot.assets)
    await bot.start()


def treasury(bot: Stage) -> int:
    return bot.service.reader.balance(BOT_TREASURY, JUNO.denom)


def orders(bot: Stage) -> list[str]:
    return [row[0] for row in bot.rows("SELECT action FROM admin_audit ORDER BY id")]


# /treasury


async def test_an_admin_sees_what_there_is(bot: Stage, office: Chat, ben: User) -> None:
    del office
    await bot.appoint(ben, Role.ADMIN)
    await told(bot, ben, "/freeze we look at something", "Withdrawals of everybody are frozen.")
    shown = await told(bot, ben, "/treasury", "The treasury")
    for line in (
        "BOT_TREASURY 10 JUNO",
        "Members 10 JUNO",
        f"Address {TREASURY}",
        "Frozen for everybody: ordered.",
    ):
        assert line in shown.text
    assert "Withdrawals that wait for approval: 0." in shown.text


async def test_an_owner_sends_after_a_question(bot: Stage, office: Chat, owner: User, ana: User) -> None:
    question = await told(
        bot, owner, "/treasury send 3 @ana for stickers", "Send 3 JUNO from BOT_TREASURY to Ana?"
    )
    assert "BOT_TREASURY has 10 JUNO; 7 JUNO stays." in question.text
    assert treasury(bot) == TEN
    taps = [bot.telegram.tap(owner, question, label="Yes, send") for _ in range(2)]
    assert sorted([await bot.answered(tap) for tap in taps]) == ["Done.", "That is settled already."]
    assert (treasury(bot), bot.balance(ana)) == (7_000_000, 13_000_000)
    bot.clock.pass_seconds(5)
    news = await bot.heard(ana, bot.telegram.private(ana), "The treasury sent you 3 JUNO.")
    assert "“for stickers”" in news.text
    bot.clock.pass_seconds(5)
    await bot.heard(owner, office, "⚠️ An owner sent coins from BOT_TREASURY.")
    assert orders(bot) == ["treasury.sent"]
    history = await told(bot, ana, "/history", "Your JUNO")
    assert "+3 JUNO from the treasury" in history.text


async def test_what_was_asked_about_can_be_left(bot: Stage, office: Chat, owner: User) -> None:
    del office
    question = await told(bot, owner, "/treasury send 3 @ana for stickers", "Send 3 JUNO")
    bot.telegram.tap(owner, question, label="Don't")
    await bot.until(lambda: question.text.startswith("All right, nothing moved."))
    assert treasury(bot) == TEN


@pytest.mark.parametrize(
    ("words", "saying"),
    [
        ("send 3 @ana", "Please say why"),
        ("send 11 @ana for stickers", "That takes 11 JUNO, and BOT_TREASURY has 10 JUNO."),
        ("send all @ana for stickers", "Here I need a number"),
        ("send 3 @nobody_here for stickers", "I have never met @nobody_here"),
        ("send", "That needs a little more"),
        ("spend 3 @ana", "That needs a little more"),
        ("topup", "SYSTEM_RESERVE owes nothing."),
    ],
)
async def test_what_is_no_order_moves_nothing(
    bot: Stage, office: Chat, owner: User, words: str, saying: str
) -> None:
    del office
    await told(bot, owner, f"/treasury {words}", saying)
    assert treasury(bot) == TEN


async def test_an_admin_sends_nothing(bot: Stage, office: Chat, ben: User) -> None:
    del office
    await bot.appoint(ben, Role.ADMIN)
    await told(bot, ben, "/treasury send 3 @ana for stickers", "That takes the role owner here.")
    assert treasury(bot) == TEN


async def test_an_owner_who_is_none_any_more_sends_nothing(bot: Stage, office: Chat, owner: User) -> None:
    """The question was made for an owner; the press and the commit look again."""
    del office
    question = await told(bot, owner, "/treasury send 3 @ana for stickers", "Send 3 JUNO")
    await bot.stop()
    bot.owners = frozenset()
    await bot.start()
    tap = bot.telegram.tap(owner, question, label="Yes, send")
    assert (await bot.answered(tap)).startswith("That takes the role")
    assert treasury(bot) == TEN


async def test_a_refill_goes_to_what_is_owed(bot: Stage, office: Chat, owner: User) -> None:
    del office
    await post(bot, SYSTEM_RESERVE, None, 4_000_000, "adjustment")
    shown = await told(bot, owner, "/treasury topup", "SYSTEM_RESERVE owes 4 JUNO.")
    assert f"send coins to {TREASURY} with the memo topup" in shown.text
    question = await told(bot, owner, "/treasury topup 1 a first part", "Refill SYSTEM_RESERVE with 1 JUNO")
    assert await bot.answered(bot.telegram.tap(owner, question, label="Yes, refill")) == "Done."
    question = await told(bot, owner, "/treasury topup all the rest", "Refill SYSTEM_RESERVE with 3 JUNO")
    assert await bot.answered(bot.telegram.tap(owner, question, label="Yes, refill")) == "Done."
    assert (treasury(bot), bot.service.reserve.owed(JUNO.denom)) == (6_000_000, 0)
    assert orders(bot) == ["reserve.refilled", "reserve.refilled"]


async def test_a_refill_is_of_the_coin_that_is_named(bot: Stage, owner: User) -> None:
    await with_atom(bot)
    await post(bot, None, BOT_TREASURY, TEN, "opening", asset=ATOM)
    await post(bot, SYSTEM_RESERVE, None, 4_000_000, "adjustment", asset=ATOM)
    await told(bot, owner, "/treasury topup 1 ATOM a first part", "Refill SYSTEM_RESERVE with 1 ATOM")


# /freeze and /unfreeze


async def test_one_is_frozen_and_the_others_go_on(
    bot: Stage, office: Chat, owner: User, ana: User, ben: User
) -> None:
    del office
    await bot.fund(ben, TEN)
    await told(bot, owner, "/freeze @ana we ask her first", "Withdrawals of Ana are frozen.")
    for who, saying in ((ana, "Withdrawals are paused"), (ben, "Withdrawal ")):
        question = await told(bot, who, f"/withdraw 1 {PAYEE}", "Withdraw 1 JUNO?")
        bot.telegram.tap(who, question, label="Withdraw")
        await bot.heard(who, bot.telegram.private(who), saying)
    listed = await told(bot, owner, "/freeze", "Withdrawals\n")
    assert "Frozen for Ana: ordered." in listed.text
    await told(
        bot, owner, f"/unfreeze {ana.id} she explained it", "That freeze of withdrawals is lifted (Ana)."
    )
    assert standing(bot.service.reader) == []
    assert orders(bot) == ["withdrawals.frozen", "withdrawals.unfrozen"]


async def test_everyone_is_frozen_by_an_admin_and_thawed(
    bot: Stage, office: Chat, ben: User, ana: User
) -> None:
    del office
    await bot.appoint(ben, Role.ADMIN)
    await told(bot, ben, "/freeze the nodes disagree", "Withdrawals of everybody are frozen.")
    assert standing(bot.service.reader) == [EVERYONE]
    await told(bot, ben, "/freeze again and again", "That is frozen already.")
    question = await told(bot, ana, f"/withdraw 1 {PAYEE}", "Withdraw 1 JUNO?")
    bot.telegram.tap(ana, question, label="Withdraw")
    await bot.heard(ana, bot.telegram.private(ana), "Withdrawals are paused")
    await told(bot, ben, "/unfreeze all is well", "That freeze of withdrawals is lifted (everybody).")
    await told(bot, ben, "/unfreeze all is well", "That is not frozen.")


@pytest.mark.parametrize("name", ["All", "Shortfall"])
async def test_whoever_is_called_by_a_word_of_the_command_is_meant_where_they_are_marked(
    bot: Stage, office: Chat, owner: User, name: str
) -> None:
    """Whoever has no @name is marked by the name that they chose."""
    eve = bot.telegram.person(name, user_id=66)
    await bot.fund(eve, TEN)
    theirs = Freeze(FreezeReason.ORDERED, AccountId(eve.id))
    bot.telegram.say(owner, office, f"/freeze {name} we ask them", mentions={name: eve})
    await bot.heard(owner, office, "Withdrawals of ")
    assert standing(bot.service.reader) == [theirs]
    bot.clock.pass_seconds(5)
    bot.telegram.say(owner, office, f"/unfreeze {name} they explained it", mentions={name: eve})
    await bot.settled()
    assert standing(bot.service.reader) == []


async def test_only_an_owner_lifts_what_the_chain_caused(
    bot: Stage, office: Chat, owner: User, ben: User
) -> None:
    del office
    await write(
        bot,
        "INSERT INTO freezes (reason, account, actor, note, frozen_at) VALUES ('stranger', NULL, 0, 'x', 1)",
    )
    await bot.appoint(ben, Role.ADMIN)
    await told(bot, ben, "/unfreeze stranger it was me", "That takes the role owner here.")
    assert standing(bot.service.reader) == [Freeze(FreezeReason.STRANGER, None)]
    await told(bot, owner, "/unfreeze stranger I signed it by hand", "That freeze of withdrawals is lifted")
    assert standing(bot.service.reader) == []


# /reconcile


async def test_what_no_node_proved_is_unknown_and_never_zero(bot: Stage, office: Chat, owner: User) -> None:
    del office
    shown = await told(bot, owner, "/reconcile", "Books and chain")
    assert "No block was read yet: what the chain holds is unknown." in shown.text
    assert (
        "JUNO: the books say 20 JUNO. What the chain holds is unknown: no node proved it yet." in shown.text
    )


async def test_books_and_chain_are_compared_at_a_height(bot: Stage, office: Chat, owner: User) -> None:
    del office
    now = bot.clock.now() + 2_000
    await write(
        bot,
        "INSERT INTO cursor (chain_id, opened_at_height, height, header, block_time, proved_height)"
        " VALUES ('testing-1', 5, 9, '{}', ?, 9)",
        now,
    )
    await write(bot, "INSERT INTO settled VALUES ('testing-1', 'ujuno', 9, ?)", 2 * TEN)
    shown = await told(bot, owner, "/reconcile", "Books and chain")
    assert "At height 9, " in shown.text
    assert "JUNO: the chain holds 20 JUNO, the books say 20 JUNO. They agree." in shown.text
    await write(bot, "UPDATE cursor SET height = 10")
    bot.clock.pass_seconds(3_600 * 5)
    await told(bot, owner, "/reconcile", "Books and chain")
    later = await bot.heard(owner, bot.telegram.private(owner), "Books and chain", times=2)
    assert "No block was read for 5 hours, so what the chain holds now is unknown." in later.text
    assert "What the chain holds at this height is unknown: no node proved it." in later.text


# /limits


async def test_an_owner_changes_what_may_leave_at_once(
    bot: Stage, office: Chat, owner: User, ana: User
) -> None:
    del office
    shown = await told(bot, owner, "/limits", "Withdrawals")
    assert "minimum: 0.1 JUNO\nfee: 0.02 JUNO\nperson: none" in shown.text
    question = await told(bot, ana, f"/withdraw 5 {PAYEE}", "Withdraw 5 JUNO?")
    await told(bot, owner, "/limits person 2 until we know each other", "person is 2 JUNO from now on.")
    bot.telegram.tap(ana, question, label="Withdraw")
    await bot.heard(ana, bot.telegram.private(ana), "2 JUNO is the most that one person can withdraw")
    await told(bot, owner, "/limits fee 0.5 gas is dear", "fee is 0.5 JUNO from now on.")
    asked = await told(bot, ana, f"/withdraw 1 {PAYEE}", "Withdraw 1 JUNO?")
    assert "Fee 0.5 JUNO" in asked.text
    await told(bot, owner, "/limits person none we know them", "person is none (JUNO) from now on.")
    await told(bot, owner, "/limits fee settings as it was", "fee is 0.02 JUNO from now on.")
    assert orders(bot) == ["limits.changed"] * 4


@pytest.mark.parametrize(
    ("words", "saying"),
    [
        ("speed 5 why", "I know no limit speed, only minimum, fee, person, everyone, approval."),
        ("fee", "That needs a little more"),
        ("fee none because", "There is always a fee"),
        ("fee 0.5", "Please say why"),
        ("fee 0.02 because", "That is so already."),
        ("fee 1,5 because", "A comma can mean two things"),
    ],
)
async def test_what_is_no_change_changes_nothing(
    bot: Stage, office: Chat, owner: User, words: str, saying: str
) -> None:
    del office
    await told(bot, owner, f"/limits {words}", saying)
    assert bot.rows("SELECT 1 FROM terms_changes") == []


@pytest.mark.parametrize(
    ("words", "term", "juno_and_atom"),
    [
        ("person none ATOM we know them", Term.USER_PER_DAY, [TEN, None]),
        ("fee 0 ATOM for a week", Term.FEE, [FEE, 0]),
    ],
)
async def test_a_limit_of_the_coin_that_is_named_changes(
    bot: Stage, owner: User, words: str, term: Term, juno_and_atom: list[int | None]
) -> None:
    await with_atom(bot)
    await told(bot, owner, f"/limits {words}", words.split(maxsplit=1)[0])
    terms = [bot.service.withdrawals.terms(each.denom) for each in (JUNO, ATOM)]
    assert [each and value_of(each, term) for each in terms] == juno_and_atom


async def test_an_admin_changes_no_limit(bot: Stage, office: Chat, ben: User) -> None:
    del office
    await bot.appoint(ben, Role.ADMIN)
    await told(bot, ben, "/limits fee 0 why not", "That takes the role owner here.")


# /owner


async def test_an_owner_sees_what_stands(bot: Stage, office: Chat, owner: User, ben: User) -> None:
    del office
    await bot.appoint(ben, Role.ADMIN)
    await told(bot, owner, "/pause we look", "Money commands rest.")
    shown = await told(bot, owner, "/owner", "What stands here")
    for line in ("Owners: Olga", "Admins: member 22", "Money commands rest: “we look”", "Nothing is frozen."):
        assert line in shown.text
    assert "Unknown payments: 0." in shown.text
    await told(bot, ben, "/owner", "That takes the role owner here.")


async def test_orders_are_told_to_the_admins_group(bot: Stage, office: Chat, owner: User, ana: User) -> None:
    del office
    group = bot.telegram.group("Office", owner, [ana, bot.account])
    bot.front.notifier.delivery.operators = (group.id,)
    await told(bot, owner, "/freeze the nodes disagree", "Withdrawals of everybody are frozen.")
    await told(bot, owner, "/pause we look", "Money commands rest.")
    bot.clock.pass_seconds(5)
    await bot.heard(owner, group, "⚠️ Withdrawals were frozen.")
    bot.clock.pass_seconds(5)
    await bot.heard(owner, group, "⚠️ Money commands of members were paused.")
