"""Who may do what: every command and every button, by everybody, in private and in a group, over the one path.

What is expected stands here by hand, as the contract has it, and not in the program: a command that declares too little fails,
and so does one that is missing here. The acts are replaced by probes that move nothing, so that each is let through or not by
the path alone; what an act takes beyond its command (`Effect.needs`, the books' own checks) its own tests show.
"""

import dataclasses
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

import bot.commands
from bot import buttons
from bot.context import Context
from bot.registry import Act, Command, Registry, discover
from bot.results import Answer, Choice, Effect, Result
from ledger.accounts import AccountId
from ledger.fines import Price
from ledger.money import Amount
from ledger.pauses import pause_unit, resume_unit
from ledger.roles import CONSOLE, Role
from ledger.units import Beside, Decision, Unit
from ledger.violations import Case
from sandbox.telegram import Query, User
from sandbox.telegram.model import CHANNEL_BOT, GROUP_ANONYMOUS_BOT
from tests.bot.conftest import OWNER
from tests.bot.stage import JUNO, Stage, stage

MEMBER, ELEVATED, ADMIN, OWNERS = Role.MEMBER, Role.ELEVATED, Role.ADMIN, Role.OWNER


class May(NamedTuple):
    """Who may use a command, and where. ``rests``: a pause stops it for whoever is no admin."""

    role: Role
    private: bool = True
    group: bool = True
    rests: bool = False


ANYBODY: Final = May(MEMBER)
MONEY: Final = May(MEMBER, rests=True)
ADMINS: Final = May(ADMIN)
OWNERS_ALONE: Final = May(OWNERS)

COMMANDS: Final[Mapping[str, May]] = {
    # Everyone (product.md, Commands). The seed: withdraw, transfer, giveaway, claim, fine and bail by any user.
    "start": ANYBODY,
    "help": ANYBODY,
    "balance": ANYBODY,
    "deposit": ANYBODY,
    "history": ANYBODY,
    "send": MONEY,
    "tip": MONEY,
    "withdraw": MONEY,
    "giveaway": May(MEMBER, private=False, rests=True),
    "cancelgiveaway": ANYBODY,
    "shared": MONEY,
    "unclaimed": ANYBODY,
    "claimdeposit": May(MEMBER, group=False, rests=True),
    "rules": May(MEMBER, private=False),
    "settings": May(MEMBER, private=False),
    "fines": ANYBODY,
    "payfine": MONEY,
    "paybail": MONEY,
    "bail": MONEY,
    "status": ANYBODY,
    "jails": ANYBODY,
    # Admins moderate, assign, stop and look (product.md, Who may do what).
    "fine": May(ADMIN, private=False),
    "jail": May(ADMIN, private=False),
    "unjail": May(ADMIN, private=False),
    "warn": May(ADMIN, private=False),
    "forgive": ADMINS,
    "approvals": ADMINS,
    "assign": ADMINS,
    "audit": ADMINS,
    "freeze": ADMINS,
    "unfreeze": ADMINS,
    "pause": ADMINS,
    "resume": ADMINS,
    "reconcile": ADMINS,
    "role": ADMINS,
    "treasury": ADMINS,
    # Owners move the treasury otherwise, and appoint.
    "limits": OWNERS_ALONE,
    "owner": OWNERS_ALONE,
}

HIGHER_BUTTONS: Final[Mapping[str, Role]] = {
    "treasury.send": OWNERS,
    "treasury.refill": OWNERS,
    **dict.fromkeys(
        (
            "rules.add",
            "rules.open",
            "rules.on",
            "rules.off",
            "rules.remove",
            "rules.delete",
            "rules.keep",
            "rules.warn",
            "rules.spare",
            "settings.allow_creator",
            "settings.forbid_creator",
            "settings.allow_jailed",
            "settings.forbid_jailed",
            "settings.newcomers",
        ),
        ADMIN,
    ),
}
"""Buttons that take more than their command; all others take what it takes."""

GO_ON: Final = frozenset({"withdraw.cancel", "shared.accept", "shared.decline", "shared.statement"})
"""Buttons of money commands that a pause does not stop: they move no coin, or only give back to the presser."""

SEED: Final = (
    # Operation, command, role, kind of posting, and between which classes of account (seeds/ledger.txt).
    ("Withdraw", "withdraw", MEMBER, "withdrawal", {("user", "withdrawals")}),
    ("Transfer", "send", MEMBER, "transfer", {("user", "user")}),
    ("Create Giveaway", "giveaway", MEMBER, "giveaway", {("user", "escrow"), ("treasury", "escrow")}),
    ("Claim Giveaway", "giveaway", MEMBER, "giveaway_claim", {("escrow", "user")}),
    (
        "Cancel Giveaway",
        "cancelgiveaway",
        MEMBER,
        "giveaway_returned",
        {("escrow", "user"), ("escrow", "treasury")},
    ),
    ("Pay Fine", "payfine", MEMBER, "fine", {("user", "treasury")}),
    ("Pay Bail", "bail", MEMBER, "bail", {("user", "treasury")}),
    ("Claim Unclaimed", "assign", ADMIN, "assignment", {("unclaimed", "user")}),
)
"""A giveaway from the treasury, and cancelling another's, take an admin: the books ask, see tests of giveaways."""

