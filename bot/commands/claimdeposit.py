"""/claimdeposit: whoever sent an unclaimed deposit takes it by a signature of the sending address.

First the deposit is named, and the answer is a text to sign; then comes what the wallet gave, behind the command or by
itself. Only in private: a signature says whose an address is.
"""

from collections.abc import Awaitable
from typing import Final

from bot.context import Context
from bot.deposits import ambiguous, named_deposits, names_deposit, short_address
from bot.registry import Command
from bot.results import Answer, Effect, Result
from chain.address import decode, encode, key_address
from chain.adr36 import Proof, proves, read_proof
from ledger.challenges import Challenge, Claim, Claimed, Question, facts_of
from ledger.errors import Refused
from ledger.unclaimed import Unclaimed
from ledger.units import Beside

KEY_ADDRESS_BYTES: Final = 20
NONCE_BITS: Final = 96


async def claim_deposit(context: Context) -> Result:
    """Ask for a signature, or take one.

    Raises Refused ``command_incomplete``, the codes of `bot.deposits.named_deposits` and `chain.adr36.read_proof`,
    ``deposit_without_sender``, ``signature_wrong``, ``challenge_missing`` and those of `ledger.challenges`.
    """
    words = context.args.split(maxsplit=1)
    if not words:
        raise Refused("command_incomplete", usage=COMMAND.usage, example=COMMAND.examples[0])
    if len(words) == 1 and not is_proof(context.args):
        return _ask(context, _of_one_sender(named_deposits(words[0], context.bank.service.unclaimed)))
    if names_deposit(words[0]):
        rows = named_deposits(words[0], context.bank.service.unclaimed)
        return _claim(context, read_proof(words[1]), {row.id for row in rows})
    return _claim(context, read_proof(context.args), None)


def is_proof(text: str) -> bool:
    """Tell whether ``text`` is what a wallet gives, not words: it may be sent without a command."""
    return text.lstrip().startswith("{") and "pub_key" in text


def _of_one_sender(found: list[Unclaimed]) -> Unclaimed:
    """Return the first row that waits, when all that wait come from one address. Raises Refused ``deposit_ambiguous``."""
    waiting = [each for each in found if each.remaining]
    if len({each.sender for each in waiting}) > 1:
        raise ambiguous(waiting)
    return waiting[0] if waiting else found[0]


def _ask(context: Context, row: Unclaimed) -> Effect[Challenge]:
    bank = context.bank
    address = _key_address(row, bank.wallet.prefix)
    question = Question(
        context.account, row.id, address, bank.me.id, f"{bank.random.getrandbits(NONCE_BITS):024x}"
    )

    def answer(challenge: Challenge) -> Answer:
        minutes = -(-(challenge.expires_at - context.now) // 60_000)
        facts = {**challenge._asdict(), "minutes": minutes, "sender": short_address(challenge.address)}
        return Answer("claim.asks", facts, private=True)

    return Effect(lambda beside: bank.service.challenges.ask(question, beside), answer)


def _key_address(row: Unclaimed, prefix: str) -> str:
    """Return the address of a single key that sent ``row``, in lower case. Raises Refused ``deposit_without_sender``.

    Coins that no message brought have no sender, several purses have several, and a contract cannot sign.
    """
    try:
        raw = decode(row.sender, prefix)
    except Refused as refusal:
        raise Refused("deposit_without_sender", deposit=row.id) from refusal
    if len(raw) != KEY_ADDRESS_BYTES:
        raise Refused("deposit_without_sender", deposit=row.id)
    return encode(prefix, raw)


def _claim(context: Context, proof: Proof, deposits: set[int] | None) -> Effect[Claimed]:
    """Return the claim that ``proof`` answers; ``deposits`` are what its sender named, None when they named nothing."""
    bank = context.bank
    challenge = _answered(context, proof, deposits)
    claim = Claim(context.account, challenge.nonce, proof.text())
    told = {"who": bank.names.shown(context.account)}

    def perform(beside: Beside) -> Awaitable[Claimed]:
        return bank.service.challenges.claim(context.key, claim, beside, told)

    return Effect(perform, lambda claimed: Answer("claim.done", facts_of(claimed), private=True))


def _answered(context: Context, proof: Proof, deposits: set[int] | None) -> Challenge:
    """Return the text that ``proof`` signed, among those that the asker was given; used and expired ones too.

    Raises Refused ``challenge_missing`` and ``signature_wrong``.
    """
    prefix = context.bank.wallet.prefix
    asked = [
        each
        for each in context.bank.service.challenges.asked(context.account)
        if deposits is None or each.deposit in deposits
    ]
    if not asked:
        raise Refused("challenge_missing")
    for each in asked:
        if proves(proof, prefix, each.address, each.document):
            return each
    signer = short_address(encode(prefix, key_address(proof.public_key)))
    raise Refused("signature_wrong", sender=short_address(asked[0].address), signer=signer)


COMMAND = Command(
    "claimdeposit",
    "take a deposit that you sent without your memo",
    claim_deposit,
    "<transaction> [signature]",
    in_group=False,
    moves_money=True,
    examples=("/claimdeposit 123", "/claimdeposit 5F3A…"),
    hears=is_proof,
)
