"""/unclaimed and /assign: what waits is there for everyone to see, and an admin says whose it is."""

import re

import pytest

from ledger.accounts import UNCLAIMED
from ledger.deposits import Arrival, Place, post_arrivals
from ledger.drafts import Draft
from ledger.roles import Role
from ledger.units import Decision, Unit, View
from sandbox.telegram import Chat, Message, User
from tests.bot.commands.test_send import met
from tests.bot.conftest import OWNER
from tests.bot.stage import JUNO, Stage
from tests.ledger.bank import LISTED

SENDER = "juno19rl4cm2hmr8afy4kldpxz3fka4jguq0a2jwxcf"
TX = "AB12" * 16
JUNO_10 = 10_000_000


async def arrive(
    bot: Stage,
    *,
    amount: int = JUNO_10,
    memo: str = "for Ana",
    tx: str = TX,
    sender: str = SENDER,
    path: str = "0",
    outputs: int = 1,
) -> list[int]:
    """Let a block bring what names nobody; return the numbers under which it waits."""
    before = {row[0] for row in bot.rows("SELECT id FROM unclaimed")}

    def decide(view: View) -> Decision[None]:
        draft = Draft(view)
        arrivals = [
            Arrival(tx, path, number, JUNO.denom, str(amount), memo, sender) for number in range(outputs)
        ]
        post_arrivals(draft, Place("testing-1", 1234), arrivals, LISTED)
        return Decision(None, tuple(draft.entries), tuple(draft.rows))

    await bot.service.journal.submit(Unit(decide))
    bot.front.notifier.wake()
    return [row[0] for row in bot.rows("SELECT id FROM unclaimed ORDER BY id") if row[0] not in before]


@pytest.fixture
async def deposit(bot: Stage, ana: User, ben: User) -> int:
    """10 JUNO that wait; Ana is an admin, and Ben known."""
    await met(bot, ana, ben)
    await bot.appoint(ana, Role.ADMIN)
    return (await arrive(bot))[0]


@pytest.fixture
def desk(bot: Stage, ana: User) -> Chat:
    """The admin's private chat."""
    return bot.telegram.private(ana)


def left(bot: Stage) -> int:
    return bot.service.reader.balance(UNCLAIMED, JUNO.denom)


# /unclaimed


async def test_nothing_waits(bot: Stage, ana: User) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, "/unclaimed")
    await bot.heard(ana, chat, "Nothing waits: everything that arrived is somebody's.")


async def test_everyone_sees_what_waits_and_nothing_more(bot: Stage, ben: User, deposit: int) -> None:
    chat = bot.telegram.private(ben)
    bot.telegram.say(ben, chat, "/unclaimed")
    page = await bot.heard(ben, chat, "Waiting for whose it is: 10 JUNO in 1 deposit")
    assert f"{deposit} · 10 JUNO · its memo names no account" in page.text
    assert "block 1234, transaction AB12AB12…, from juno19rl4…wxcf" in page.text
    assert SENDER not in page.text
    assert "for Ana" not in page.text


async def test_an_admin_sees_all_of_it_in_private(bot: Stage, ana: User, desk: Chat, deposit: int) -> None:
    bot.telegram.say(ana, desk, "/unclaimed")
    page = await bot.heard(ana, desk, "Waiting for whose it is")
    assert f"From {SENDER}" in page.text
    assert f"Transaction {TX}" in page.text
    assert "Memo “for Ana”" in page.text
    assert f"/assign {deposit} @name reason" in page.text


async def test_a_group_sees_the_short_form_even_when_an_admin_asks(
    bot: Stage, ana: User, plaza: Chat, deposit: int
) -> None:
    bot.telegram.say(ana, plaza, "/unclaimed")
    page = await bot.heard(ana, plaza, "Waiting for whose it is")
    assert SENDER not in page.text
    assert "for Ana" not in page.text


async def test_pages_are_turned_by_buttons(bot: Stage, ben: User, deposit: int) -> None:
    numbers = [deposit, *(await arrive(bot, tx="CD34" * 16, outputs=8))]
    chat = bot.telegram.private(ben)
    bot.telegram.say(ben, chat, "/unclaimed")
    first = await bot.heard(ben, chat, "Waiting for whose it is: 90 JUNO in 9 deposits")
    assert listed(first) == sorted(numbers, reverse=True)[:6]
    bot.telegram.tap(ben, first, label="Older")
    await bot.until(lambda: listed(bot.said(ben, chat, "Waiting")[-1]) == sorted(numbers)[:3][::-1])
    bot.telegram.tap(ben, bot.said(ben, chat, "Waiting")[-1], label="Newer")
    await bot.until(lambda: listed(bot.said(ben, chat, "Waiting")[-1]) == listed(first))


