"""What a node claims by events against what is proved: no reason to credit anything, but a way to find a liar.

Events are not hashed, so a forged one costs a node nothing; every coin that really moved changed a proved balance
(chain.md, Deposits 2).
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from chain.coins import parse_coins
from ledger.money import Denom

_SIGNS: Final = {("coin_received", "receiver"): 1, ("coin_spent", "spender"): -1}


def claimed_changes(
    claims: Mapping[str, Any], address: str, denoms: Iterable[Denom]
) -> dict[Denom, int] | None:
    """Return by how much the events of a block change what ``address`` holds, None for events in no known form."""
    changes = dict.fromkeys(denoms, 0)
    try:
        for sign, amount in _moves(claims, address):
            for coin in parse_coins(amount):
                if coin.denom in changes:
                    changes[coin.denom] += sign * coin.amount
    except (AttributeError, KeyError, TypeError, ValueError):
        return None
    return changes


def _moves(claims: Mapping[str, Any], address: str) -> Iterator[tuple[int, str]]:
    told = [event for tx in claims.get("txs") or () for event in tx.get("events") or ()]
    for event in (*told, *(claims.get("block_events") or ())):
        attributes = {each["key"]: each["value"] for each in event["attributes"]}
        for (kind, party), sign in _SIGNS.items():
            if event["type"] == kind and attributes.get(party) == address:
                yield sign, attributes.get("amount") or ""
