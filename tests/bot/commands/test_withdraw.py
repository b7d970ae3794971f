"""/withdraw: nothing leaves before a yes; what leaves is what was shown; the tracker tells the rest."""

from typing import Any

import pytest

from ledger.accounts import AccountId
from ledger.freezes import freeze_unit
from ledger.leases import lock_withdrawal
from ledger.outbox import news
from ledger.roles import Actor
from ledger.units import Decision, Unit, View
from ledger.withdrawals import Withdrawal, WithdrawalState, facts_of
from sandbox.telegram import Chat, Message, User
from tests.bot.commands.conftest import FEE, TREASURY
from tests.bot.stage import Stage

PAYEE = "juno1qyqszqgpqyqszqgpqyqszqgpqyqszqgpypz92q"
GOV = "juno10d07y265gmmuvt4z0w9aw880jnsr700jvss730"
TEN = 10_000_000


@pytest.fixture
async def chat(bot: Stage, ana: User) -> Chat:
    """Ana's private chat; she owns ten."""
    await bot.fund(ana, TEN)
    return bot.telegram.private(ana)


async def question(bot: Stage, ana: User, chat: Chat, text: str) -> Message:
    bot.telegram.say(ana, chat, text)
    return await bot.heard(ana, chat, "Withdraw ")


async def queued(bot: Stage, ana: User, chat: Chat, text: str = f"/withdraw 5 {PAYEE} 104729") -> Withdrawal:
    """Return a withdrawal that Ana confirmed."""
    bot.telegram.tap(ana, await question(bot, ana, chat, text), label="Withdraw")
    await bot.heard(ana, chat, "Withdrawal ")
    return bot.service.withdrawals.of_account(AccountId(ana.id))[0]


async def tell(bot: Stage, event: str, withdrawal: Withdrawal, **facts: Any) -> None:
    """Commit news of ``withdrawal``, as the books do."""

    def decide(view: View) -> Decision[None]:
        row = news(event, withdrawal.account, {**facts_of(withdrawal), **facts}, view.now)
        return Decision(None, rows=(row,))

    bot.clock.pass_seconds(5)
    await bot.service.journal.submit(Unit(decide))
    bot.front.notifier.wake()


async def test_the_question_shows_amount_fee_total_and_address(bot: Stage, ana: User, chat: Chat) -> None:
    asked = await question(bot, ana, chat, f"/withdraw 5 {PAYEE}")
    assert asked.text.splitlines()[0] == "Withdraw 5 JUNO?"
    assert f"To {PAYEE}\nFee 0.02 JUNO, so 5.02 JUNO leaves your balance; 4.98 JUNO stays." in asked.text


async def test_nothing_leaves_before_a_yes(bot: Stage, ana: User, chat: Chat) -> None:
    await question(bot, ana, chat, f"/withdraw 5 {PAYEE}")
    assert bot.balance(ana) == TEN


async def test_without_a_memo_exchanges_are_warned_of(bot: Stage, ana: User, chat: Chat) -> None:
    asked = await question(bot, ana, chat, f"/withdraw 5 {PAYEE}")
    assert "If this is an exchange, it probably needs one" in asked.text


async def test_a_memo_is_shown_and_kept_as_typed(bot: Stage, ana: User, chat: Chat) -> None:
    withdrawal = await queued(bot, ana, chat, f"/withdraw 5 {PAYEE} two  words")
    assert withdrawal.memo == "two  words"


async def test_a_yes_holds_amount_and_fee(bot: Stage, ana: User, chat: Chat) -> None:
    withdrawal = await queued(bot, ana, chat)
    assert (withdrawal.amount, withdrawal.fee, withdrawal.address) == (5_000_000, FEE, PAYEE)
    assert bot.balance(ana) == TEN - 5_000_000 - FEE


async def test_an_address_in_capitals_is_written_small(bot: Stage, ana: User, chat: Chat) -> None:
    assert (await queued(bot, ana, chat, f"/withdraw 5 {PAYEE.upper()}")).address == PAYEE


async def test_all_is_the_balance_without_the_fee_and_says_so(bot: Stage, ana: User, chat: Chat) -> None:
    asked = await question(bot, ana, chat, f"/withdraw all {PAYEE}")
    assert "Withdraw 9.98 JUNO?" in asked.text
    assert "10 JUNO leaves your balance; 0 JUNO stays" in asked.text


