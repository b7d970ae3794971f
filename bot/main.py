"""The process: everything is wired here, on one screen, and stopped in the opposite order."""

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

import httpx
import structlog

import bot.commands
from bot.context import Bank, Listing, Me, PublicWallet
from bot.front import alert, assemble
from bot.intents import Chat, ChatKind
from bot.logs import Redactor
from bot.machineclock import tell_of_clock
from bot.names import NameBook
from bot.prices import Prices
from bot.registry import Registry, discover
from bot.settings import Settings
from bot.speech import Sentences
from bot.supervisor import Loop, Supervisor, run_all
from bot.sweep import Sweep
from bot.transport import BadToken, Telegram, TransportError
from chain import inbound
from chain.client import NodeClient
from chain.endpoints import Endpoints
from chain.lightclient import Anchor, LightClient
from chain.scanner import Scanner, ScannerRules
from chain.sender import Sender, SenderRules
from chain.tenure import Tenure
from chain.wallet import Wallet
from ledger.errors import Unavailable
from ledger.leases import nobody_is_dead
from ledger.pool import InlineReads, LongReads
from ledger.ports import BlockingRunner, Clock
from ledger.roles import Role
from ledger.service import LedgerService
from ledger.store import Store

MENU_SECONDS: Final = 24 * 3600.0
RECONNECT_SECONDS: Final = 5.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class World:
    """What the program needs from outside; a simulation gives its own.

    ``holder`` names this process in its leases, unlike any other that runs; ``is_dead`` tells of such a name whether its
    process has certainly ended. ``telegram``, ``nodes`` and ``prices`` replace the network, ``store`` the journal's door to SQLite.
    ``long_reads`` is where exports are read; the one that needs no threads unless another is given.
    """

    clock: Clock
    blocking: BlockingRunner
    random: Random
    holder: str
    telegram: httpx.AsyncBaseTransport | None = None
    nodes: httpx.AsyncBaseTransport | None = None
    prices: httpx.AsyncBaseTransport | None = None
    is_dead: Callable[[str], bool] = nobody_is_dead
    store: Callable[[Path], Store] = Store
    long_reads: Callable[[Path], LongReads] = InlineReads


async def run(settings: Settings, world: World, stop: asyncio.Event) -> None:
    """Run the bot until ``stop`` is set.

    Raises WrongDatabase or BadToken before anything moves, BrokenInvariant (in a group) when the books contradict
    themselves.
    """
    wallet = settings.wallet
    async with AsyncExitStack() as closing:
        service = await _open_books(settings, world)
        closing.push_async_callback(service.close)
        await service.identity.bind(
            chain_id=settings.chain_id, address=wallet.address, bot_id=settings.bot_id
        )
        await tell_of_clock(service, world.clock)

        telegram = Telegram(
            settings.telegram_token.get_secret_value(), f"{settings.telegram_url}/bot", world.telegram
        )
        closing.push_async_callback(telegram.close)
        connected = await _connect(telegram, stop)
        if connected is None:
            return
        endpoints = Endpoints(
            _clients(settings, world), settings.chain_id, clock=world.clock, randomness=world.random
        )
        closing.push_async_callback(endpoints.close)

        tenure = partial(Tenure, service.leases, holder=world.holder, clock=world.clock)
        roles = [tenure(role=role) for role in ("poller", "notifier", "ticker", "scanner", "signer")]
        polling, telling, ticking, scanning, signing = roles
        for role in roles:
            closing.push_async_callback(_leave, role)

        prices = _prices(settings, world)
        if prices is not None:
            closing.push_async_callback(prices.close)
        registry = discover(bot.commands)
        bank = _bank(
            settings,
            world,
            service,
            wallet,
            commands=registry,
            telegram=telegram,
            me=connected.me,
            prices=prices,
        )
        front = assemble(
            telegram,
            bank,
            registry,
            Sentences(settings.assets, settings.explorer_tx, Redactor(settings.secrets)),
            clock=world.clock,
            random=world.random,
            polling=polling,
            telling=telling,
            ticking=ticking,
            operators=(settings.admins_chat,) if settings.admins_chat else settings.owners,
            ephemeral=connected.ephemeral,
        )
        loops: list[tuple[str, Loop]] = [
            *front.loops(),
            *_chain_loops(settings, world, wallet, service, endpoints, scanning=scanning, signing=signing),
            ("menu", Menu(telegram, registry)),
            ("sweep", Sweep(service)),
        ]
        tell = partial(alert, service)
        log.info("program.started", bot=bank.me.username, address=wallet.address, chain=settings.chain_id)
        await run_all([Supervisor(name, loop, world.random, tell) for name, loop in loops], stop)
    log.info("program.stopped")


