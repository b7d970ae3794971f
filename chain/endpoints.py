"""Several nodes as one: which of them to ask, and what the refusals of all of them mean together.

A node that is down, behind or strange waits and is asked again later; one whose answer contradicts what validators
signed is put aside and named. Health is what chain.md, Deposits 8 lists.
"""

import asyncio
import random
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeVar

from chain.client import BroadcastAnswer, NodeClient, NodeStatus, Verdict
from chain.errors import ChainError, Halted, Lied, NodeUnavailable, NotYet, Pruned
from chain.light.errors import Malformed, Unproven
from ledger.ports import Clock

T = TypeVar("T")

_LIES_KEPT: Final = 100


class EndpointRules(NamedTuple):
    """When a node is asked, and how long it is left alone."""

    block_age_limit_ms: int = 60_000
    """A node whose latest block is older follows no living chain."""
    status_age_limit_ms: int = 15_000
    """How long a node's word on itself is good for."""
    first_wait_ms: int = 500
    longest_wait_ms: int = 30_000
    first_aside_ms: int = 60_000
    """How long a liar is put aside; each lie in a row doubles it."""
    longest_aside_ms: int = 3_600_000
    question_seconds: float = 60.0
    """How long all requests of one question may take: each by itself may be quick enough, and they come to no end."""
    slow_ms: int = 5_000
    """After an answer that took longer another node is preferred."""


@dataclass(slots=True)
class Endpoint:
    """One node, and what is known of its health."""

    client: NodeClient
    status: NodeStatus | None = None
    status_at: int = 0
    waits_since: int = 0
    waits_until: int = 0
    failures: int = 0
    lies: int = 0
    refusal: ChainError | None = None
    """Why it waits."""

    @property
    def name(self) -> str:
        """What logs and alerts call it."""
        return self.client.name

    def waits(self, now: int) -> bool:
        """Tell whether it is left alone at ``now``; a wait by a clock that was ahead ends when that is set back."""
        return self.waits_since <= now < self.waits_until


class Broadcast(NamedTuple):
    """What all nodes said of the same bytes. Even if all reject, it proves nothing: only blocks do."""

    answers: tuple[BroadcastAnswer, ...]

    @property
    def taken(self) -> bool:
        """Whether some node has the bytes in its mempool."""
        return any(answer.verdict in {Verdict.ACCEPTED, Verdict.KNOWN} for answer in self.answers)

    @property
    def rejections(self) -> tuple[BroadcastAnswer, ...]:
        """The answers of the nodes that refused the bytes in their ante check."""
        return tuple(answer for answer in self.answers if answer.verdict is Verdict.REJECTED)

    @property
    def rejected(self) -> bool:
        """Whether every node gave a verdict and all refused."""
        return bool(self.answers) and len(self.rejections) == len(self.answers)


@dataclass(slots=True)
class _Refusals:
    """The refusals of one round, by what they mean for the caller."""

    all: list[ChainError] = field(default_factory=list)

    def together(self, endpoints: int) -> ChainError:
        """Return the one error for the caller.

        Waiting helps if one node says so; pruned and wrong only if all do; a lie is told when nothing better is.
        """
        if not_yet := self._first(NotYet):
            return not_yet
        for kind in (Pruned, Halted):
            found = [error for error in self.all if isinstance(error, kind)]
            if len(found) == endpoints:
                return found[0]
        if lied := self._first(Lied):
            return lied
        return NodeUnavailable(
            "; ".join(str(error) for error in self.all) or "every node waits for its next try"
        )

    def _first(self, kind: type[ChainError]) -> ChainError | None:
        return next((error for error in self.all if isinstance(error, kind)), None)


