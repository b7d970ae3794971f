"""/shared: one balance of several people, in private whoever asks where, within what each of them may do."""

import pytest

from ledger.accounts import AccountId
from ledger.audit import audit
from sandbox.telegram import Chat, Message, User
from tests.bot.stage import JUNO, Stage

TEN = 10_000_000
PICNIC = AccountId(-100)
DAY_SECONDS = 24 * 3600


@pytest.fixture
async def at_ana(bot: Stage, ana: User, ben: User) -> Chat:
    """Ana's private chat; she has ten, and has opened Picnic. Ben is known."""
    await bot.fund(ana, TEN)
    bot.telegram.say(ben, bot.telegram.private(ben), "/start")
    await bot.settled()
    chat = bot.telegram.private(ana)
    await asked(bot, ana, "/shared new Picnic", "Picnic is open, and its number is 100.")
    return chat


@pytest.fixture
def at_ben(bot: Stage, ben: User) -> Chat:
    return bot.telegram.private(ben)


async def asked(bot: Stage, who: User, text: str, said: str) -> Message:
    """Let ``who`` write ``text`` in private and wait for the answer that begins with ``said``."""
    chat = bot.telegram.private(who)
    before = len(bot.said(who, chat, said))
    bot.telegram.say(who, chat, text)
    return await bot.heard(who, chat, said, times=before + 1)


async def joined(bot: Stage, ana: User, ben: User, terms: str) -> None:
    """Let Ana invite Ben to Picnic, and Ben accept."""
    await asked(bot, ana, f"/shared 100 invite @ben {terms}", "Ben is invited to Picnic")
    invitation = await bot.heard(ben, bot.telegram.private(ben), "Ana invites you")
    bot.telegram.tap(ben, invitation, label="Join Picnic")
    await bot.heard(ben, bot.telegram.private(ben), "You are in Picnic (100) now")


def held(bot: Stage) -> int:
    return bot.service.reader.balance(PICNIC, JUNO.denom)


async def test_without_one_the_list_says_how_to_open_one(bot: Stage, ana: User) -> None:
    await asked(bot, ana, "/shared", "You have no shared account.")


async def test_coins_go_in_and_are_paid_out(bot: Stage, ana: User, ben: User, at_ana: Chat) -> None:
    await asked(bot, ana, "/shared 100 deposit 5", "You put 5 JUNO into Picnic; 5 JUNO is in it now.")
    sent = await asked(bot, ana, "/shared picnic send 2 @ben for ice", "Sent 2 JUNO from Picnic to Ben.")
    assert "“for ice”\n3 JUNO is left in Picnic. Receipt" in sent.text
    news = await bot.heard(
        ben, bot.telegram.private(ben), "Ana sent you 2 JUNO from the shared account Picnic."
    )
    assert "“for ice”" in news.text
    assert (bot.balance(ana), held(bot), bot.balance(ben)) == (5_000_000, 3_000_000, 2_000_000)


async def test_the_card_shows_balance_members_and_the_way_from_the_chain(
    bot: Stage, ana: User, ben: User, at_ana: Chat
) -> None:
    await joined(bot, ana, ben, "spend 1 3")
    await asked(bot, ana, "/shared 100 deposit 5", "You put 5 JUNO")
    card = await asked(bot, ben, "/shared #100", "Picnic · shared account 100")
    assert "In it: 5 JUNO" in card.text
    assert "• Ana (11): pays from it, invites, and closes it\n" in card.text
    assert "• Ben (22): pays from it, 1 JUNO at once and 3 JUNO in 24 hours at most\n" in card.text
    assert "with the memo\nshared:100" in card.text
    labels = [key["text"] for row in card.buttons for key in row]
    assert labels == ["Copy the address", "Copy the memo shared:100", "Put coins in", "History"]


async def test_a_button_puts_coins_in(bot: Stage, ana: User, at_ana: Chat) -> None:
    card = await asked(bot, ana, "/shared 100", "Picnic · shared account 100")
    bot.telegram.tap(ana, card, label="Put coins in")
    question = await bot.heard(ana, at_ana, "Put coins into Picnic")
    bot.telegram.tap(ana, question, label="5 JUNO")
    await bot.heard(ana, at_ana, "You put 5 JUNO into Picnic")
    assert held(bot) == 5_000_000


async def test_a_member_spends_within_the_limits_and_no_more(
    bot: Stage, ana: User, ben: User, at_ana: Chat
) -> None:
    await asked(bot, ana, "/shared 100 deposit 9", "You put 9 JUNO")
    await joined(bot, ana, ben, "spend 2 3")
    await asked(bot, ben, "/shared 100 send 3 @ana", "2 JUNO is the most that you may take out")
    await asked(bot, ben, "/shared 100 send 2 @ben", "Sent 2 JUNO from Picnic to Ben.")
    refused = await asked(bot, ben, "/shared 100 send 2 @ben", "3 JUNO is the most that you may take out")
    assert "1 JUNO of it is left to you now.\nNothing moved." in refused.text
    bot.clock.pass_seconds(DAY_SECONDS + 60)
    await asked(bot, ben, "/shared 100 send 2 @ben again", "Sent 2 JUNO from Picnic to Ben.\n“again”")
    assert held(bot) == 5_000_000


