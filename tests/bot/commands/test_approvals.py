"""Above the threshold a second admin decides, by a button whose presser is looked at when it is pressed."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

import bot.commands as bot_commands
from bot.commands.approvals import LISTED
from bot.context import PublicWallet
from bot.registry import discover
from bot.speech import Sentences
from ledger.accounts import AccountId
from ledger.limits import Limits
from ledger.money import Amount
from ledger.roles import Role
from ledger.terms import Terms
from ledger.withdrawals import Request, Withdrawal, Withdrawals
from sandbox.telegram import Chat, Message, User
from tests.bot.commands.conftest import FEE, MINIMUM, TREASURY
from tests.bot.conftest import OWNER
from tests.bot.stage import JUNO, Stage, stage

PAYEE = "juno1qyqszqgpqyqszqgpqyqszqgpqyqszqgpypz92q"
TEN = 10_000_000
LIMITS = Limits(Amount(8_000_000), Amount(9_000_000), Amount(2_000_000))


@pytest.fixture
async def bot(tmp_path: Path) -> AsyncIterator[Stage]:
    """A bot where members take out 8 a day at most, all together 9, and more than 2 waits for a second admin."""
    async with stage(tmp_path / "bank.sqlite3", OWNER) as set_up:
        set_up.registry = discover(bot_commands)
        set_up.speech = Sentences((JUNO,), "")
        set_up.terms = (Terms(JUNO.denom, Amount(MINIMUM), Amount(FEE), LIMITS),)
        set_up.wallet = PublicWallet("testing-1", TREASURY, "juno")
        await set_up.start()
        yield set_up


@pytest.fixture
async def chat(bot: Stage, ana: User) -> Chat:
    """Ana's private chat; she owns ten."""
    await bot.fund(ana, TEN)
    return bot.telegram.private(ana)


@pytest.fixture
def office(bot: Stage, owner: User, ana: User, ben: User) -> Chat:
    """The operators' chat: the owner, Ana and Ben."""
    office = bot.telegram.group("Office", owner, [ana, ben, bot.account])
    bot.front.notifier.delivery.operators = (office.id,)
    return office


async def asked(bot: Stage, who: User, chat: Chat, amount: str = "5") -> Withdrawal:
    """Return a withdrawal that ``who`` confirmed."""
    bot.clock.pass_seconds(5)
    bot.telegram.say(who, chat, f"/withdraw {amount} {PAYEE}")
    question = await bot.heard(who, chat, f"Withdraw {amount} JUNO?")
    bot.telegram.tap(who, question, label="Withdraw")
    await bot.heard(who, chat, "Withdrawal ")
    return bot.service.withdrawals.of_account(AccountId(who.id))[0]


async def request_of(bot: Stage, office: Chat) -> Message:
    """Return the operators' message."""
    return await bot.heard(None, office, "Withdrawal ")  # type: ignore[arg-type] # nobody in particular reads it


def state(bot: Stage, withdrawal: Withdrawal) -> str:
    found = bot.service.withdrawals.get(withdrawal.id)
    assert found is not None
    return found.state.value


# What the asker sees


async def test_the_question_says_that_it_will_wait(bot: Stage, ana: User, chat: Chat) -> None:
    bot.telegram.say(ana, chat, f"/withdraw 2.1 {PAYEE}")
    question = await bot.heard(ana, chat, "Withdraw 2.1 JUNO?")
    assert "More than 2 JUNO leaves at once only after a second admin approved it." in question.text


async def test_up_to_the_threshold_nothing_waits(bot: Stage, ana: User, chat: Chat) -> None:
    assert state(bot, await asked(bot, ana, chat, "2")) == "queued"
    assert bot.rows("SELECT 1 FROM outbox WHERE event = 'withdrawal.awaiting_approval'") == []


async def test_the_answer_says_that_it_waits(bot: Stage, ana: User, chat: Chat) -> None:
    withdrawal = await asked(bot, ana, chat)
    told = await bot.heard(ana, chat, f"Withdrawal {withdrawal.id} · waits for approval")
    assert "5.02 JUNO left your balance" in told.text
    assert (state(bot, withdrawal), bot.balance(ana)) == ("awaiting_approval", TEN - 5_000_000 - FEE)


async def test_it_can_be_cancelled_while_it_waits(bot: Stage, ana: User, chat: Chat, office: Chat) -> None:
    withdrawal = await asked(bot, ana, chat)
    tracker = await bot.heard(ana, chat, f"Withdrawal {withdrawal.id} · waits")
    bot.clock.pass_seconds(5)
    assert "Cancelled" in await bot.answered(bot.telegram.tap(ana, tracker, label="Cancel it"))
    assert (state(bot, withdrawal), bot.balance(ana)) == ("cancelled", TEN)
    await bot.settled()
    assert len(bot.said(None, office)) == 1


