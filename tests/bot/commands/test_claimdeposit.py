"""/claimdeposit: the sender signs a text and has their deposit; nobody else does, and nobody twice."""

import base64
import json

import pytest

from chain import cosmos
from chain.adr36 import KEY_TYPE, signed_bytes
from ledger.accounts import UNCLAIMED
from ledger.challenges import LIFE_MS
from sandbox.telegram import Chat, Message, User
from tests.bot.commands.test_send import met
from tests.bot.commands.test_unclaimed import TX, arrive
from tests.bot.stage import JUNO, Stage
from tests.contract.signing import Person

PURSE, STRANGER = Person.named("the purse that sent it"), Person.named("a stranger")
CONTRACT = "juno1" + "q" * 52 + "wp2xxr"


@pytest.fixture
async def deposit(bot: Stage, ana: User, ben: User) -> int:
    """10 JUNO in two outputs of one transaction, sent from the purse with an unusable memo; Ana and Ben are known."""
    await met(bot, ana, ben)
    return (await arrive(bot, amount=5_000_000, sender=PURSE.address, outputs=2))[0]


@pytest.fixture
def chat(bot: Stage, ana: User) -> Chat:
    return bot.telegram.private(ana)


def left(bot: Stage) -> int:
    return bot.service.reader.balance(UNCLAIMED, JUNO.denom)


def document(question: Message) -> str:
    """Return the text to sign, as the copy button gives it."""
    (key,) = [key for row in question.buttons for key in row if "copy_text" in key]
    return str(key["copy_text"]["text"])


async def asked(bot: Stage, who: User, deposit: int | str) -> str:
    """Return the text that ``who`` was given to sign."""
    chat = bot.telegram.private(who)
    bot.telegram.say(who, chat, f"/claimdeposit {deposit}")
    return document(await bot.heard(who, chat, "Sign this text with juno1"))


def signed(text: str, key: Person = PURSE, signer: Person = PURSE) -> str:
    """Return what a wallet gives for ``text``."""
    signature = cosmos.sign(key.key, signed_bytes(signer.address, text))
    value, shown = (base64.b64encode(each).decode() for each in (key.public_key, signature))
    return json.dumps({"pub_key": {"type": KEY_TYPE, "value": value}, "signature": shown})


def bare(text: str) -> str:
    """Return it as two words."""
    given = json.loads(signed(text))
    return f"{given['signature']} {given['pub_key']['value']}"


# How it is done


async def test_the_sender_signs_and_has_it(bot: Stage, ana: User, chat: Chat, deposit: int) -> None:
    text = await asked(bot, ana, deposit)
    assert text.startswith(
        f"Moneta: deposit {deposit} goes to Telegram account 11. Bot {bot.account.user.id}, "
    )
    assert PURSE.address in text
    bot.telegram.say(ana, chat, f"/claimdeposit {deposit} {signed(text)}")
    await bot.heard(ana, chat, "10 JUNO is yours now.")
    assert (bot.balance(ana), left(bot)) == (10_000_000, 0)


@pytest.mark.parametrize(
    "form", ["{wallet}", "/claimdeposit {wallet}", "/claimdeposit {bare}", f"/claimdeposit {TX} {{bare}}"]
)
async def test_the_answer_comes_in_any_form(
    bot: Stage, ana: User, chat: Chat, deposit: int, form: str
) -> None:
    text = await asked(bot, ana, TX.lower())
    bot.telegram.say(ana, chat, form.format(wallet=signed(text), bare=bare(text)))
    await bot.heard(ana, chat, "10 JUNO is yours now.")
    assert bot.balance(ana) == 10_000_000


async def test_the_operators_read_of_it(bot: Stage, ana: User, owner: User, chat: Chat, deposit: int) -> None:
    await met(bot, owner)
    bot.telegram.say(ana, chat, signed(await asked(bot, ana, deposit)))
    line = await bot.heard(owner, bot.telegram.private(owner), "Ana claimed 10 JUNO")
    assert PURSE.address in line.text


async def test_asking_again_shows_the_same_text(bot: Stage, ana: User, chat: Chat, deposit: int) -> None:
    text = await asked(bot, ana, deposit)
    bot.telegram.say(ana, chat, f"/claimdeposit {deposit}")
    again = await bot.heard(ana, chat, "Sign this text with juno1", times=2)
    assert document(again) == text


async def test_a_group_learns_nothing_of_whose_an_address_is(
    bot: Stage, ana: User, plaza: Chat, deposit: int
) -> None:
    bot.telegram.say(ana, plaza, f"/claimdeposit {deposit}")
    await bot.heard(ana, plaza, "/claimdeposit works in private chat with me.")
    assert bot.rows("SELECT 1 FROM wallet_challenges") == []


async def test_a_wallets_json_in_a_group_is_talk(bot: Stage, ana: User, plaza: Chat, deposit: int) -> None:
    text = await asked(bot, ana, deposit)
    bot.telegram.say(ana, plaza, signed(text))
    await bot.settled()
    assert (bot.said(ana, plaza), left(bot)) == ([], 10_000_000)


