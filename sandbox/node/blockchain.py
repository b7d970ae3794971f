"""The chain itself: every block by the rules of consensus, every past state still readable."""

import json
import random
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, NamedTuple

from chain import address
from chain.light import header as light_header
from chain.light import results as light_results
from chain.light.commit import ValidatorSet
from chain.light.header import Header, Version
from chain.light.merkle import EMPTY
from chain.light.reading import Timestamp
from chain.parameters import ChainParameters
from ledger.ports import Clock, Millis
from sandbox.node import addresses, blocks, events, execute, multistore, state
from sandbox.node.blocks import NO_BLOCK, NO_COMMIT, Block
from sandbox.node.decoding import Coin, Coins
from sandbox.node.execute import Mode, Place, Rules
from sandbox.node.mempool import Mempool
from sandbox.node.multistore import Change
from sandbox.node.store import Row
from sandbox.node.validators import Council, Seat, median_time, timestamp

BLOCK_PROTOCOL: Final = 11
_RECENT_BLOCKS: Final = 2_048
"""How many blocks stay as they are; older ones are read seldom, and small when packed."""
_MODULES_THAT_MAY_RECEIVE: Final = frozenset({"gov", "feepay"})
"""They keep what is sent to them without an error (chain.md, Withdrawals, Destination)."""


@dataclass(frozen=True, slots=True)
class Genesis:
    """How a chain begins: its rules, who validates, and who owns what (bech32 address to coins)."""

    parameters: ChainParameters
    time: Millis
    seats: tuple[Seat, ...]
    balances: dict[str, Coins]

    def to_json(self) -> str:
        """Return what the store keeps: all that the first block depends on."""
        document = {
            "chain_id": self.parameters.chain_id,
            "time": self.time,
            "seats": self.seats,
            "balances": self.balances,
        }
        return json.dumps(document, sort_keys=True)

    @classmethod
    def from_json(cls, text: str, parameters: ChainParameters) -> "Genesis":
        """Read a stored genesis; raises ValueError when it is of another chain id than ``parameters``."""
        document = json.loads(text)
        if document["chain_id"] != parameters.chain_id:
            raise ValueError(f"this store keeps {document['chain_id']}, not {parameters.chain_id}")
        seats = tuple(Seat(*each) for each in document["seats"])
        balances = {to: tuple(Coin(*each) for each in coins) for to, coins in document["balances"].items()}
        return cls(parameters, document["time"], seats, balances)


class Happening(NamedTuple):
    """A change of balances at the end of a block, outside its transactions.

    Negative amounts take away, at most what is there.
    """

    address: bytes
    coins: Coins


@dataclass(slots=True)
class Mischief:
    """What goes wrong for the whole chain; counters are used up by the transactions they befall."""

    halted: bool = False
    duplicate_next: int = 0
    """So many of the next transactions stand twice in their block."""
    rehash_next: int = 0
    """So many of the next transactions are included under another hash, as a stranger can arrange."""


class Built(NamedTuple):
    """A block that nobody has seen yet, with all that follows from it."""

    block: Block
    changes: list[Change]
    version: multistore.Version
    councils: tuple[Council, Council]
    """Who signs the next block, and the one after it."""


def rehashed(encoded: bytes) -> bytes:
    """Return the same signed transaction under another hash: its first field twice (chain.md, Withdrawals)."""
    length, shift, at = 0, 0, 1
    while True:
        octet = encoded[at]
        length |= (octet & 0x7F) << shift
        shift, at = shift + 7, at + 1
        if octet < 0x80:
            break
    return encoded[: at + length] + encoded


def blocked_addresses(parameters: ChainParameters) -> frozenset[bytes]:
    """Return the module accounts that refuse coins."""
    return frozenset(
        address.module_address(module)
        for module in parameters.modules
        if module not in _MODULES_THAT_MAY_RECEIVE
    )


@dataclass(slots=True)
class _Past:
    """All blocks up to now, the older ones packed."""

    recent: dict[int, Block] = field(default_factory=dict)
    packed: dict[int, bytes] = field(default_factory=dict)
    versions: dict[int, multistore.Version] = field(default_factory=dict)
    places: dict[bytes, tuple[int, int]] = field(default_factory=dict)

    def stand(self, block: Block, version: multistore.Version) -> None:
        """Add a block."""
        self._keep(block)
        self._place(block.height, version, (sha256(tx).digest() for tx in block.txs))

    def stand_packed(
        self, height: int, packed: bytes, version: multistore.Version, tx_hashes: Iterable[bytes]
    ) -> None:
        """Add a block that came from the disk."""
        self.packed[height] = packed
        self._place(height, version, tx_hashes)

    def block(self, height: int) -> Block:
        """Return a block; raises KeyError."""
        found = self.recent.get(height)
        if found is None:
            found = blocks.load(zlib.decompress(self.packed[height]).decode())
            self._keep(found)
        return found

    def until(self, height: int) -> "_Past":
        """Return a copy that ends with ``height``."""
        return _Past(
            {at: block for at, block in self.recent.items() if at <= height},
            {at: packed for at, packed in self.packed.items() if at <= height},
            {at: version for at, version in self.versions.items() if at <= height},
            {key: place for key, place in self.places.items() if place[0] <= height},
        )

    def _keep(self, block: Block) -> None:
        self.recent[block.height] = block
        if len(self.recent) > _RECENT_BLOCKS:
            oldest = self.recent.pop(next(iter(self.recent)))
            if oldest.height not in self.packed:
                self.packed[oldest.height] = _packed(oldest)

    def _place(self, height: int, version: multistore.Version, tx_hashes: Iterable[bytes]) -> None:
        self.versions[height] = version
        for index, tx_hash in enumerate(tx_hashes):
            self.places[tx_hash] = (height, index)