async def test_it_can_still_be_cancelled_when_nobody_has_decided_for_weeks(
    bot: Stage, ana: User, chat: Chat
) -> None:
    withdrawal = await asked(bot, ana, chat)
    tracker = await bot.heard(ana, chat, f"Withdrawal {withdrawal.id} · waits")
    bot.clock.pass_seconds(60 * 24 * 3600)
    assert "Cancelled" in await bot.answered(bot.telegram.tap(ana, tracker, label="Cancel it"))
    assert (state(bot, withdrawal), bot.balance(ana)) == ("cancelled", TEN)


async def test_everything_that_waits_is_counted(bot: Stage, ana: User, owner: User) -> None:
    """More than /approvals lists at once."""
    await bot.fund(ana, 100 * TEN)
    terms = Terms(JUNO.denom, Amount(1), Amount(FEE), Limits(approval_above=Amount(0)))
    book = Withdrawals(bot.service.journal, bot.service.reader, [terms])
    for number in range(LISTED + 1):
        request = Request(AccountId(ana.id), JUNO.denom, Amount(1), Amount(FEE), PAYEE)
        await book.request(f"asked:{number}", request)
    office = bot.telegram.private(owner)
    for word, saying in (("/treasury", "The treasury"), ("/owner", "What stands here")):
        bot.telegram.say(owner, office, word)
        assert "Withdrawals that wait for approval: 21." in (await bot.heard(owner, office, saying)).text


# Who decides


async def test_the_operators_chat_is_asked_with_buttons(
    bot: Stage, ana: User, chat: Chat, office: Chat
) -> None:
    withdrawal = await asked(bot, ana, chat)
    request = await request_of(bot, office)
    assert f"Withdrawal {withdrawal.id} waits for approval" in request.text
    assert f"Ana wants to take out 5 JUNO to {PAYEE}" in request.text
    labels = [button["text"] for row in request.buttons for button in row]
    assert labels == [f"Approve {withdrawal.id}", f"Reject {withdrawal.id}"]


async def test_an_owner_approves_and_the_asker_is_told(
    bot: Stage, ana: User, owner: User, chat: Chat, office: Chat
) -> None:
    withdrawal = await asked(bot, ana, chat)
    tap = bot.telegram.tap(owner, await request_of(bot, office), label=f"Approve {withdrawal.id}")
    assert await bot.answered(tap) == "Approved."
    assert state(bot, withdrawal) == "queued"
    bot.clock.pass_seconds(5)
    tracker = await bot.heard(ana, chat, f"Withdrawal {withdrawal.id} · queued")
    await bot.heard(owner, office, f"Withdrawal {withdrawal.id}: 5 JUNO for Ana was approved by Olga.")
    assert bot.rows("SELECT verdict, actor, role FROM approvals") == [("approved", OWNER, "owner")]
    bot.clock.pass_seconds(5)
    assert "Cancelled" in await bot.answered(bot.telegram.tap(ana, tracker, label="Cancel it"))
    assert bot.balance(ana) == TEN


async def test_an_admin_rejects_and_everything_is_back(
    bot: Stage, ana: User, ben: User, chat: Chat, office: Chat
) -> None:
    await bot.appoint(ben, Role.ADMIN)
    withdrawal = await asked(bot, ana, chat)
    tap = bot.telegram.tap(ben, await request_of(bot, office), label=f"Reject {withdrawal.id}")
    assert await bot.answered(tap) == "Rejected."
    bot.clock.pass_seconds(5)
    await bot.heard(ana, chat, f"Withdrawal {withdrawal.id} · not approved")
    assert (state(bot, withdrawal), bot.balance(ana)) == ("cancelled", TEN)


async def test_a_members_press_changes_nothing_and_leaves_the_question(
    bot: Stage, ana: User, ben: User, chat: Chat, office: Chat
) -> None:
    withdrawal = await asked(bot, ana, chat)
    request = await request_of(bot, office)
    before = request.text
    tap = bot.telegram.tap(ben, request, label=f"Approve {withdrawal.id}")
    assert await bot.answered(tap) == "That takes the role admin here."
    await bot.settled()
    assert (state(bot, withdrawal), request.text) == ("awaiting_approval", before)
    assert request.buttons


async def test_the_role_is_looked_at_when_the_button_is_pressed(
    bot: Stage, ana: User, ben: User, chat: Chat, office: Chat
) -> None:
    await bot.appoint(ben, Role.ADMIN)
    withdrawal = await asked(bot, ana, chat)
    request = await request_of(bot, office)
    await bot.appoint(ben, Role.MEMBER)
    await bot.answered(bot.telegram.tap(ben, request, label=f"Approve {withdrawal.id}"))
    assert state(bot, withdrawal) == "awaiting_approval"