async def test_a_viewer_sees_and_puts_in_but_does_not_spend(
    bot: Stage, ana: User, ben: User, at_ana: Chat
) -> None:
    await bot.fund(ben, TEN)
    await joined(bot, ana, ben, "view")
    await asked(bot, ben, "/shared 100 deposit 1", "You put 1 JUNO into Picnic")
    await asked(bot, ben, "/shared 100 send 1 @ben", "In Picnic that takes the role spend.")
    await asked(bot, ben, "/shared 100 invite @ana view", "In Picnic that takes the role admin.")
    await asked(bot, ben, "/shared 100 close", "In Picnic that takes the role admin.")


async def test_whoever_has_no_part_learns_nothing(bot: Stage, ana: User, ben: User, at_ana: Chat) -> None:
    await asked(bot, ben, "/shared 100", "You have no part in a shared account 100.")
    await asked(bot, ben, "/shared Picnic", "You have no shared account called “Picnic”.")
    await asked(bot, ben, "/shared 100 deposit 1", "You have no part in a shared account 100.")


async def test_an_invitation_does_not_hide_an_account_of_ones_own(
    bot: Stage, ana: User, ben: User, at_ana: Chat
) -> None:
    await asked(bot, ana, "/shared 100 deposit 5", "You put 5 JUNO into Picnic")
    await asked(bot, ben, "/shared new Picnic send 2", "Picnic send 2 is open, and its number is 101.")
    await asked(bot, ben, "/shared 101 invite @ana view", "Ana is invited to Picnic send 2")
    await asked(bot, ana, "/shared Picnic send 2 @ben", "Sent 2 JUNO from Picnic to Ben.")


async def test_an_invitation_is_nothing_before_the_yes(
    bot: Stage, ana: User, ben: User, at_ana: Chat, at_ben: Chat
) -> None:
    await asked(bot, ana, "/shared 100 invite @ben admin", "Ben is invited to Picnic")
    await asked(bot, ben, "/shared 100", "You are invited to Picnic and have not said yes.")
    listed = await asked(bot, ben, "/shared", "Your shared accounts")
    assert "Ana invites you: pays from it, invites, and closes it" in listed.text
    bot.telegram.tap(ben, listed, label="No, thanks")
    await bot.heard(ben, at_ben, "All right, you are not in Picnic.")
    await bot.heard(ana, at_ana, "Ben would rather not join Picnic")
    await asked(bot, ben, "/shared 100", "You have no part in a shared account 100.")


async def test_the_invitation_of_lost_books_is_to_nothing_else(
    bot: Stage, ana: User, ben: User, at_ana: Chat, at_ben: Chat
) -> None:
    """Books from a backup give the number of a lost invitation to another one; the old one still stands in the chat."""
    await asked(bot, ana, "/shared new Boat", "Boat is open, and its number is 101.")
    copy = bot.copy()
    await asked(bot, ana, "/shared 100 invite @ben view", "Ben is invited to Picnic")
    stale = await bot.heard(ben, at_ben, "Ana invites you")
    accept = stale.buttons[0][0]["callback_data"]
    await bot.put_back(copy)
    await asked(bot, ana, "/shared 101 invite @ben view", "Ben is invited to Boat")
    await bot.settled()
    assert await bot.answered(bot.telegram.tap(ben, stale, forged=accept))
    await asked(bot, ben, "/shared 101", "You are invited to Boat and have not said yes.")


async def test_an_invitation_counts_for_whom_it_was_made(
    bot: Stage, ana: User, ben: User, at_ana: Chat, at_ben: Chat
) -> None:
    """Whoever forges its button is told that it is another's."""
    carl = bot.telegram.person("Carl", "carl", user_id=44)
    await asked(bot, carl, "/shared new Club", "Club is open")
    listed = await asked(bot, carl, "/shared", "Your shared accounts")
    await asked(bot, ana, "/shared 100 invite @ben admin", "Ben is invited to Picnic")
    invitation = await bot.heard(ben, at_ben, "Ana invites you")
    query = bot.telegram.tap(carl, listed, forged=invitation.buttons[0][0]["callback_data"])
    assert "somebody else's" in await bot.answered(query)
    assert bot.rows("SELECT person FROM shared_members WHERE state = 'joined' AND account = -100") == [(11,)]