async def test_three_taps_withdraw_once(bot: Stage, ana: User, chat: Chat) -> None:
    asked = await question(bot, ana, chat, f"/withdraw 1 {PAYEE}")
    taps = [bot.telegram.tap(ana, asked, label="Withdraw") for _ in range(3)]
    told = [await bot.answered(tap) for tap in taps]
    assert told[0] == "Queued."
    assert [words[:24] for words in told[1:]] == ["That is settled already."] * 2
    assert len(bot.service.withdrawals.of_account(AccountId(ana.id))) == 1


async def test_a_no_leaves_everything(bot: Stage, ana: User, chat: Chat) -> None:
    asked = await question(bot, ana, chat, f"/withdraw 1 {PAYEE}")
    bot.telegram.tap(ana, asked, label="Don't")
    await bot.heard(ana, chat, "All right, nothing was withdrawn.")
    assert bot.balance(ana) == TEN


async def test_what_was_spent_meanwhile_is_refused_at_the_yes(
    bot: Stage, ana: User, ben: User, chat: Chat
) -> None:
    asked = await question(bot, ana, chat, f"/withdraw 5 {PAYEE}")
    bot.telegram.say(ben, bot.telegram.private(ben), "/start")
    await bot.settled()
    bot.telegram.say(ana, chat, "/send 9 @ben")
    await bot.heard(ana, chat, "Sent 9 JUNO")
    bot.telegram.tap(ana, asked, label="Withdraw")
    await bot.heard(ana, chat, "That takes 5.02 JUNO, and you have 1 JUNO.")
    assert bot.balance(ana) == 1_000_000


async def test_the_tracker_is_one_message_edited_to_the_end(bot: Stage, ana: User, chat: Chat) -> None:
    withdrawal = await queued(bot, ana, chat)
    tracker = await bot.heard(ana, chat, f"Withdrawal {withdrawal.id} · queued")
    await tell(bot, "withdrawal.signed", withdrawal, tx="AB12")
    await bot.until(lambda: tracker.text.startswith(f"Withdrawal {withdrawal.id} · on its way"))
    assert tracker.buttons == []
    await tell(bot, "withdrawal.confirmed", withdrawal, tx="AB12", height=7)
    await bot.until(lambda: tracker.text.startswith(f"Withdrawal {withdrawal.id} · arrived"))
    assert tracker.buttons[0][0]["url"] == "https://explorer.example/tx/AB12"


async def test_a_return_says_what_came_back(bot: Stage, ana: User, chat: Chat) -> None:
    withdrawal = await queued(bot, ana, chat)
    await tell(
        bot, "withdrawal.returned", withdrawal, reason="failed", returned=5_008_750, network_fee=11_250
    )
    told = await bot.heard(ana, chat, f"Withdrawal {withdrawal.id} · returned")
    assert "did not go through: the network refused it. 5.00875 JUNO is back" in told.text


async def test_it_can_be_cancelled_until_it_is_signed(bot: Stage, ana: User, chat: Chat) -> None:
    withdrawal = await queued(bot, ana, chat)
    tracker = await bot.heard(ana, chat, f"Withdrawal {withdrawal.id} · queued")
    bot.clock.pass_seconds(5)
    query = bot.telegram.tap(ana, tracker, label="Cancel it")
    assert await bot.answered(query) == "Cancelled; it is back on your balance."
    await bot.heard(ana, chat, f"Withdrawal {withdrawal.id} · cancelled")
    await bot.settled()
    assert bot.balance(ana) == TEN
    assert len(bot.said(ana, chat, "Withdrawal")) == 1


async def test_a_cancel_too_late_leaves_the_tracker_as_it_is(bot: Stage, ana: User, chat: Chat) -> None:
    withdrawal = await queued(bot, ana, chat)
    tracker = await bot.heard(ana, chat, f"Withdrawal {withdrawal.id} · queued")
    cancel = tracker.buttons[0][0]["callback_data"]
    locked = Decision(None, rows=(lock_withdrawal(withdrawal.id, "signer"),))
    await bot.service.journal.submit(Unit(lambda _: locked))
    await tell(bot, "withdrawal.confirmed", withdrawal, tx="AB12", height=7)
    await bot.until(lambda: tracker.text.startswith(f"Withdrawal {withdrawal.id} · arrived"))
    bot.clock.pass_seconds(5)
    query = bot.telegram.tap(ana, tracker, forged=cancel)
    assert "is signed already and can't be cancelled" in await bot.answered(query)
    await bot.settled()
    assert tracker.text.startswith(f"Withdrawal {withdrawal.id} · arrived")
    assert bot.rows("SELECT code FROM inbox ORDER BY id DESC LIMIT 1") == [("withdrawal_not_cancellable",)]


