"""What a command gets: who asks, where, with which words, and the bank it may ask."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple, Protocol

from bot.groups import Groups
from bot.intents import Chat, Entity, Person, ReplyTarget
from bot.names import NameBook
from bot.prices import Prices
from chain.parameters import JUNO_MODULES
from ledger.accounts import AccountId
from ledger.jails import BailTerms
from ledger.money import Asset
from ledger.ports import Millis
from ledger.roles import Actor, Role
from ledger.service import LedgerService


class PublicWallet(NamedTuple):
    """What everybody may know of the one wallet behind all balances."""

    chain_id: str
    address: str
    """Bech32; deposits go here with the member's id as memo."""
    prefix: str
    explorer_tx: str = ""
    """An address with ``{hash}`` in it, or empty: no link is shown."""
    modules: Sequence[str] = JUNO_MODULES
    """Module accounts of the chain: they keep what arrives, so nothing is paid to them."""


class Me(NamedTuple):
    """The bot's own account in Telegram."""

    id: int
    username: str


class Listed(Protocol):
    """A command as /help tells of it."""

    @property
    def usage(self) -> str:
        """The command as one types it."""

    @property
    def summary(self) -> str:
        """What it does, in one line."""

    @property
    def examples(self) -> Sequence[str]:
        """How it may look."""

    @property
    def aliases(self) -> Sequence[str]:
        """Other names of it."""


class Listing(Protocol):
    """The commands of the program, as far as a command may look at the others: `bot.registry.Registry`."""

    def allowed(self, role: Role, chat: Chat, /) -> Sequence[Listed]:
        """Return what a person of ``role`` may use in ``chat``."""

    def named(self, name: str, /) -> Listed | None:
        """Return the command called ``name``, None without one."""


@dataclass(frozen=True, slots=True)
class Bank:
    """What every command may reach; made once by bot.main."""

    service: LedgerService
    names: NameBook
    commands: Listing
    """What there is to be told of by /help."""
    assets: tuple[Asset, ...]
    """Listed assets, the main one first: an amount without a symbol means it."""
    wallet: PublicWallet
    me: Me
    owners: frozenset[int]
    random: Random
    """Nobody can guess what it draws in production."""
    groups: Groups
    bail: BailTerms
    """What bail is where no admin names it."""
    prices: Prices | None = None
    """What JUNO is worth in dollars; None: amounts in dollars are not understood."""

    def account_name(self, account: AccountId) -> str:
        """Return what people call ``account``: a member's clean name, or the books' own name of any other."""
        return self.names.shown(account) if account > 0 else self.service.reader.name(account) or str(account)


@dataclass(frozen=True, slots=True)
class Context:
    """One call of a command or of a button's action. Role and scope are already checked.

    ``key`` is the idempotency key of the money act behind this call: give it to the books, whole. For a pressed
    button it is the button's, however often it is pressed.
    """

    bank: Bank
    who: Person
    role: Role
    chat: Chat
    key: str
    now: Millis
    args: str = ""
    """What follows the command, without surrounding space."""
    entities: tuple[Entity, ...] = ()
    """Marked parts of ``args``, offsets from its start in UTF-16 units."""
    reply: ReplyTarget | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    """Of the pressed button's row; empty for a typed command."""
    ephemeral: bool = False
    """True: though in a group, only the asker sees what was said and what is answered."""

    @property
    def actor(self) -> Actor:
        """The asker as the books look up the role of: at the moment of the commit."""
        return Actor(self.account, owner=self.who.id in self.bank.owners)

    @property
    def account(self) -> AccountId:
        """The asker's own account."""
        return AccountId(self.who.id)