class Endpoints:
    """The configured nodes in order of preference; the one that answered last, and was not slow, is asked first."""

    def __init__(
        self,
        clients: Sequence[NodeClient],
        chain_id: str,
        *,
        clock: Clock,
        randomness: random.Random,
        rules: EndpointRules = EndpointRules(),  # noqa: B008 - immutable
    ) -> None:
        if not clients:
            raise ValueError("a chain needs at least one node")
        self.all: Final = tuple(Endpoint(client) for client in clients)
        self.chain_id: Final = chain_id
        self._clock: Final = clock
        self._randomness: Final = randomness
        self._rules: Final = rules
        self._preferred = self.all[0]
        self._lies: Final[deque[Lied]] = deque(maxlen=_LIES_KEPT)

    async def close(self) -> None:
        """Close all connections."""
        for endpoint in self.all:
            await endpoint.client.close()

    def take_lies(self) -> tuple[Lied, ...]:
        """Return the lies caught since the last call, for alerts; also those after which another node answered."""
        lies = tuple(self._lies)
        self._lies.clear()
        return lies

    async def ask(
        self,
        question: Callable[[Endpoint], Awaitable[T]],
        *,
        height: int | None = None,
        seconds: float | None = None,
    ) -> T:
        """Put ``question`` to one node after the other until one answers.

        ``height`` is the lowest height that the question needs: nodes that pruned it are passed over. ``seconds`` is
        how long each node may take, if not as long as the rules say. The question raises NodeUnavailable, or Unproven
        for an answer that cannot be true. Raises NotYet, Pruned (all nodes did), Halted (all nodes are of another
        chain), Lied (nothing but lies), NodeUnavailable.
        """
        refusals = _Refusals()
        for endpoint in self._order():
            if endpoint.refusal is not None and endpoint.waits(self._clock.now()):
                refusals.all.append(_bare(endpoint.refusal))
                continue
            began = self._clock.now()
            try:
                answer = await self._put(question, endpoint, height, seconds)
            except (ChainError, Unproven) as error:
                refusals.all.append(self._note(endpoint, error))
            else:
                self._answered(endpoint, self._clock.now() - began)
                return answer
        raise refusals.together(len(self.all))

    async def ask_each(self, question: Callable[[Endpoint], Awaitable[T]]) -> list[T]:
        """Put ``question`` to every node. Raises what the first that does not answer gave: NodeUnavailable, Lied, Halted."""
        answers = []
        for endpoint in self.all:
            try:
                answers.append(await self._put(question, endpoint, None, None))
                continue
            except (ChainError, Unproven) as error:
                refusal = self._note(endpoint, error)
            raise refusal
        return answers

    async def _put(
        self,
        question: Callable[[Endpoint], Awaitable[T]],
        endpoint: Endpoint,
        height: int | None,
        seconds: float | None,
    ) -> T:
        allowed = seconds or self._rules.question_seconds
        try:
            async with asyncio.timeout(allowed):
                await self._require_healthy(endpoint, height)
                return await question(endpoint)
        except TimeoutError as error:
            raise NodeUnavailable(f"{endpoint.name}: no whole answer in {allowed} s") from error

    async def broadcast(self, raw: bytes) -> Broadcast:
        """Offer bytes to every node, also to those that wait: the more have them, the sooner a block does."""
        answers = await asyncio.gather(*(endpoint.client.broadcast(raw) for endpoint in self.all))
        return Broadcast(tuple(answers))

    def _order(self) -> list[Endpoint]:
        """Return the nodes, the preferred first."""
        return [self._preferred, *(endpoint for endpoint in self.all if endpoint is not self._preferred)]

    async def _require_healthy(self, endpoint: Endpoint, height: int | None) -> None:
        if (
            endpoint.status is None
            or self._clock.now() - endpoint.status_at > self._rules.status_age_limit_ms
        ):
            await self._refresh(endpoint)
        status = endpoint.status
        assert status is not None, "a refreshed node has a status"
        if height is not None and status.earliest_height > height:
            raise Pruned(f"{endpoint.name}: lowest height is {status.earliest_height}, needed is {height}")

    async def _refresh(self, endpoint: Endpoint) -> None:
        """Ask a node for its status; raises Halted for another chain, NodeUnavailable for one that is not in step."""
        endpoint.status = None
        status = await endpoint.client.status()
        now = self._clock.now()
        if status.chain_id != self.chain_id:
            raise Halted(f"{endpoint.name}: is of chain {status.chain_id[:50]!r}, not {self.chain_id}")
        if status.catching_up:
            raise NodeUnavailable(f"{endpoint.name}: is catching up")
        if now - status.latest_time > self._rules.block_age_limit_ms:
            seconds = (now - status.latest_time) // 1000
            raise NodeUnavailable(f"{endpoint.name}: its latest block is {seconds} s old")
        endpoint.status, endpoint.status_at = status, now

    def _answered(self, endpoint: Endpoint, took_ms: int) -> None:
        endpoint.failures = endpoint.lies = 0
        endpoint.refusal = None
        self._preferred = self._after(endpoint) if took_ms > self._rules.slow_ms else endpoint

    def _after(self, endpoint: Endpoint) -> Endpoint:
        return self.all[(self.all.index(endpoint) + 1) % len(self.all)]

    def _note(self, endpoint: Endpoint, error: ChainError | Unproven) -> ChainError:
        """Let the node wait as its refusal deserves; return the refusal as the caller may see it."""
        if isinstance(error, NotYet | Pruned):
            return error
        if isinstance(error, Unproven) and not isinstance(error, Malformed):
            error = Lied(endpoint.name, str(error))
        if isinstance(error, Malformed):
            error = NodeUnavailable(f"{endpoint.name}: strange answer: {error}")
        if isinstance(error, Lied):
            self._put_aside(endpoint, error)
        else:
            self._let_wait(endpoint)
        endpoint.refusal = _bare(error)
        return error

    def _put_aside(self, endpoint: Endpoint, lie: Lied) -> None:
        aside = min(self._rules.first_aside_ms << min(endpoint.lies, 20), self._rules.longest_aside_ms)
        endpoint.waits_since = self._clock.now()
        endpoint.waits_until = endpoint.waits_since + aside
        endpoint.lies += 1
        self._lies.append(lie)

    def _let_wait(self, endpoint: Endpoint) -> None:
        """Double the wait with each failure in a row; the random half keeps many bots from coming back at once."""
        wait = min(self._rules.first_wait_ms << min(endpoint.failures, 20), self._rules.longest_wait_ms)
        endpoint.waits_since = self._clock.now()
        endpoint.waits_until = endpoint.waits_since + wait // 2 + self._randomness.randint(0, wait // 2)
        endpoint.failures += 1


def _bare(error: ChainError) -> ChainError:
    """Return the error without what led to it: tracebacks hold all that their frames do, also what a node said."""
    error.__cause__ = error.__context__ = None
    return error.with_traceback(None)