def listed(page: Message) -> list[int]:
    return [int(number) for number in re.findall(r"^(\d+) · ", page.text, re.MULTILINE)]


async def test_the_alert_says_how_to_assign_it(bot: Stage, owner: User) -> None:
    await met(bot, owner)
    (deposit,) = await arrive(bot)
    alert = await bot.heard(owner, bot.telegram.private(owner), "10 JUNO arrived for nobody")
    assert f"/assign {deposit} @name reason" in alert.text


# /assign


async def test_an_admin_gives_it_to_whom_they_name(
    bot: Stage, ana: User, ben: User, desk: Chat, deposit: int
) -> None:
    bot.telegram.say(ana, desk, f"/assign {deposit} @ben showed me the transfer")
    await bot.heard(ana, desk, f"10 JUNO of deposit {deposit} is Ben's now, and they know.")
    assert (bot.balance(ben), left(bot)) == (JUNO_10, 0)
    news = await bot.heard(ben, bot.telegram.private(ben), "10 JUNO that had arrived for nobody is yours now")
    assert "Ana assigned it to you" in news.text
    assert "“showed me the transfer”" in news.text


async def test_the_operators_read_who_assigned_what(
    bot: Stage, ana: User, owner: User, desk: Chat, deposit: int
) -> None:
    await met(bot, owner)
    bot.telegram.say(ana, desk, f"/assign {deposit} @ben showed me the transfer")
    await bot.heard(
        owner, bot.telegram.private(owner), f"Ana assigned 10 JUNO of unclaimed deposit {deposit} to Ben."
    )


async def test_by_the_hash_of_its_transaction(
    bot: Stage, ana: User, ben: User, desk: Chat, deposit: int
) -> None:
    bot.telegram.say(ana, desk, f"/assign {TX.lower()} @ben his transfer")
    await bot.heard(ana, desk, f"10 JUNO of deposit {deposit} is Ben's now")
    assert bot.balance(ben) == JUNO_10


async def test_a_transaction_that_brought_several_is_asked_about(
    bot: Stage, ana: User, desk: Chat, deposit: int
) -> None:
    numbers = await arrive(bot, tx="CD34" * 16, outputs=2)
    bot.telegram.say(ana, desk, f"/assign {'CD34' * 16} @ben his transfer")
    told = await bot.heard(ana, desk, "That transaction brought 2 that wait")
    assert ", ".join(map(str, numbers)) in told.text


async def test_a_part_is_asked_about_and_leaves_the_rest(
    bot: Stage, ana: User, ben: User, desk: Chat, deposit: int
) -> None:
    bot.telegram.say(ana, desk, f"/assign {deposit} @ben 4 sent for two")
    question = await bot.heard(ana, desk, f"Assign 4 JUNO of deposit {deposit}?")
    assert "To Ben (id 22)." in question.text
    assert "6 JUNO of it would stay." in question.text
    assert bot.balance(ben) == 0
    bot.telegram.tap(ana, question, label="Yes, assign")
    await bot.heard(
        ana, desk, f"4 JUNO of deposit {deposit} is Ben's now, and they know.\n6 JUNO of it waits still."
    )
    assert (bot.balance(ben), left(bot)) == (4_000_000, 6_000_000)


async def test_two_taps_of_one_question_assign_once(
    bot: Stage, ana: User, ben: User, desk: Chat, deposit: int
) -> None:
    bot.telegram.say(ana, desk, f"/assign {deposit} @ben 4 sent for two")
    question = await bot.heard(ana, desk, "Assign 4 JUNO")
    taps = [bot.telegram.tap(ana, question, label="Yes, assign") for _ in range(2)]
    assert "Assigned." in [await bot.answered(tap) for tap in taps]
    await bot.settled()
    assert (bot.balance(ben), left(bot)) == (4_000_000, 6_000_000)


async def test_a_typed_id_shows_who_that_is(
    bot: Stage, ana: User, ben: User, desk: Chat, deposit: int
) -> None:
    bot.telegram.say(ana, desk, f"/assign {deposit} 22 his memo was wrong")
    question = await bot.heard(ana, desk, f"Assign 10 JUNO of deposit {deposit}?")
    assert "To Ben (id 22). You typed the id" in question.text
    bot.telegram.tap(ana, question, label="Don't")
    await bot.heard(ana, desk, "All right, nothing was assigned.")
    assert bot.balance(ben) == 0


