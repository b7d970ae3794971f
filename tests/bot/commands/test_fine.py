"""/fine, /forgive, /fines, /payfine, /warn and /status, as a group uses them."""

import httpx
import pytest

from bot.prices import Prices, PriceSource
from ledger.accounts import BOT_TREASURY, AccountId
from ledger.fines import MOST_AT_ONCE, Price
from ledger.money import Amount
from ledger.roles import CONSOLE, Role
from ledger.violations import RULE, Case
from sandbox.telegram import Chat, User
from tests.bot.stage import JUNO, Stage

TEN = 10_000_000


@pytest.fixture
async def private(bot: Stage, ana: User) -> Chat:
    """Ana's private chat."""
    private = bot.telegram.private(ana)
    bot.telegram.say(ana, private, "/start")
    await bot.heard(ana, private, "Welcome")
    return private


async def fine(bot: Stage, owner: User, hall: Chat, text: str = "/fine @ana 2 spam") -> None:
    times = len(bot.said(owner, hall, "Ana is fined")) + 1
    bot.telegram.say(owner, hall, text)
    await bot.heard(owner, hall, "Ana is fined", times)
    bot.clock.pass_seconds(60)


def treasury(bot: Stage) -> int:
    return bot.service.reader.balance(BOT_TREASURY, JUNO.denom)


async def test_a_fine_is_told_in_the_group_and_in_private(
    bot: Stage, owner: User, ana: User, hall: Chat, private: Chat
) -> None:
    bot.telegram.say(owner, hall, "/fine @ana 2 JUNO selling things")
    told = await bot.heard(owner, hall, "Ana is fined 2 JUNO: “selling things”")
    assert "/payfine 1" in told.text
    await bot.heard(ana, private, "You were fined 2 JUNO in Hall: “selling things”")
    assert bot.balance(ana) == TEN


async def test_a_reply_is_kept_with_its_message(bot: Stage, owner: User, ana: User, hall: Chat) -> None:
    said = bot.telegram.say(ana, hall, "/help me")
    bot.telegram.say(owner, hall, "/fine 2 spam", reply_to=said)
    await bot.heard(owner, hall, "Ana is fined 2 JUNO")
    assert bot.rows("SELECT message, actor, rule FROM violations") == [(said.id, owner.id, None)]


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("/fine", "That needs a little more"),
        ("/fine 5 spam", "Who is meant?"),
        ("/fine @ana", "How much?"),
        ("/fine @ana 5", "Please say why"),
        ("/fine @ana all spam", "Here I need a number"),
        ("/fine @ana -5 spam", "An amount has no sign in front."),
        ("/fine @ana $5 spam", "I know no price in dollars here."),
        ("/fine @ana 5 USD spam", "I know no price in dollars here."),
        ("/warn @ana", "Please say why"),
        ("/forgive", "That needs a little more"),
        ("/forgive twelve kind", "I can't read twelve as the number of a fine."),
        ("/forgive 9 kind", "There is no fine 9"),
    ],
)
async def test_wrong_forms_get_a_sentence(bot: Stage, owner: User, hall: Chat, typed: str, said: str) -> None:
    bot.telegram.say(owner, bot.telegram.private(owner), "/start")
    bot.telegram.say(owner, hall, typed)
    await bot.until(lambda: bot.said(owner, hall, said) or bot.said(owner, bot.telegram.private(owner), said))
    assert bot.rows("SELECT 1 FROM violations") == []


@pytest.mark.parametrize("typed", ["/fine @ana 5 spam", "/warn @ana spam", "/forgive 1 kind", "/fines @ana"])
async def test_members_do_none_of_it(bot: Stage, ben: User, hall: Chat, typed: str) -> None:
    bot.telegram.say(ben, hall, typed)
    await bot.heard(ben, hall, "That takes the role admin here.")


async def test_a_fine_is_paid_once(bot: Stage, owner: User, ana: User, hall: Chat, private: Chat) -> None:
    await fine(bot, owner, hall)
    bot.telegram.say(ana, private, "/payfine")
    await bot.heard(ana, private, "Paid:\n1 · 2 JUNO · spam")
    bot.telegram.say(ana, private, "/payfine 1")
    await bot.heard(ana, private, "Fine 1 is settled already (paid).")
    assert (bot.balance(ana), treasury(bot)) == (TEN - 2_000_000, 2_000_000)


async def test_all_are_paid_together(bot: Stage, owner: User, ana: User, hall: Chat, private: Chat) -> None:
    await fine(bot, owner, hall)
    await fine(bot, owner, hall, "/fine @ana 3 again")
    bot.telegram.say(ana, private, "/payfine all")
    await bot.heard(ana, private, "Paid:\n1 · 2 JUNO · spam\n2 · 3 JUNO · again")
    assert treasury(bot) == 5_000_000


async def test_a_list_with_buttons_that_name_the_amount(
    bot: Stage, owner: User, ana: User, hall: Chat, private: Chat
) -> None:
    bot.telegram.say(ana, private, "/fines")
    await bot.heard(ana, private, "You owe no fines.")
    await fine(bot, owner, hall)
    await fine(bot, owner, hall, "/fine @ana 3 again")
    bot.telegram.say(ana, private, "/payfine")
    listed = await bot.heard(ana, private, "Fines you owe\n\n1 · 2 JUNO · spam\n2 · 3 JUNO · again")
    bot.clock.pass_seconds(5)
    assert await bot.answered(bot.telegram.tap(ana, listed, label="Pay fine 2: 3 JUNO")) == "Paid."
    assert treasury(bot) == 3_000_000