async def test_an_admin_does_not_approve_their_own(bot: Stage, ana: User, chat: Chat, office: Chat) -> None:
    await bot.appoint(ana, Role.ADMIN)
    withdrawal = await asked(bot, ana, chat)
    tap = bot.telegram.tap(ana, await request_of(bot, office), label=f"Approve {withdrawal.id}")
    assert "A second admin has to decide" in await bot.answered(tap)
    assert state(bot, withdrawal) == "awaiting_approval"


async def test_two_presses_decide_once(
    *, bot: Stage, ana: User, ben: User, owner: User, chat: Chat, office: Chat
) -> None:
    await bot.appoint(ben, Role.ADMIN)
    withdrawal = await asked(bot, ana, chat)
    request = await request_of(bot, office)
    taps = [
        bot.telegram.tap(ben, request, label=f"Approve {withdrawal.id}"),
        bot.telegram.tap(owner, request, label=f"Reject {withdrawal.id}"),
    ]
    told = sorted([await bot.answered(tap) for tap in taps])
    assert told[1] == f"Withdrawal {withdrawal.id} does not wait for approval any more."
    assert told[0] in ("Approved.", "Rejected.")
    assert len(bot.rows("SELECT 1 FROM approvals")) == 1


async def test_the_request_of_lost_books_approves_nothing_else(
    bot: Stage, ana: User, owner: User, chat: Chat, office: Chat
) -> None:
    """Books from a backup give the number of a lost withdrawal to another one; its request still stands in the chat."""
    copy = bot.copy()
    lost = await asked(bot, ana, chat)
    request = await request_of(bot, office)
    stale = request.buttons[0][0]["callback_data"]
    await bot.put_back(copy)
    bot.front.notifier.delivery.operators = (office.id,)
    bot.telegram.say(ana, chat, f"/withdraw 6 {PAYEE}")
    bot.telegram.tap(ana, await bot.heard(ana, chat, "Withdraw 6 JUNO?"), label="Withdraw")
    (other,) = await bot.until(lambda: bot.service.withdrawals.of_account(AccountId(ana.id)))
    assert other.id == lost.id
    assert await bot.answered(bot.telegram.tap(owner, request, forged=stale)) != "Approved."
    assert state(bot, other) == "awaiting_approval"


# /approvals


async def test_what_waits_is_listed_for_admins(bot: Stage, ana: User, ben: User, chat: Chat) -> None:
    await bot.appoint(ben, Role.ADMIN)
    withdrawal = await asked(bot, ana, chat)
    private = bot.telegram.private(ben)
    bot.telegram.say(ben, private, "/approvals")
    listed = await bot.heard(ben, private, "Withdrawals that wait for approval")
    assert f"{withdrawal.id}: 5 JUNO for Ana to {PAYEE}" in listed.text
    bot.telegram.tap(ben, listed, label=f"Approve {withdrawal.id}")
    await bot.until(lambda: state(bot, withdrawal) == "queued")


async def test_nothing_waits(bot: Stage, owner: User) -> None:
    private = bot.telegram.private(owner)
    bot.telegram.say(owner, private, "/approvals")
    await bot.heard(owner, private, "No withdrawal waits for approval.")


async def test_members_see_no_list(bot: Stage, ana: User, chat: Chat) -> None:
    bot.telegram.say(ana, chat, "/approvals")
    await bot.heard(ana, chat, "That takes the role admin here.")


# Limits of a day


async def test_more_than_a_days_share_is_refused_before_anything_is_asked(
    bot: Stage, ana: User, chat: Chat
) -> None:
    await asked(bot, ana, chat, "5")
    bot.clock.pass_seconds(5)
    bot.telegram.say(ana, chat, f"/withdraw 4 {PAYEE}")
    told = await bot.heard(
        ana, chat, "8 JUNO is the most that one person can withdraw in 24 hours; 3 JUNO of it"
    )
    assert "Nothing moved." in told.text


async def test_what_is_left_for_everybody_is_told(bot: Stage, ana: User, ben: User, chat: Chat) -> None:
    await asked(bot, ana, chat, "8")
    await bot.fund(ben, TEN)
    private = bot.telegram.private(ben)
    bot.telegram.say(ben, private, f"/withdraw 1.5 {PAYEE}")
    await bot.heard(
        ben, private, "9 JUNO is the most that can leave here in 24 hours, all people together; 1 JUNO"
    )


async def test_two_questions_answered_at_once_pass_no_limit(bot: Stage, ana: User, chat: Chat) -> None:
    bot.telegram.say(ana, chat, f"/withdraw 4.8 {PAYEE}")
    one = await bot.heard(ana, chat, "Withdraw 4.8 JUNO?")
    bot.telegram.say(ana, chat, f"/withdraw 4.9 {PAYEE}")
    two = await bot.heard(ana, chat, "Withdraw 4.9 JUNO?")
    taps = [bot.telegram.tap(ana, question, label="Withdraw") for question in (one, two)]
    told = sorted([await bot.answered(tap) for tap in taps])
    assert told[0].startswith("8 JUNO is the most")
    assert told[1] == "It waits for a second admin."
