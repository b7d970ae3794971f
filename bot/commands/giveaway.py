"""/giveaway and /cancelgiveaway: coins for whoever presses the button below the card (product.md, Giveaway).

The card is one message, shown anew as it changes. Whose money it is, is decided by the command that was typed: no button
bears it, and the books look at the role again when they commit.
"""

import re
from collections.abc import Awaitable
from typing import Final

from bot.chatsettings import settings_of
from bot.context import Context
from bot.giveaways import card, card_of
from bot.html import clean_name
from bot.offers import read_offer
from bot.registry import Command
from bot.results import Answer, Choice, Effect, Result, toasted
from ledger.accounts import BOT_TREASURY
from ledger.claims import CHANGED, Claim, Over, Press
from ledger.errors import Refused
from ledger.money import Amount
from ledger.offers import MOST_SLOTS, Giveaway, Mode, Offer, facts_of
from ledger.packets import SEED_BITS, seed_of
from ledger.roles import Role
from ledger.units import Beside

OFFERED_SLOTS: Final = (10, 25, 50, 100)
_NUMBER: Final = re.compile(r"#?([0-9]{1,15})", re.ASCII)


async def giveaway(context: Context) -> Result:
    """Begin a giveaway, or ask for how many.

    Raises Refused ``command_incomplete``, ``giveaway_hidden``, ``giveaway_small`` and the codes of `bot.offers.read_offer`.
    """
    if not context.args:
        raise Refused("command_incomplete", usage=COMMANDS[0].usage, example=COMMANDS[0].examples[0])
    if context.ephemeral:
        raise Refused("giveaway_hidden")
    typed = read_offer(context.args, context.bank.assets)
    offer = Offer(
        context.account,
        BOT_TREASURY if typed.treasury else context.account,
        context.chat.id,
        typed.asset.denom,
        typed.total,
        typed.slots or 0,
        typed.mode,
        typed.lasts_seconds,
        typed.reason,
    )
    return _begin(context, offer) if typed.slots else _ask(offer)


def _ask(offer: Offer) -> Answer:
    """Return the question for how many; its buttons bear no source: it is the presser's own balance."""
    fitting = [slots for slots in OFFERED_SLOTS if slots <= offer.total]
    if not fitting:
        raise Refused("giveaway_small", amount=offer.total, denom=offer.denom, slots=OFFERED_SLOTS[0])
    said = {"total": offer.total, "denom": offer.denom, "mode": offer.mode.value}
    arguments = {**said, "lasts_seconds": offer.lasts_seconds}
    choices = tuple(Choice("giveaway.slots", {**arguments, "slots": slots}) for slots in fitting)
    return Answer("giveaway.asks", {**said, "limit": MOST_SLOTS}, choices=choices)


async def choose(context: Context) -> Result:
    """Begin the giveaway with the number of slots that was pressed, from the presser's own balance."""
    said = context.arguments
    offer = Offer(
        context.account,
        context.account,
        context.chat.id,
        said["denom"],
        Amount(said["total"]),
        said["slots"],
        Mode(said["mode"]),
        said["lasts_seconds"],
    )
    return _begin(context, offer)


def _begin(context: Context, offer: Offer) -> Effect[Giveaway]:
    seed = seed_of(context.bank.random.getrandbits(SEED_BITS))
    creator = clean_name(context.who.name, f"member {context.who.id}")

    def perform(beside: Beside) -> Awaitable[Giveaway]:
        return context.bank.service.giveaways.create(
            offer, context.actor, key=context.key, seed=seed, beside=beside
        )

    needs = Role.ADMIN if offer.funder == BOT_TREASURY else Role.MEMBER
    return Effect(perform, lambda begun: card_of(begun, creator), needs)


async def claim(context: Context) -> Result:
    """Claim a slot of the giveaway whose card was pressed; the books look where."""
    press = Press(int(context.arguments["giveaway"]), context.account, context.chat.id)

    def perform(beside: Beside) -> Awaitable[Claim]:
        return context.bank.service.giveaways.claim(
            press, lambda view: settings_of(view, press.chat).eligibility, key=context.key, beside=beside
        )

    return Effect(perform, _claimed)


def _claimed(claimed: Claim) -> Answer:
    if claimed.amount is None:
        return toasted("giveaway.joined")
    return toasted("giveaway.claimed", {"amount": claimed.amount, "denom": claimed.giveaway.denom})


# /cancelgiveaway


async def cancelgiveaway(context: Context) -> Result:
    """Cancel the giveaway that is named, or the asker's only one.

    Raises Refused ``giveaway_number``, ``giveaway_none``, and what the books refuse.
    """
    if context.args:
        number, _, reason = context.args.partition(" ")
        found = _NUMBER.fullmatch(number)
        if found is None:
            raise Refused("giveaway_number", typed=number[:32])
        return _cancel(context, int(found[1]), reason.strip())
    own = context.bank.service.giveaways.active_of(context.account)
    if not own:
        raise Refused("giveaway_none")
    if len(own) == 1:
        return _cancel(context, own[0].id, "")
    facts = [{"giveaway": each.id, "total": each.total, "denom": each.denom} for each in own]
    choices = tuple(
        Choice("giveaway.cancel", {"giveaway": each.id}, row=row)
        for row, each in enumerate(own)
        if each.funder == context.account
    )
    elsewhere = any(each.chat != context.chat.id for each in own)
    return Answer("giveaway.which", {"giveaways": facts}, choices=choices, private=elsewhere)


async def cancel(context: Context) -> Result:
    """Cancel the giveaway that was chosen from the list."""
    return _cancel(context, int(context.arguments["giveaway"]), "")


def _cancel(context: Context, number: int, reason: str) -> Effect[Over]:
    def perform(beside: Beside) -> Awaitable[Over]:
        return context.bank.service.giveaways.cancel(number, context.actor, reason=reason, beside=beside)

    def answer(over: Over) -> Answer:
        """Tell it; what was given away elsewhere is none of this group's business."""
        facts = {**facts_of(over.giveaway), "returned": over.returned}
        return Answer("giveaway.cancelled", facts, private=over.giveaway.chat != context.chat.id)

    return Effect(perform, answer)


COMMANDS: Final = (
    Command(
        "giveaway",
        "give coins to whoever is quick",
        giveaway,
        "[treasury] <total> [slots] [first|equal|random] [duration]",
        in_private=False,
        moves_money=True,
        examples=("/giveaway 10 25", "/giveaway 5 10 random 2h", "/giveaway treasury 100 50 for the helpers"),
        actions={"giveaway.slots": choose, "giveaway.claim": claim, "giveaway.join": claim},
        cards={CHANGED: card},
    ),
    Command(
        "cancelgiveaway",
        "take back what nobody claimed",
        cancelgiveaway,
        "[number] [reason]",
        asks_when_old=True,
        examples=("/cancelgiveaway", "/cancelgiveaway 12"),
        actions={"giveaway.cancel": cancel},
    ),
)
