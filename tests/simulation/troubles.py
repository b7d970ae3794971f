"""What goes wrong in the city: crashes, networks, disks, nodes that lie, validators that misbehave, clocks, Telegram."""

import base64
import random
from collections.abc import Callable
from typing import Any, Final

from sandbox.node.faults import ForgedTransfer
from sandbox.node.node import SANDBOX_PARAMETERS
from sandbox.node.validators import Seat
from sandbox.telegram import Fault
from tests.simulation.city import DENOM, FACES, JUNO, TREASURY, City
from tests.simulation.network import Mishap
from tests.simulation.people import People

BAD_WEATHER: Final = {
    Mishap.REQUEST_LOST: 0.01,
    Mishap.ANSWER_LOST: 0.02,
    Mishap.DOUBLED: 0.01,
    Mishap.LATE: 0.02,
    Mishap.REFUSED: 0.02,
    Mishap.BROKEN: 0.02,
}
MOMENTS: Final = ("before commit", "torn commit", "after commit", "before request", "after request")
NAMES: Final = ("anna", "boris", "carla", "dmitri", "elena", "fedor")
_POWERS: Final = (40, 30, 20, 10)
FAIR_LATENCY_SECONDS: Final = 0.004


class Troubles:
    """The troubles of one city, drawn from a random source of their own. `calm` ends all that would last."""

    def __init__(self, city: City, people: People) -> None:
        self._city = city
        self._people = people
        self._rng: random.Random = city.random("troubles")
        self.closed_until = 0.0
        """When somebody starts the program again; it is down until then."""
        self._all: list[tuple[Callable[[], object], int]] = [
            (self._storm, 6),
            (self._fair_weather, 4),
            (self._doom, 12),
            (self._kill, 3),
            (self._kill_one, 2),
            (self._stall, 6),
            (self._cancel, 2),
            (self._orderly_stop, 2),
            (self._second_instance, 5),
            (self._long_night, 2),
            (self._node_trouble, 8),
            (self._lies, 8),
            (self._false_chain, 8),
            (self._node_recovers, 4),
            (self._chain_trouble, 4),
            (self._election, 2),
            (self._censorship, 3),
            (self._dear_gas, 3),
            (self._telegram_trouble, 5),
            (self._disk_trouble, 4),
            (self._full_disk, 2),
            (self._clock_jumps, 1),
        ]

    def happen(self) -> str:
        """Let something go wrong; return its name."""
        (trouble,) = self._rng.choices([each for each, _ in self._all], [weight for _, weight in self._all])
        return f"trouble: {trouble.__name__.strip('_')} {trouble() or ''}".rstrip()

    def calm(self) -> None:
        """End everything that lasts."""
        self._fair_weather()
        self._node_recovers()
        self._city.doom = self._city.faint = None
        self._city.node.chain.mischief.halted = False
        self._city.node.chain.mempool.set_floor(SANDBOX_PARAMETERS.gas_price)
        self._city.telegram.faults.clear()
        self._city.disk_trouble = self._city.full_until = 0.0
        self._city.loop.latency.longest = FAIR_LATENCY_SECONDS

    # The network

    def _storm(self) -> None:
        scale = self._rng.choice((1.0, 1.0, 3.0, 8.0))
        self._city.weather.chances = {mishap: chance * scale for mishap, chance in BAD_WEATHER.items()}

    def _fair_weather(self) -> None:
        self._city.weather.chances = {}

    # The program

    def _doom(self) -> str:
        """Let everything die at a moment that is near: a commit, or a request."""
        moment = self._rng.choice(MOMENTS)
        self._city.doom = (moment, self._rng.randrange(12))
        return f"{moment} {self._city.doom[1]}"

    def _kill(self) -> None:
        self._city.kill()

    def _kill_one(self) -> None:
        if self._city.running:
            self._city.kill_one()

    def _stall(self) -> None:
        """Let one start stand still; whoever runs it starts another, not knowing that the first will go on."""
        if self._city.running:
            self._second_instance()
            moment = self._rng.choice(("before request", "after request", "after request", "after commit"))
            self._city.faint = (moment, self._rng.randrange(8))

    def _cancel(self) -> None:
        if self._city.running:
            self._city.cancel()

    def _orderly_stop(self) -> None:
        for _, stop in self._city.living():
            stop.set()

    def _second_instance(self) -> None:
        if self._city.running and len(self._city.living()) < 3:
            self._city.start()

    def _long_night(self) -> None:
        """Let the program be down for some minutes."""
        self._city.kill()
        self.closed_until = self._city.loop.time() + self._rng.uniform(30.0, 400.0)

    def _disk_trouble(self) -> None:
        self._city.disk_trouble = self._rng.choice((0.0, 0.02, 0.1))
        self._city.loop.latency.longest = self._rng.choice((FAIR_LATENCY_SECONDS, 0.05, 0.8))

    def _full_disk(self) -> None:
        """Let the disk be full until somebody makes room."""
        self._city.full_until = self._city.loop.time() + self._rng.uniform(2.0, 40.0)

    def _clock_jumps(self) -> None:
        self._city.move_clock(self._rng.randrange(-20_000, 20_000))

    # Nodes

    def _node_trouble(self) -> str:
        height = self._city.node.height
        troubles: list[dict[str, Any]] = [
            {"lag": self._rng.randrange(1, 30)},
            {"pruned_below": max(height - self._rng.randrange(1, 20), 0)},
            {"hang": True},
            {"status": self._rng.choice((500, 502, 503))},
            {"garbage": True},
            {"lose_reply": True},
            {"drop_broadcasts": True},
            {"chain_id": "other-1"},
            {"results_lag": True},
            {"catching_up": True},
            {"delay_ms": self._rng.randrange(10, 20_000)},
        ]
        trouble = self._rng.choice(troubles)
        faces = self._faces()
        for face in faces:
            self._city.node.faults[face].switch(**trouble)
        return f"{trouble} {' '.join(faces)}"

    def _faces(self) -> tuple[str, ...]:
        """Return one node, or all of them."""
        return FACES if self._rng.random() < 0.3 else (self._rng.choice(FACES),)

    def _lies(self) -> str:
        """Let the node that is asked first, or another, tell what never was."""
        person = self._people.one(self._rng)
        transfer = ForgedTransfer(
            sender=self._city.node.purse(str(person.id)).address,
            recipient=TREASURY,
            amount=f"{self._rng.randrange(1, 10**7)}{DENOM}",
        )
        later = self._city.node.height + 1 + self._rng.randrange(3)
        lies: list[dict[str, Any]] = [
            {"flip_codes": True},
            {"flip_codes": True},
            {"forged_transfers": [transfer]},
            {"odd_proof": self._rng.choice(("value", "proof", "stale", "missing"))},
            {"odd_proof": "value"},
        ]
        if self._people.deposits:
            old = base64.b64encode(self._rng.choice(self._people.deposits)).decode()
            lies.append({"extra_txs": {later: [old]}})
        lie = self._rng.choice(lies)
        faces = self._faces()
        for face in faces:
            self._city.node.faults[face].switch(**lie)
        return f"{next(iter(lie))} {' '.join(faces)}"

    def _false_chain(self) -> str:
        """Let a node show another history, in which somebody paid into the treasury."""
        chain = self._city.node.chain
        height = max(chain.height + self._rng.randrange(-1, 2), 2)
        signed_by_few = self._rng.random() < 0.6
        txs, faces = self._unsent_deposit(), self._faces()
        for faults in (self._city.node.faults[face] for face in faces):
            show = faults.fork if signed_by_few else faults.false_chain
            show(chain, height, txs=txs)
        return f"{'fork' if signed_by_few else 'of strangers'} at {height} {' '.join(faces)}"

    def _unsent_deposit(self) -> list[bytes]:
        try:
            return [self._people.signed_deposit(self._people.one(self._rng), self._rng.randrange(1, JUNO))]
        except KeyError:
            return []

    def _node_recovers(self) -> None:
        for face in FACES:
            self._city.node.faults[face].clear()

    # Validators

    def _chain_trouble(self) -> str:
        mischief = self._city.node.chain.mischief
        which = self._rng.randrange(4)
        if which == 0:
            mischief.halted = not mischief.halted
        elif which == 1:
            mischief.duplicate_next += self._rng.randrange(1, 12)
        elif which == 2:
            mischief.rehash_next += self._rng.randrange(1, 12)
        else:
            self._city.node.chain.mempool.forget()
        return ("halt", "duplicate", "rehash", "forget")[which]

    def _election(self) -> None:
        """Let others validate; nobody has a third of the power and lies."""
        names = self._rng.sample(NAMES, len(_POWERS))
        self._city.node.chain.elect([Seat(name, power) for name, power in zip(names, _POWERS, strict=True)])

    def _censorship(self) -> None:
        self._city.censor.begin()

    def _dear_gas(self) -> str:
        """Let the network ask for a higher fee than the program pays at first, or than it would ever pay."""
        times = self._rng.choice((1, 2, 3, 6))
        self._city.node.chain.mempool.set_floor(times * SANDBOX_PARAMETERS.gas_price)
        return f"{times} times"

    # Telegram

    def _telegram_trouble(self) -> str:
        kinds = [
            Fault("refuse", "*", self._rng.randrange(1, 5), 500),
            Fault("refuse", "sendMessage", 2, 429, "Too Many Requests: retry later", retry_after=3),
            Fault("refuse", "getUpdates", 1, 409, "Conflict: terminated by other getUpdates request"),
            Fault("lost_reply", "*", self._rng.randrange(1, 4)),
            Fault("hang_after", "sendMessage", 1, seconds=30),
            Fault("slow", "*", 2, seconds=4),
            Fault("hang", "getUpdates", 1, seconds=40),
            Fault("garbage", "*", 1),
        ]
        fault = self._rng.choice(kinds)
        self._city.telegram.faults.add(fault)
        self._city.excuses += fault.times
        return f"{fault.kind} {fault.method}"