async def test_a_revoked_member_is_told_and_has_no_part_any_more(
    bot: Stage, ana: User, ben: User, at_ana: Chat, at_ben: Chat
) -> None:
    await joined(bot, ana, ben, "admin")
    card = await asked(bot, ben, "/shared 100", "Picnic · shared account 100")
    await asked(bot, ana, "/shared 100 revoke @ben", "Ben has no part in Picnic any more.")
    await bot.heard(ben, at_ben, "Ana ended your part in the shared account Picnic (100).")
    bot.telegram.tap(ben, card, label="History")
    await bot.heard(ben, at_ben, "You have no part in a shared account 100.")


async def test_who_is_gone_before_the_yes_to_a_doubtful_name_pays_nothing(
    bot: Stage, ana: User, ben: User, at_ana: Chat, at_ben: Chat
) -> None:
    await asked(bot, ana, "/shared 100 deposit 5", "You put 5 JUNO")
    await joined(bot, ana, ben, "spend")
    bot.clock.pass_seconds(91 * DAY_SECONDS)
    ana.username = None
    bot.telegram.say(ben, at_ben, "/shared 100 send 5 @ana")
    question = await bot.heard(ben, at_ben, "I have not seen @ana for long")
    await asked(bot, ana, "/shared 100 revoke 22", "Ben has no part in Picnic any more.")
    bot.telegram.tap(ben, question, label="Yes, send")
    await bot.heard(ben, at_ben, "You have no part in a shared account 100.")
    assert held(bot) == 5_000_000


async def test_roles_and_limits_change_and_the_member_hears_of_it(
    bot: Stage, ana: User, ben: User, at_ana: Chat, at_ben: Chat
) -> None:
    await joined(bot, ana, ben, "view")
    await asked(
        bot, ana, "/shared 100 role @ben spend 5", "Ben in Picnic from now on: pays from it, 5 JUNO at once"
    )
    await bot.heard(
        ben, at_ben, "Ana changed your part in Picnic (100): pays from it, 5 JUNO at once at most."
    )
    await asked(
        bot,
        ana,
        "/shared 100 limit 22 none 20",
        "Ben in Picnic from now on: pays from it, 20 JUNO in 24 hours",
    )
    await asked(bot, ana, "/shared 100 limit 22 none", "Ben in Picnic from now on: pays from it.")


async def test_the_last_admin_stays(bot: Stage, ana: User, ben: User, at_ana: Chat) -> None:
    await joined(bot, ana, ben, "spend")
    await asked(bot, ana, "/shared 100 leave", "An open account keeps an admin.")
    await asked(bot, ana, "/shared 100 role @ana view", "An open account keeps an admin.")
    await asked(bot, ana, "/shared 100 role @ben admin", "Ben in Picnic from now on")
    await asked(bot, ana, "/shared 100 leave", "You have left Picnic.")
    await bot.heard(ben, bot.telegram.private(ben), "Ana has left Picnic (100).")


async def test_history_tells_who_and_goes_both_ways(bot: Stage, ana: User, ben: User, at_ana: Chat) -> None:
    await asked(bot, ana, "/shared 100 deposit 5", "You put 5 JUNO")
    await asked(bot, ana, "/shared 100 send 2 @ben tea", "Sent 2 JUNO")
    page = await asked(bot, ana, "/shared 100 history", "Picnic (100) · JUNO")
    assert "-2 JUNO to Ben, by Ana\n“tea”" in page.text
    assert "+5 JUNO from Ana\n" in page.text
    own = await asked(bot, ben, "/history", "Your JUNO")
    assert "+2 JUNO from the shared account Picnic, by Ana\n“tea”" in own.text
    mine = await asked(bot, ana, "/history", "Your JUNO")
    assert "-5 JUNO into the shared account Picnic\n" in mine.text


async def test_an_empty_account_closes_for_good_and_its_history_stays(
    bot: Stage, ana: User, ben: User, at_ana: Chat, at_ben: Chat
) -> None:
    await joined(bot, ana, ben, "view")
    await asked(bot, ana, "/shared 100 deposit 5", "You put 5 JUNO")
    await asked(bot, ana, "/shared 100 close", "There is still 5 JUNO in Picnic.")
    await asked(bot, ana, "/shared 100 send all @ana", "Sent 5 JUNO from Picnic to Ana.")
    await asked(bot, ana, "/shared 100 close", "Picnic is closed.")
    await bot.heard(ben, at_ben, "Ana closed the shared account Picnic (100).")
    await asked(bot, ana, "/shared 100 deposit 5", "Picnic is closed.")
    await asked(bot, ben, "/shared 100 history", "Picnic (100) · JUNO")
    await asked(bot, ben, "/shared 100", "Picnic · shared account 100\n\nIt is closed.")
    await asked(bot, ana, "/shared new Picnic", "Picnic is open, and its number is 101.")
    await bot.stop()
    # Coins of these tests come from no transaction of the chain.
    found = [each for each in audit(bot.path).problems if "is a deposit of" not in each]
    assert found == []