async def test_an_ended_one_is_cancelled_once(bot: Stage, ana: User, chat: Chat) -> None:
    withdrawal = await queued(bot, ana, chat)
    tracker = await bot.heard(ana, chat, f"Withdrawal {withdrawal.id} · queued")
    taps = [bot.telegram.tap(ana, tracker, label="Cancel it") for _ in range(2)]
    for tap in taps:
        await bot.answered(tap)
    found = bot.service.withdrawals.get(withdrawal.id)
    assert found is not None
    assert (found.state, bot.balance(ana)) == (WithdrawalState.CANCELLED, TEN)


async def test_in_a_group_the_question_is_asked_in_private(
    bot: Stage, ana: User, ben: User, chat: Chat, plaza: Chat
) -> None:
    bot.telegram.say(ana, chat, "/start")
    bot.telegram.say(ana, plaza, f"/withdraw 5 {PAYEE}")
    await bot.heard(ana, chat, "Withdraw 5 JUNO?")
    await bot.settled()
    assert bot.said(ben, plaza) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/withdraw", "That needs a little more: /withdraw <amount|all> <address> [memo]"),
        ("/withdraw 5", "To which address?"),
        (f"/withdraw {PAYEE} 5", "I can't read"),
        (f"/withdraw 1,5 {PAYEE}", "A comma can mean two things"),
        (f"/withdraw -1 {PAYEE}", "An amount has no sign in front."),
        (f"/withdraw 0 {PAYEE}", "Zero is nothing to move."),
        (f"/withdraw 10 {PAYEE}", "That takes 10.02 JUNO, and you have 10 JUNO."),
        (f"/withdraw 0.09 {PAYEE}", "The least that can be withdrawn is 0.1 JUNO."),
        ("/withdraw 5 somewhere", "That is not an address."),
        (f"/withdraw 5 {PAYEE[:-1]}p", "There is a typing mistake in that address"),
        (f"/withdraw 5 {PAYEE[:10].upper()}{PAYEE[10:]}", "That address mixes capital and small letters"),
        ("/withdraw 5 cosmos1qyqszqgpqyqszqgpqyqszqgpqyqszqgpjnp7du", "That address begins with cosmos"),
        (f"/withdraw 5 {TREASURY}", "That is my own address"),
        (f"/withdraw 5 {GOV}", "That address belongs to the chain itself (gov)"),
        (f"/withdraw 5 {PAYEE} {'é' * 129}", "The memo is too long: 256 bytes at most"),
    ],
)
async def test_a_refusal_says_what_to_do_and_nothing_moves(
    bot: Stage, ana: User, chat: Chat, text: str, said: str
) -> None:
    bot.telegram.say(ana, chat, text)
    answer = await bot.heard(ana, chat, said)
    assert "Nothing moved. Reference" in answer.text
    assert bot.balance(ana) == TEN


async def test_all_of_too_little_names_what_it_would_take(bot: Stage, ben: User) -> None:
    await bot.fund(ben, 110_000)
    chat = bot.telegram.private(ben)
    bot.telegram.say(ben, chat, f"/withdraw all {PAYEE}")
    await bot.heard(ben, chat, "That takes 0.12 JUNO, and you have 0.11 JUNO.")


async def test_a_freeze_is_told_and_keeps_the_money_spendable(bot: Stage, ana: User, chat: Chat) -> None:
    asked = await question(bot, ana, chat, f"/withdraw 1 {PAYEE}")
    await bot.service.journal.submit(freeze_unit(Actor(AccountId(ana.id), owner=True), None, "a test"))
    bot.telegram.tap(ana, asked, label="Withdraw")
    await bot.heard(ana, chat, "Withdrawals are paused")
    assert bot.balance(ana) == TEN
