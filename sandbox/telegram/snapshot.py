"""Telegram on disk: the whole state in one JSON file, so that a sandbox started again shows its chats."""

import asyncio
import os
from functools import partial
from pathlib import Path
from typing import Any, Final

from pydantic import BaseModel, Field

from ledger.ports import BlockingRunner
from sandbox.telegram.model import State
from sandbox.telegram.people import Telegram
from sandbox.telegram.updates import UpdateQueue

_PAUSE_SECONDS: Final = 1.0


class _Queue(BaseModel):
    next_id: int
    allowed: list[str] | None
    waiting: list[dict[str, Any]]


class _Snapshot(BaseModel):
    state: State
    queues: dict[int, _Queue] = Field(default_factory=dict)


def dump(telegram: Telegram) -> bytes:
    """Return everything as JSON, updates that wait for their bot included."""
    queues = {
        bot: _Queue(next_id=queue.next_id, allowed=queue.allowed, waiting=list(queue.waiting))
        for bot, queue in telegram.queues.items()
    }
    return _Snapshot.model_construct(state=telegram.state, queues=queues).model_dump_json().encode()


def restore(telegram: Telegram, content: bytes) -> None:
    """Replace what ``telegram`` holds by a dump. Raises pydantic.ValidationError for another file."""
    snapshot = _Snapshot.model_validate_json(content)
    telegram.state = snapshot.state
    telegram.queues = {bot: _queue(kept) for bot, kept in snapshot.queues.items()}
    telegram.touched()


def _queue(kept: _Queue) -> UpdateQueue:
    queue = UpdateQueue(kept.next_id)
    queue.allowed = kept.allowed
    queue.waiting.extend(kept.waiting)
    return queue


async def keep(telegram: Telegram, path: Path, blocking: BlockingRunner) -> None:
    """Write ``path`` now and after every change, at most once a second, for ever; once more when cancelled."""
    version = -1
    try:
        while True:
            version = await telegram.changes.after(version)
            await blocking(partial(write, path, dump(telegram)))
            await asyncio.sleep(_PAUSE_SECONDS)
    finally:
        write(path, dump(telegram), beside=".last")  # a write of the runner may still be under way


def write(path: Path, content: bytes, *, beside: str = ".new") -> None:
    """Replace ``path`` whole or not at all, by way of a file with the suffix ``beside``."""
    new = path.with_suffix(beside)
    new.write_bytes(content)
    os.replace(new, path)  # noqa: PTH105 - atomic, which is the point