async def test_a_name_that_moved_is_asked_about(bot: Stage, ana: User, desk: Chat, deposit: int) -> None:
    eve = bot.telegram.person("Eve", "ben", user_id=66)
    await met(bot, eve)
    bot.telegram.say(ana, desk, f"/assign {deposit} @ben his transfer")
    question = await bot.heard(ana, desk, f"Assign 10 JUNO of deposit {deposit}?")
    assert "To Eve (id 66). @ben belonged to somebody else not long ago." in question.text


async def test_a_reply_names_its_sender_and_the_group_reads_no_amount(
    bot: Stage, ana: User, ben: User, plaza: Chat, deposit: int
) -> None:
    asked = bot.telegram.say(ben, plaza, "where is my deposit?")
    bot.telegram.say(ana, plaza, f"/assign {deposit} found it, no memo", reply_to=asked)
    await bot.until(lambda: bot.balance(ben) == JUNO_10)
    await bot.settled()
    assert not [shown for shown in bot.said(ben, plaza) if "JUNO" in shown.text]
    (line,) = bot.rows("SELECT chat, reason FROM admin_audit WHERE action = 'unclaimed.assigned'")
    assert line == (plaza.id, "found it, no memo")


@pytest.mark.parametrize(
    "typed_and_told",
    [
        ("", "That needs a little more: /assign <deposit> <who> [amount] <reason>"),
        ("{deposit}", "That needs a little more: /assign <deposit> <who> [amount] <reason>"),
        ("{deposit} @ben", "Please say why"),
        ("{deposit} ben a reason", "I don't know who “ben” is."),
        ("{deposit} @ben 11 too much", "Only 10 JUNO of deposit"),
        ("{deposit} @ben 0 nothing", "Zero is nothing to move."),
        ("{deposit} 4242 a reason", "They have no account yet."),
        ("{deposit} @ana a reason", "Nobody assigns a deposit to themselves"),
        ("999 @ben a reason", "There is no unclaimed deposit 999."),
        (f"{'F' * 64} @ben a reason", "Nothing of transaction FFFFFFFF… waits here."),
        ("mine @ben a reason", "I can't read “mine” as a deposit."),
        ("{deposit} @nobody a reason", "I have never met @nobody"),
    ],
)
async def test_what_cannot_be_assigned_is_told(
    bot: Stage, ana: User, desk: Chat, deposit: int, typed_and_told: tuple[str, str]
) -> None:
    typed, told = typed_and_told
    bot.telegram.say(ana, desk, f"/assign {typed.format(deposit=deposit)}")
    await bot.heard(ana, desk, told)
    assert left(bot) == JUNO_10


async def test_a_member_is_refused(bot: Stage, ben: User, deposit: int) -> None:
    chat = bot.telegram.private(ben)
    bot.telegram.say(ben, chat, f"/assign {deposit} @ana a reason")
    await bot.heard(ben, chat, "That takes the role admin here.")


async def test_an_admin_who_was_demoted_meanwhile_is_refused(
    bot: Stage, ana: User, ben: User, desk: Chat, deposit: int
) -> None:
    bot.telegram.say(ana, desk, f"/assign {deposit} @ben 4 sent for two")
    question = await bot.heard(ana, desk, "Assign 4 JUNO")
    await bot.appoint(ana, Role.MEMBER)
    bot.telegram.tap(ana, question, label="Yes, assign")
    await bot.settled()
    assert (bot.balance(ben), left(bot)) == (0, JUNO_10)


async def test_an_owner_may_take_it_because_nobody_else_may_be_there(
    bot: Stage, owner: User, deposit: int
) -> None:
    await met(bot, owner)
    chat = bot.telegram.private(owner)
    bot.telegram.say(owner, chat, f"/assign {deposit} {OWNER} my own")
    bot.telegram.tap(owner, await bot.heard(owner, chat, "Assign 10 JUNO"), label="Yes, assign")
    await bot.heard(owner, chat, "10 JUNO of deposit")
    assert bot.balance(owner) == JUNO_10


async def test_history_says_where_it_came_from(
    bot: Stage, ana: User, ben: User, desk: Chat, deposit: int
) -> None:
    bot.telegram.say(ana, desk, f"/assign {deposit} @ben his transfer")
    await bot.until(lambda: bot.balance(ben) == JUNO_10)
    chat = bot.telegram.private(ben)
    bot.telegram.say(ben, chat, "/history")
    page = await bot.heard(ben, chat, "Your JUNO")
    assert "+10 JUNO from a deposit that was nobody's" in page.text