def _packed(block: Block) -> bytes:
    return zlib.compress(blocks.dump(block).encode(), 1)


class Blockchain:
    """One chain. ``produce`` is pure until ``adopt``, so a caller can bring a block to disk in between."""

    def __init__(self, genesis: Genesis, clock: Clock, rng: random.Random) -> None:
        self.genesis = genesis
        self.rules = Rules(genesis.parameters, blocked_addresses(genesis.parameters))
        self.mempool = Mempool(self.rules)
        self.mischief = Mischief()
        self.forced: list[bytes] = []
        self.happenings: list[Happening] = []
        self.followers: list[Callable[[Block], None]] = []
        self.height = 0
        self.base = 1
        self._clock = clock
        self._rng = rng
        self._past = _Past(versions={0: multistore.empty()})
        self._council = self._next_council = Council(genesis.seats)
        self._elected: Council | None = None

    @property
    def parameters(self) -> ChainParameters:
        """The chain's rules."""
        return self.rules.parameters

    @property
    def council(self) -> Council:
        """Who signs the next block."""
        return self._council

    def elect(self, seats: Sequence[Seat]) -> None:
        """Let other validators sign: from two heights after the next block on, as votes for them would."""
        self._elected = Council(seats)

    # Reading

    def block(self, height: int) -> Block:
        """Return a block that stands; raises KeyError for a height that does not."""
        return self._past.block(height)

    def version(self, height: int) -> multistore.Version:
        """Return the state after block ``height``; raises KeyError."""
        return self._past.versions[height]

    def place_of(self, tx_hash: bytes) -> tuple[int, int] | None:
        """Return height and index of the LAST inclusion of a transaction, as an index of a node would."""
        return self._past.places.get(tx_hash)

    def latest(self) -> multistore.Version:
        """Return the newest state."""
        return self.version(self.height)

    def simulate(self, encoded: bytes) -> execute.Result:
        """Run a transaction without a trace, and without its signature."""
        layer = state.Layer(self.mempool.checked)
        return execute.run(self.rules, layer, encoded, self._next_place(), Mode.SIMULATE)

    # Growing

    def produce(self) -> Built:
        """Return the next block over what waits; nobody sees it before ``adopt``."""
        txs, happenings = self._chosen(), tuple(self.happenings)
        self.happenings, self.forced = [], []
        councils = (self._next_council, self._elected or self._next_council)
        self._elected = None
        return self._build(txs, happenings, councils)

    def adopt(self, built: Built) -> None:
        """Let a block stand: state, mempool and followers go on from it."""
        self._past.stand(built.block, built.version)
        self.height = built.block.height
        self._council, self._next_council = built.councils
        done = {
            tx: result.outcome.code for tx, result in zip(built.block.txs, built.block.results, strict=True)
        }
        self.mempool.update(built.version, Place(self.height, built.block.header.time.seconds), done)
        for follow in self.followers:
            follow(built.block)

    def row(self, built: Built) -> Row:
        """Return what the store keeps of a block that is not adopted yet."""
        changes = [
            (store, key.hex(), None if value is None else value.hex()) for store, key, value in built.changes
        ]
        return Row(
            height=built.block.height,
            block=_packed(built.block),
            txs=json.dumps([sha256(tx).hexdigest() for tx in built.block.txs]),
            changes=json.dumps(changes),
            councils=json.dumps([council.seats for council in built.councils]),
        )

    def restore(self, rows: Iterable[Row]) -> None:
        """Stand where the rows end; raises ValueError when they contradict themselves."""
        last: Row | None = None
        for row in rows:
            changes = [
                Change(store, bytes.fromhex(key), None if value is None else bytes.fromhex(value))
                for store, key, value in json.loads(row.changes)
            ]
            version = multistore.applied(self.latest(), changes, row.height)
            self._past.stand_packed(row.height, row.block, version, map(bytes.fromhex, json.loads(row.txs)))
            self.height = row.height
            last = row
        if last is not None:
            self._resume(json.loads(last.councils))

    def _resume(self, councils: Sequence[Sequence[tuple[str, int]]]) -> None:
        """Go on from the last block of the disk."""
        block = self.block(self.height)
        if self.latest().app_hash() != block.app_hash:
            raise ValueError(f"the state on disk is not that of block {self.height}")
        self._council, self._next_council = (Council([Seat(*each) for each in seats]) for seats in councils)
        self.mempool.update(self.latest(), Place(self.height, block.header.time.seconds), {})

    def branch(self, height: int, council: Council) -> "Blockchain":
        """Return another chain that shares all below ``height`` and whose later blocks ``council`` signs."""
        other = Blockchain(self.genesis, self._clock, self._rng)
        other._past = self._past.until(height - 1)
        other.height, other.base = height - 1, self.base
        other._council = other._next_council = council
        seconds = other.block(other.height).header.time.seconds if other.height else 0
        other.mempool.update(other.latest(), Place(other.height, seconds), {})
        return other

    def _chosen(self) -> tuple[bytes, ...]:
        """Return the next block's transactions: what waits, what is forced in, and what mischief makes of it."""
        chosen: list[bytes] = []
        for waiting in self.mempool.waiting() if self.height else ():
            tx = waiting
            if self.mischief.rehash_next:
                self.mischief.rehash_next -= 1
                tx = rehashed(tx)
            chosen.append(tx)
            if self.mischief.duplicate_next:
                self.mischief.duplicate_next -= 1
                chosen.append(tx)
        return (*chosen, *self.forced)

    def _next_place(self) -> Place:
        return Place(self.height + 1, self._next_time().seconds)

    def _next_time(self) -> Timestamp:
        if not self.height:
            return timestamp(self.genesis.time * 1_000_000)
        last = self.block(self.height)
        return median_time(last.commit, ValidatorSet(last.validators))

    def _build(
        self, txs: tuple[bytes, ...], happenings: tuple[Happening, ...], councils: tuple[Council, Council]
    ) -> Built:
        layer = state.Layer(self.latest())
        if not self.height:
            self._found(layer)
        place = self._next_place()
        results = tuple(execute.run(self.rules, layer, tx, place, Mode.BLOCK) for tx in txs)
        told = tuple(event for each in happenings for event in self._happen(layer, each))
        changes = layer.changes()
        version = multistore.applied(self.latest(), changes, place.height)
        block = self._signed(txs, results, told, version.app_hash())
        return Built(block, changes, version, councils)

    def _signed(
        self,
        txs: tuple[bytes, ...],
        results: tuple[execute.Result, ...],
        told: tuple[events.Event, ...],
        app_hash: bytes,
    ) -> Block:
        last = self.block(self.height) if self.height else None
        last_commit = last.commit if last else NO_COMMIT
        header = self._header(txs, last)
        name = blocks.block_id(header, txs, last_commit)
        times = self._council.times(self._clock.now(), header.time, self._rng)
        commit = self._council.commit(header.chain_id, header.height, name, times)
        validators = self._council.set.validators
        return Block(header, name, txs, last_commit, results, told, validators, commit, app_hash)

    def _header(self, txs: tuple[bytes, ...], last: Block | None) -> Header:
        outcomes = [result.outcome for result in last.results] if last else []
        return Header(
            version=Version(BLOCK_PROTOCOL, 0),
            chain_id=self.parameters.chain_id,
            height=self.height + 1,
            time=self._next_time(),
            last_block_id=last.block_id if last else NO_BLOCK,
            last_commit_hash=(last.commit if last else NO_COMMIT).hash(),
            data_hash=light_header.data_hash(txs),
            validators_hash=self._council.set.hash(),
            next_validators_hash=self._next_council.set.hash(),
            consensus_hash=blocks.CONSENSUS_HASH,
            app_hash=last.app_hash if last else EMPTY,
            last_results_hash=light_results.results_hash(outcomes),
            evidence_hash=EMPTY,
            proposer_address=self._council.proposer(self.height + 1),
        )

    def _found(self, layer: state.Layer) -> None:
        """Write the balances of the genesis."""
        for text, coins in self.genesis.balances.items():
            raw = addresses.decode(text, self.parameters.prefix)
            state.open_account(layer, raw, text)
            state.give(layer, raw, coins)
            state.issue(layer, coins)

    def _happen(self, layer: state.Layer, happening: Happening) -> tuple[events.Event, ...]:
        text = addresses.encode(self.parameters.prefix, happening.address)
        if state.account(layer, happening.address) is None:
            state.open_account(layer, happening.address, text)
        coins = tuple(
            coin._replace(amount=max(coin.amount, -state.balance(layer, happening.address, coin.denom)))
            for coin in happening.coins
        )
        state.give(layer, happening.address, coins)
        state.issue(layer, coins)
        given = tuple(coin for coin in coins if coin.amount > 0)
        taken = tuple(Coin(coin.denom, -coin.amount) for coin in coins if coin.amount < 0)
        told = (events.received(text, given) if given else None, events.spent(text, taken) if taken else None)
        return tuple(event for event in told if event is not None)
