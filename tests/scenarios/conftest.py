import asyncio
from collections.abc import Callable

import pytest

from tests.jumping import JumpingLoop

WHOLE = frozenset({"test_whole_path.py", "test_hammered.py"})
"""Where town and program are in this one process, so that nothing comes from outside and time may jump."""


def pytest_asyncio_loop_factories(item: pytest.Item) -> dict[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Let towns that are whole not wait for the pace of chats, blocks and polls."""
    return {"jumping": JumpingLoop} if item.path.name in WHOLE else {"real": asyncio.SelectorEventLoop}
