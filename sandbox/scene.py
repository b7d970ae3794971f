"""Who is in the sandbox when it is opened for the first time."""

from typing import Final, NamedTuple

from ledger.money import Asset, Denom
from sandbox.node.decoding import Coin
from sandbox.node.node import JunoNode
from sandbox.telegram import BotAccount, Telegram

PLAY_ASSET: Final = Asset(Denom("ujuno"), "JUNO", 6)
MNEMONIC: Final = "test test test test test test test test test test test junk"
"""The treasury's words: known to everybody, for money that is worth nothing."""
GROUP: Final = "Moneta Plaza"
OWNER: Final = 5_550_001


class Role(NamedTuple):
    """A person of the scene."""

    id: int
    first_name: str
    username: str | None


CAST: Final = (
    Role(5_550_002, "Ana", "ana_juno"),
    Role(5_550_003, "Ben", "ben_juno"),
    Role(5_550_004, "Chi", None),
    Role(5_550_005, "Dev", "dev_juno"),
    Role(OWNER, "Olga", "olga_juno"),
)
"""Chi has no @name, so mentioning Chi needs the app's own mention; Olga owns the group and runs the bot."""
_WALLET_UNITS: Final = 1_000 * 10**6


def set_scene(telegram: Telegram, node: JunoNode) -> BotAccount:
    """Make the bot, the people, their group and their wallets, unless they stand already; return the bot."""
    if telegram.state.bots:
        return next(iter(telegram.state.bots.values()))
    bot = telegram.bot("Moneta", "moneta_sandbox_bot")
    for role in CAST:
        telegram.person(role.first_name, role.username, user_id=role.id)
        node.faucet(node.purse(str(role.id)).address, [Coin(PLAY_ASSET.denom, _WALLET_UNITS)])
    members = [role.id for role in CAST if role.id != OWNER]
    plaza = telegram.group(GROUP, OWNER, [*members, bot])
    telegram.promote(bot, plaza)
    # Alerts go to who runs the bot, and Telegram lets a bot write only to those who wrote first.
    telegram.say(OWNER, telegram.private(OWNER, bot), "/start")
    return bot