ROBOT: Final = 555
GONE: Final = "let go at the commit"
JAIL_MS: Final = 3_600_000
AT_ONCE: Final = 12


class Subject(NamedTuple):
    """Somebody who tries: ``rank`` is what they are when it counts; None: nobody stands behind it."""

    name: str
    rank: Role | None
    groups_only: bool = False


SUBJECTS: Final = (
    Subject("member", MEMBER),
    Subject("jailed member", MEMBER),
    Subject("elevated", ELEVATED),
    Subject("admin", ADMIN),
    Subject("demoted admin", MEMBER),
    Subject(GONE, ADMIN),
    Subject("owner", OWNERS),
    Subject("stranger", MEMBER),
    Subject("anonymous admin", None, groups_only=True),
    Subject("channel", None, groups_only=True),
    Subject("bot", None, groups_only=True),
)


def expected(subject: Subject, may: May, *, in_group: bool, paused: bool = False) -> str:
    """Return what becomes of a try: that it acts, the code of its refusal, or silence."""
    if subject.rank is None:
        return "silence"
    if subject.rank < may.role:
        return "role_too_low"
    if not (may.group if in_group else may.private):
        return "command_elsewhere"
    if paused and may.rests and may.role < ADMIN:
        return "command_paused"
    # Whoever loses the rank on the way is refused when it commits.
    return "role_too_low" if subject.name == GONE and may.role > MEMBER else "acts"


class Probes:
    """Acts that move nothing and note who came to them."""

    def __init__(self) -> None:
        self.came: set[tuple[int, str]] = set()
        self.leaving: int | None = None
        """Whose rank is lost between the look and the commit."""

    def registry(self) -> Registry:
        """Return the program's commands with probes for acts."""
        return Registry([self._probed(command) for command in discover(bot.commands)])

    def _probed(self, command: Command) -> Command:
        return dataclasses.replace(
            command,
            act=self._probe(command.name),
            actions={action: self._probe(action) for action in command.actions},
        )

    def _probe(self, name: str) -> Act:
        async def act(context: Context) -> Result:
            return Effect(lambda beside: self._commit(context, beside), lambda _: self._acted(context, name))

        return act

    async def _commit(self, context: Context, beside: Beside) -> None:
        service = context.bank.service
        leaves = context.who.id == self.leaving
        if leaves:
            await service.users.appoint(CONSOLE, context.account, MEMBER, "left on the way")
        try:
            await service.journal.submit(Unit(lambda _: Decision(None), beside=beside))
        finally:
            if leaves:
                await service.users.appoint(CONSOLE, context.account, ADMIN, "is back")

    def _acted(self, context: Context, name: str) -> Answer:
        self.came.add((context.who.id, name))
        return Answer("acted", private=True, replace=False)