async def test_in_a_group_nobody_reads_what_is_in_it(
    bot: Stage, ana: User, ben: User, at_ana: Chat, plaza: Chat
) -> None:
    bot.telegram.say(ana, plaza, "/shared 100 deposit 5")
    await bot.heard(ana, at_ana, "You put 5 JUNO into Picnic")
    bot.telegram.say(ana, plaza, "/shared 100 send 9 @ben")
    await bot.heard(ana, at_ana, "That takes 9 JUNO, and Picnic has 5 JUNO.")
    bot.telegram.say(ana, plaza, "/shared")
    await bot.heard(ana, at_ana, "Your shared accounts")
    await bot.settled()
    assert bot.said(ben, plaza) == []


async def test_a_reply_names_who_is_meant(
    bot: Stage, ana: User, ben: User, at_ana: Chat, plaza: Chat
) -> None:
    await asked(bot, ana, "/shared 100 deposit 5", "You put 5 JUNO")
    joke = bot.telegram.say(ben, plaza, "a joke")
    bot.telegram.say(ana, plaza, "/shared 100 send 1 haha", reply_to=joke)
    await bot.heard(ana, at_ana, "Sent 1 JUNO from Picnic to Ben.")
    bot.telegram.say(ana, plaza, "/shared 100 invite spend 1", reply_to=joke)
    await bot.heard(ana, at_ana, "Ben is invited to Picnic: pays from it, 1 JUNO at once at most.")


async def test_names_of_several_words_are_read_whole(bot: Stage, ana: User, at_ana: Chat) -> None:
    await asked(bot, ana, "/shared new Picnic on  Sunday", "Picnic on Sunday is open, and its number is 101.")
    await asked(bot, ana, "/shared picnic on sunday deposit 1", "You put 1 JUNO into Picnic on Sunday")
    await asked(bot, ana, "/shared 101 rename Feast", "Picnic on Sunday is called Feast now")
    await asked(bot, ana, "/shared FEAST", "Feast · shared account 101")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("/shared 101", "You have no part in a shared account 101."),
        ("/shared Feast deposit 5", "You have no shared account called “Feast”."),
        ("/shared 100 dance", "I don't know what “dance” is about a shared account."),
        ("/shared new", "What shall it be called?"),
        ("/shared new PICNIC", "There is an open shared account called “PICNIC”."),
        ("/shared new 100", "“100” would be read as something else."),
        ("/shared new @ben", "“@ben” would be read as something else."),
        ("/shared new new York", "“new York” would be read as something else."),
        ("/shared new " + "x" * 33, "That name is too long: 32 characters at most."),
        ("/shared 100 deposit five", "I can't read five as an amount."),
        ("/shared 100 deposit 5 please", "I don't know what “please” is for there."),
        ("/shared 100 deposit 11", "That takes 11 JUNO, and you have 10 JUNO."),
        ("/shared 100 send", "How much, and to whom? /shared 100 send 5 @name"),
        ("/shared 100 send 5", "To whom?"),
        ("/shared 100 withdraw 5 juno1", "Coins leave for the chain from somebody's own balance."),
        ("/shared 100 send all @ben", "There is no JUNO in it to send."),
        ("/shared 100 send 5 @ben", "That takes 5 JUNO, and Picnic has 0 JUNO."),
        ("/shared 100 invite @ben", "As what?"),
        ("/shared 100 invite @ben king", "“king” is no role."),
        ("/shared 100 invite spend", "To whom?"),
        ("/shared 100 invite @ben view 5", "Whoever only views spends nothing"),
        ("/shared 100 invite @ben spend 5 20 30", "Two limits at most"),
        ("/shared 100 invite @ben spend all", "Here I need a number, not “all”."),
        ("/shared 100 invite @ana spend", "That would go from you to yourself."),
        ("/shared 100 limit @ben", "Which limits?"),
        ("/shared 100 limit @ben 5", "They have no part in Picnic."),
        ("/shared 100 role @ben admin", "They have no part in Picnic."),
        ("/shared 100 revoke @ben", "They have no part in Picnic."),
        ("/shared 100 revoke 999", "They have no part in Picnic."),
        ("/shared 100 revoke", "Who is meant?"),
        ("/shared 100 history ATOM", "I don't keep ATOM here"),
        ("/shared 100 rename", "What shall it be called?"),
        ("/shared 100 close now", "I don't know what “now” is for there."),
    ],
)
async def test_a_refusal_says_what_to_do_and_nothing_moves(
    bot: Stage, ana: User, at_ana: Chat, text: str, said: str
) -> None:
    answer = await asked(bot, ana, text, said)
    assert "Nothing moved. Reference" in answer.text
    assert (bot.balance(ana), held(bot)) == (TEN, 0)
