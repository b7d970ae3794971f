"""What is told of a block before its results are proved: signed transactions, and nothing about money."""

from collections.abc import Mapping
from typing import Any

import pytest

from chain.errors import Lied, NotYet
from chain.light.header import Header
from tests.chain.fakechain import b64, resigned
from tests.chain.test_lightclient import World, filled, grown


async def test_the_newest_block_is_previewed_without_what_failed() -> None:
    world = World(filled(4))
    assert await world.client.preview(world.chain.trusted(3)) == (b"first 3",)


async def test_there_is_no_preview_of_what_is_not_there() -> None:
    world = World(grown(4))
    with pytest.raises(NotYet):
        await world.client.preview(world.chain.trusted(4))


async def test_transactions_that_the_header_does_not_name_are_a_lie() -> None:
    world = World(filled(4))

    def other_txs(method: str, _params: Mapping[str, Any], answer: Any) -> Any:
        if method == "block":
            answer["block"]["data"]["txs"] = [b64(b"false"), b64(b"false too")]
        return answer

    world.nodes[0].lie = other_txs
    with pytest.raises(Lied):
        await world.client.preview(world.chain.trusted(3))


async def test_a_block_on_another_history_is_a_lie() -> None:
    world = World(filled(4))
    last: Header = world.chain.block(4).header
    other = last.last_block_id._replace(hash=b"\x00" * 32)
    trusted = world.chain.trusted(3)
    world.chain.blocks[3] = resigned(world.chain, world.chain.block(4), last_block_id=other)
    with pytest.raises(Lied):
        await world.client.preview(trusted)