class Assembly:
    """Everybody, in one group with the bot; strangers come anew each time."""

    def __init__(self, bot: Stage, probes: Probes) -> None:
        self.bot = bot
        self.probes = probes
        telegram = bot.telegram
        self.people = {
            subject.name: telegram.person(
                subject.name, user_id=OWNER if subject.rank is OWNERS else 100 + number
            )
            for number, subject in enumerate(SUBJECTS)
        }
        founder = telegram.person("Founder", user_id=99)
        self.channel = telegram.group("News", founder, [], kind="channel")
        self.group = telegram.group("Plaza", founder, [*self.people.values(), bot.account])
        telegram.promote(self.people["anonymous admin"], self.group, anonymous=True)
        self._strangers = iter(range(10_000, 20_000))
        self._said = iter(range(500_000, 900_000))

    async def take_ranks(self) -> None:
        """Give everybody the rank that they have."""
        for name in ("jailed member", "demoted admin"):
            await self.bot.service.users.register(AccountId(self.people[name].id), name)
        for name, role in (("elevated", ELEVATED), ("admin", ADMIN), ("demoted admin", ADMIN), (GONE, ADMIN)):
            await self.bot.appoint(self.people[name], role)
        self.probes.leaving = self.people[GONE].id
        case = Case(AccountId(self.people["jailed member"].id), self.group.id, "a test", CONSOLE)
        await self.bot.service.penalties.jail(case, JAIL_MS, Price(Amount(5), JUNO.denom), ())

    def who(self, subject: Subject, *, in_group: bool) -> User:
        """Return who tries as ``subject``."""
        if subject.name != "stranger":
            return self.people[subject.name]
        stranger = self.bot.telegram.person("Stranger", user_id=next(self._strangers))
        if in_group:
            self.bot.telegram.join(stranger, self.group)
        return stranger

    def say(self, subject: Subject, who: User, text: str, *, in_group: bool) -> str:
        """Let ``subject`` write; return the key of the message in the inbox."""
        telegram = self.bot.telegram
        chat = self.group if in_group else telegram.private(who)
        if subject.name == "bot":
            number = self._from_bot(text)
        elif subject.name == "channel":
            number = telegram.say_as_channel(self.channel, chat, text).id
        else:
            number = telegram.say(who, chat, text).id
        return f"m:{self.bot.account.user.id}:{chat.id if in_group else who.id}:{number}"

    def _from_bot(self, text: str) -> int:
        """Deliver another bot's message, which Telegram itself keeps from bots: one that does not must change nothing."""
        number = next(self._said)
        message = {
            "message_id": number,
            "date": self.bot.telegram.now(),
            "chat": {"id": self.group.id, "type": "supergroup", "title": "Plaza"},
            "from": {"id": ROBOT, "is_bot": True, "first_name": "Robot", "username": "robot_bot"},
            "text": text,
            "entities": [{"type": "bot_command", "offset": 0, "length": len(text)}],
        }
        self.bot.telegram.poison(self.bot.account, {"message": message})
        return number

    async def button(self, who: User, action: str, *, anyone: bool) -> str:
        """Make a button for ``who``; return its token."""
        service = self.bot.service
        question = f"{action}:{who.id}:{anyone}"
        choices = (Choice(action, anyone=anyone),)

        def decide(view: Any) -> Decision[None]:
            return Decision(None, rows=tuple(buttons.open_rows(choices, who.id, question, view.now)))

        await service.journal.submit(Unit(decide))
        return buttons.token(question, 0)

    def press(self, who: User, token: str, *, in_group: bool) -> Query:
        """Let ``who`` press the button ``token`` below some message of the bot."""
        telegram = self.bot.telegram
        chat = self.group if in_group else telegram.private(who)
        shown = telegram.post(chat, self.bot.account.user.id, {"text": "press"})
        return telegram.tap(who, shown, forged=token)

    async def idle(self) -> None:
        """Wait until everything that came in is answered."""
        queue = self.bot.telegram.queues[self.bot.account.user.id]
        await self.bot.until(
            lambda: not queue.waiting and not self.bot.rows("SELECT 1 FROM inbox WHERE state = 'new'")
        )

    def outcome(self, key: str, who: User, name: str) -> str:
        """Return what became of the message under ``key``."""
        rows = self.bot.rows("SELECT code FROM inbox WHERE key = ?", key)
        if not rows:
            return "unheard"
        if rows[0][0] is not None:
            return str(rows[0][0])
        return "acts" if (who.id, name) in self.probes.came else "silence"


@pytest.fixture
async def assembly(tmp_path: Path) -> AsyncIterator[Assembly]:
    """The program with probes for acts; nothing is sent, only answered in the books."""
    probes = Probes()
    async with stage(tmp_path / "bank.sqlite3", OWNER) as set_up:
        set_up.registry = probes.registry()
        await set_up.start(only=("fetch", "lane", "tap"))
        gathered = Assembly(set_up, probes)
        await gathered.take_ranks()
        yield gathered


def program() -> Registry:
    return discover(bot.commands)


def may_press(command: Command, action: str) -> May:
    """Return what the table says of a button."""
    own = COMMANDS[command.name]
    return own._replace(role=HIGHER_BUTTONS.get(action, own.role), rests=own.rests and action not in GO_ON)


def names() -> list[str]:
    return [name for command in program() for name in (command.name, *command.aliases)]