async def test_what_somebody_owes_is_not_told_in_the_group(
    bot: Stage, owner: User, ana: User, hall: Chat, private: Chat
) -> None:
    await fine(bot, owner, hall)
    bot.telegram.say(ana, hall, "/fines")
    await bot.heard(ana, private, "Fines you owe")
    assert bot.said(None, hall, "Fines you owe") == []


async def test_a_fine_can_be_forgiven(bot: Stage, owner: User, ana: User, hall: Chat, private: Chat) -> None:
    await fine(bot, owner, hall)
    bot.telegram.say(owner, hall, "/forgive 1 a mistake")
    await bot.heard(owner, hall, "Fine 1 of 2 JUNO is forgiven")
    await bot.heard(ana, private, "Your fine 1 of 2 JUNO in Hall was forgiven.")
    bot.telegram.say(ana, private, "/payfine all")
    await bot.heard(ana, private, "You owe no fines.")


async def test_every_open_fine_is_counted(bot: Stage, ana: User, private: Chat) -> None:
    """More than one payment settles."""
    for _ in range(MOST_AT_ONCE + 1):
        case = Case(AccountId(ana.id), -1, "a link", RULE, rule="1.1")
        await bot.service.penalties.fine(case, Price(Amount(1), JUNO.denom), ())
    bot.telegram.say(ana, private, "/status")
    assert "Open fines: 51" in (await bot.heard(ana, private, "How you stand")).text


async def test_an_admin_reads_what_somebody_owes(bot: Stage, owner: User, ana: User, hall: Chat) -> None:
    await fine(bot, owner, hall)
    office = bot.telegram.private(owner)
    bot.telegram.say(owner, office, "/fines @ana")
    await bot.heard(owner, office, "Fines of Ana\n\n1 · 2 JUNO · spam")


async def test_a_warning_stays_on_record(
    bot: Stage, owner: User, ana: User, hall: Chat, private: Chat
) -> None:
    bot.telegram.say(owner, hall, "/warn @ana off topic")
    await bot.heard(owner, hall, "Ana was warned: “off topic”")
    await bot.heard(ana, private, "You were warned in Hall: “off topic”")
    bot.telegram.say(ana, private, "/status")
    standing = await bot.heard(ana, private, "How you stand")
    assert "warned, “off topic”" in standing.text
    assert "Not in jail." in standing.text


async def test_of_others_members_learn_only_who_is_in_jail(
    bot: Stage, owner: User, ana: User, ben: User, hall: Chat
) -> None:
    await fine(bot, owner, hall)
    bot.telegram.say(ben, hall, "/status @ana")
    await bot.heard(ben, hall, "Ana is not in jail here.")
    bot.telegram.say(owner, hall, "/jail @ana 2h")
    await bot.heard(owner, hall, "🔒 Ana is in jail")
    bot.clock.pass_seconds(60)
    bot.telegram.say(ben, hall, "/status @ana")
    told = await bot.heard(ben, hall, "Ana is in jail here until")
    assert "fine" not in told.text.lower()


async def test_an_admin_reads_the_whole_record(bot: Stage, owner: User, hall: Chat) -> None:
    await fine(bot, owner, hall)
    office = bot.telegram.private(owner)
    bot.telegram.say(owner, office, "/status @ana")
    told = await bot.heard(owner, office, "How Ana stands")
    assert "Open fines: 1" in told.text


async def test_an_admin_who_lost_the_role_fines_nobody(bot: Stage, ana: User, ben: User, hall: Chat) -> None:
    await bot.service.users.appoint(CONSOLE, AccountId(ben.id), Role.ADMIN, "test")
    bot.telegram.say(ben, hall, "/fine @ana 1 spam")
    await bot.heard(ben, hall, "Ana is fined 1 JUNO")
    await bot.service.users.appoint(CONSOLE, AccountId(ben.id), Role.MEMBER, "test")
    bot.telegram.say(ben, hall, "/fine @ana 1 spam")
    await bot.heard(ben, hall, "That takes the role admin here.")
    assert len(bot.rows("SELECT 1 FROM fines")) == 1


async def test_dollars_become_an_amount_that_stays(
    bot: Stage, owner: User, ana: User, hall: Chat, private: Chat
) -> None:
    said = ["0.25"]
    http = httpx.MockTransport(lambda _: httpx.Response(200, json={"usd": said[0]}))
    source = PriceSource("https://prices.example", ("usd",), 60)
    await bot.stop()
    bot.prices = Prices(source, JUNO, bot.clock, http)
    await bot.start()
    bot.telegram.say(owner, hall, "/fine @ana $1 spam")
    await bot.heard(owner, hall, "Ana is fined 4 JUNO ($1.00): “spam”")
    said[0] = "100"
    bot.clock.pass_seconds(600)
    bot.telegram.say(owner, hall, "/jail @ana 2h 5 USD spam")
    assert "Bail is 0.05 JUNO ($5.00)." in (await bot.heard(owner, hall, "🔒 Ana is in jail")).text
    said[0] = "nothing"
    bot.clock.pass_seconds(600)
    bot.telegram.say(owner, hall, "/fine @ana $1 again")
    await bot.heard(owner, hall, "Nobody tells me the price in dollars at the moment.")
    bot.telegram.say(ana, private, "/payfine all")
    await bot.heard(ana, private, "Paid:\n1 · 4 JUNO ($1.00) · spam")
    assert treasury(bot) == 4_000_000
