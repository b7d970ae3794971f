"""What a transaction of ours costs the treasury: the one place that asks for a price (chain.md, Withdrawals, Fees)."""

from typing import NamedTuple

from chain.coins import ChainCoin
from chain.parameters import ChainParameters


class Quote(NamedTuple):
    """The gas limit that a transaction needs, and the fee for all of it: the limit is charged, not the use."""

    gas_limit: int
    fee: ChainCoin


def quote(parameters: ChainParameters, sends: int) -> Quote:
    """Return the price of a transaction with ``sends`` payments (from 1)."""
    gas_limit = parameters.gas_limit(sends)
    return Quote(gas_limit, ChainCoin(parameters.fee_denom, parameters.fee(gas_limit)))