def _chain_loops(
    settings: Settings,
    world: World,
    wallet: Wallet,
    service: LedgerService,
    endpoints: Endpoints,
    *,
    scanning: Tenure,
    signing: Tenure,
) -> list[tuple[str, Loop]]:
    """Return the two loops of the chain: coins in, coins out."""
    anchor = Anchor(*settings.anchor) if settings.anchor else None
    sight = LightClient(endpoints, settings.parameters, clock=world.clock, anchor=anchor)
    scanner = Scanner(
        sight,
        service.blocks,
        scanning,
        alerts=service.alerts,
        chain_id=settings.chain_id,
        treasury=inbound.WatchedWallet(wallet.raw_address, settings.bech32_prefix),
        clock=world.clock,
        take_lies=endpoints.take_lies,
        rules=ScannerRules(block_ms=settings.block_ms),
    )
    sender = Sender(
        wallet,
        sight,
        signing,
        alerts=service.alerts,
        blocks=service.blocks,
        payments=service.payments,
        withdrawals=service.withdrawals,
        reader=service.reader,
        parameters=settings.parameters,
        clock=world.clock,
        rules=SenderRules(bumps=settings.bumps),
    )
    return [("scanner", scanner), ("sender", sender)]


def _clients(settings: Settings, world: World) -> list[NodeClient]:
    return [
        NodeClient(f"node {number}", url, transport=world.nodes)
        for number, url in enumerate(settings.nodes, 1)
    ]


def _prices(settings: Settings, world: World) -> Prices | None:
    """Return where the price of the main asset comes from, None when no source is set."""
    if settings.price_source is None:
        return None
    return Prices(settings.price_source, settings.assets[0], world.clock, world.prices)


def _bank(
    settings: Settings,
    world: World,
    service: LedgerService,
    wallet: Wallet,
    *,
    commands: Listing,
    telegram: Telegram,
    me: Me,
    prices: Prices | None,
) -> Bank:
    """Return what every command may reach."""
    shown = PublicWallet(
        settings.chain_id,
        wallet.address,
        settings.bech32_prefix,
        explorer_tx=settings.explorer_tx,
        modules=settings.parameters.modules,
    )
    return Bank(
        service=service,
        names=NameBook(service.reader),
        commands=commands,
        assets=settings.assets,
        wallet=shown,
        me=me,
        owners=frozenset(settings.owners),
        random=world.random,
        groups=telegram,
        bail=settings.bail_terms,
        prices=prices,
    )


async def _open_books(settings: Settings, world: World) -> LedgerService:
    return await LedgerService.open(
        settings.database,
        clock=world.clock,
        blocking=world.blocking,
        assets=settings.assets,
        terms=settings.terms,
        is_dead=world.is_dead,
        store=world.store,
        long_reads=world.long_reads,
    )


class _Connected(NamedTuple):
    me: Me
    ephemeral: bool


async def _connect(telegram: Telegram, stop: asyncio.Event) -> _Connected | None:
    """Return who the bot is and what its server can do, as soon as it can be reached; None if stopped before.

    Raises BadToken.
    """
    while not stop.is_set():
        try:
            return _Connected(await telegram.open(), await telegram.knows_ephemeral())
        except BadToken:
            raise
        except TransportError as error:
            log.warning("telegram.unreachable", why=str(error))
        with suppress(TimeoutError):
            async with asyncio.timeout(RECONNECT_SECONDS):
                await stop.wait()
    return None


async def _leave(role: Tenure) -> None:
    """Give a role up; one that was lost, or books that are busy, are no reason not to stop."""
    with suppress(Unavailable):
        await role.release()


class Menu:
    """Shows the commands in Telegram's menu, per scope; again each day, in case somebody changed them there."""

    def __init__(self, telegram: Telegram, registry: Registry) -> None:
        self._telegram = telegram
        self._registry = registry

    async def step(self) -> float:
        """Set both menus."""
        for kind in (ChatKind.PRIVATE, ChatKind.SUPERGROUP):
            chat = Chat(0, kind)
            commands = self._registry.allowed(Role.MEMBER, chat)
            await self._telegram.set_menu(
                [(command.name, command.summary) for command in commands], private=chat.private
            )
        return MENU_SECONDS