# What brings nothing


async def test_a_replayed_signature_is_told_to_be_used(
    bot: Stage, ana: User, chat: Chat, deposit: int
) -> None:
    answer = signed(await asked(bot, ana, deposit))
    bot.telegram.say(ana, chat, answer)
    await bot.heard(ana, chat, "10 JUNO is yours now.")
    await arrive(bot, amount=1, sender=PURSE.address, tx=TX[::-1])
    bot.telegram.say(ana, chat, answer)
    await bot.heard(ana, chat, "That signature was used already")
    assert bot.balance(ana) == 10_000_000


async def test_a_signature_given_to_one_person_serves_no_other(
    bot: Stage, ana: User, ben: User, deposit: int
) -> None:
    """Ben has seen Ana's answer, and has a text of his own."""
    answer = signed(await asked(bot, ana, deposit))
    await asked(bot, ben, deposit)
    bens = bot.telegram.private(ben)
    bot.telegram.say(ben, bens, answer)
    await bot.heard(ben, bens, "That signature does not fit.")
    assert (bot.balance(ben), left(bot)) == (0, 10_000_000)


async def test_without_a_text_nothing_is_compared(bot: Stage, ana: User, ben: User, deposit: int) -> None:
    bens = bot.telegram.private(ben)
    bot.telegram.say(ben, bens, signed(await asked(bot, ana, deposit)))
    await bot.heard(ben, bens, "I have not given you a text for that yet")
    assert left(bot) == 10_000_000


@pytest.mark.parametrize(("key", "signer"), [(STRANGER, STRANGER), (STRANGER, PURSE)])
async def test_another_key_proves_nothing(
    bot: Stage, ana: User, deposit: int, key: Person, signer: Person
) -> None:
    chat = bot.telegram.private(ana)
    bot.telegram.say(ana, chat, signed(await asked(bot, ana, deposit), key, signer))
    told = await bot.heard(ana, chat, "That signature does not fit.")
    assert f"I need {PURSE.address[:9]}…{PURSE.address[-4:]}" in told.text
    assert left(bot) == 10_000_000


async def test_a_text_that_is_too_old_is_given_anew(bot: Stage, ana: User, chat: Chat, deposit: int) -> None:
    answer = signed(await asked(bot, ana, deposit))
    bot.clock.pass_seconds(LIFE_MS / 1000 + 1)
    bot.telegram.say(ana, chat, answer)
    await bot.heard(ana, chat, "That text is too old by now.")
    assert left(bot) == 10_000_000


async def test_of_two_who_hold_the_key_one_gets_it(bot: Stage, ana: User, ben: User, deposit: int) -> None:
    answers = {who.id: signed(await asked(bot, who, deposit)) for who in (ana, ben)}
    for who in (ana, ben):
        bot.telegram.say(who, bot.telegram.private(who), answers[who.id])
    await bot.settled()
    assert sorted([bot.balance(ana), bot.balance(ben)]) == [0, 10_000_000]
    loser = ana if bot.balance(ana) == 0 else ben
    assert bot.said(loser, bot.telegram.private(loser), f"Nothing of deposit {deposit} waits any more")


@pytest.mark.parametrize("sender", ["", f"{PURSE.address},{STRANGER.address}", CONTRACT, "cosmos1abc"])
async def test_what_no_single_key_sent_is_an_admins_to_assign(
    bot: Stage, ana: User, chat: Chat, sender: str
) -> None:
    await met(bot, ana)
    (number,) = await arrive(bot, sender=sender)
    bot.telegram.say(ana, chat, f"/claimdeposit {number}")
    await bot.heard(ana, chat, f"Deposit {number} has no single address that could sign for it.")


async def test_a_transaction_of_two_senders_is_asked_about(
    bot: Stage, ana: User, chat: Chat, deposit: int
) -> None:
    await arrive(bot, sender=STRANGER.address, path="1")
    bot.telegram.say(ana, chat, f"/claimdeposit {TX}")
    await bot.heard(ana, chat, "That transaction brought 3 that wait")


@pytest.mark.parametrize(
    "typed_and_told",
    [
        ("", "That needs a little more: /claimdeposit <transaction> [signature]"),
        ("mine", "I can't read “mine” as a deposit."),
        ("{deposit} hello", "I can't read that as a signature."),
        ("hello there", "I can't read that as a signature."),
        ('{{"pub_key": 5}}', "I can't read that as a signature."),
        ("999", "There is no unclaimed deposit 999."),
    ],
)
async def test_what_cannot_be_read_is_told(
    bot: Stage, ana: User, chat: Chat, deposit: int, typed_and_told: tuple[str, str]
) -> None:
    typed, told = typed_and_told
    bot.telegram.say(ana, chat, f"/claimdeposit {typed.format(deposit=deposit)}")
    await bot.heard(ana, chat, told)