def parts(all_of_them: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Cut what one person does into parts: nobody is heard with more than their share at once."""
    return (all_of_them[at : at + AT_ONCE] for at in range(0, len(all_of_them), AT_ONCE))


# The table is whole


@pytest.mark.parametrize("name", names())
def test_every_command_is_in_the_table(name: str) -> None:
    assert name in COMMANDS, (
        f"say in COMMANDS of {Path(__file__).name} who may use /{name}, where, and if it rests"
    )


def test_the_table_speaks_of_nothing_that_is_not_there() -> None:
    registry = program()
    actions = {action for command in registry for action in command.actions}
    assert COMMANDS.keys() - set(names()) == set()
    assert (HIGHER_BUTTONS.keys() | GO_ON) - actions == set()


@pytest.mark.parametrize("command", list(program()), ids=lambda command: command.name)
def test_a_declaration_is_what_the_table_says(command: Command) -> None:
    may = COMMANDS[command.name]
    assert (command.role, command.in_private, command.in_group) == (may.role, may.private, may.group)
    assert command.rests(None, command.role) == may.rests
    for action in command.actions:
        assert command.role_of(action) == may_press(command, action).role, action
        assert command.rests(action, command.role_of(action)) == (
            may_press(command, action).rests and may_press(command, action).role < ADMIN
        ), action


# Everybody tries everything


@pytest.mark.parametrize("paused", [False, True], ids=["running", "paused"])
@pytest.mark.parametrize("in_group", [False, True], ids=["private", "group"])
async def test_every_command_by_everybody(assembly: Assembly, *, in_group: bool, paused: bool) -> None:
    wrong = []
    if paused:
        await assembly.bot.service.journal.submit(pause_unit(CONSOLE, "a test"))
    await assembly.bot.appoint(assembly.people["demoted admin"], MEMBER)
    for part in parts(names()):
        tries = []
        for subject in SUBJECTS:
            for name in part if in_group or not subject.groups_only else ():
                who = assembly.who(subject, in_group=in_group)
                tries.append((subject, who, name, assembly.say(subject, who, f"/{name}", in_group=in_group)))
        await assembly.idle()
        for subject, who, name, key in tries:
            command = assembly.bot.registry.named(name)
            assert command is not None
            wanted = expected(subject, COMMANDS[name], in_group=in_group, paused=paused)
            came = assembly.outcome(key, who, command.name)
            if came != wanted:
                wrong.append(f"/{name} by {subject.name}: {came}, not {wanted}")
    assert wrong == []
    nobody = {GROUP_ANONYMOUS_BOT, CHANNEL_BOT, ROBOT, assembly.group.id, assembly.channel.id}
    assert nobody & {who for who, _ in assembly.probes.came} == set()


@pytest.mark.parametrize("paused", [False, True], ids=["running", "paused"])
@pytest.mark.parametrize("in_group", [False, True], ids=["private", "group"])
async def test_every_button_by_everybody(assembly: Assembly, *, in_group: bool, paused: bool) -> None:
    """In private each presses a button of their own, in the group one for everybody; nobody's rank is the button's."""
    wrong = []
    actions = [(command, action) for command in program() for action in command.actions]
    for part in parts(actions):
        presses = []
        for subject in (each for each in SUBJECTS if not each.groups_only):
            for command, action in part:
                who = assembly.who(subject, in_group=in_group)
                token = await assembly.button(who, action, anyone=in_group)
                presses.append((subject, who, command, action, token))
        # The buttons were made for an admin; then the rank was lost.
        await assembly.bot.appoint(assembly.people["demoted admin"], MEMBER)
        if paused:
            await assembly.bot.service.journal.submit(pause_unit(CONSOLE, "a test"))
        queries = [assembly.press(who, token, in_group=in_group) for _, who, _, _, token in presses]
        for (subject, who, command, action, _), query in zip(presses, queries, strict=True):
            told = (await assembly.bot.answered(query)).split(" ")[0].removeprefix("refused.")
            came = told or ("acts" if (who.id, action) in assembly.probes.came else "silence")
            wanted = expected(subject, may_press(command, action), in_group=in_group, paused=paused)
            if came != wanted:
                wrong.append(f"{action} by {subject.name}: {came}, not {wanted}")
        await assembly.bot.appoint(assembly.people["demoted admin"], ADMIN)
        if paused:
            await assembly.bot.service.journal.submit(resume_unit(CONSOLE, "a test"))
    assert wrong == []


async def test_nobody_presses_a_button_of_another(assembly: Assembly) -> None:
    """An owner's own button is no use to whoever forges it, whatever their rank."""
    owner = assembly.people["owner"]
    token = await assembly.button(owner, "treasury.send", anyone=False)
    for subject in (each for each in SUBJECTS if each.rank not in (None, OWNERS)):
        who = assembly.who(subject, in_group=True)
        told = await assembly.bot.answered(assembly.press(who, token, in_group=True))
        assert told.startswith("refused.button_not_yours"), subject.name
    assert assembly.probes.came == set()


# The seed's own rows


@pytest.mark.parametrize(("operation", "name", "role", "kind", "between"), SEED, ids=[row[0] for row in SEED])
async def test_the_seeds_operations_are_between_the_accounts_it_names(
    *, assembly: Assembly, operation: str, name: str, role: Role, kind: str, between: set[tuple[str, str]]
) -> None:
    assert COMMANDS[name].role is role, operation
    allowed = set(assembly.bot.rows("SELECT from_class, to_class FROM kinds WHERE kind = ?", kind))
    assert between <= allowed, operation
    beyond = {pair for pair in allowed if pair[0] in ("user", "treasury", "unclaimed")} - between
    # Of a withdrawal alone the source may also be a shared account or the treasury's own, see the books of these.
    assert beyond <= ({("treasury", "withdrawals")} if kind == "withdrawal" else set()), operation
