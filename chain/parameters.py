"""What differs from one Cosmos SDK chain to another; the presets are Juno's (chain.md, Parameters)."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from ledger.money import Denom

DAY_MS: Final = 86_400_000

JUNO_MODULES: Final = (
    "fee_collector",
    "distribution",
    "mint",
    "bonded_tokens_pool",
    "not_bonded_tokens_pool",
    "gov",
    "transfer",
    "interchainaccounts",
    "interchainquery",
    "feeibc",
    "nft",
    "tokenfactory",
    "feepay",
    "globalfee",
    "junoburn",
    "wasm",
    "builder",
    "protocolpool",
    "feemarket",
    "feemarket-fee-collector",
)
"""Module accounts of Juno and of the versions to come; a name too many refuses nobody's address."""


@dataclass(frozen=True, slots=True)
class ChainParameters:
    """One chain, as settings describe it."""

    chain_id: str
    fee_denom: Denom
    prefix: str = "juno"
    derivation_path: str = "m/44'/118'/0'/0/0"
    gas_price: Fraction = Fraction(75, 1000)
    """Base units of ``fee_denom`` per unit of gas: the node's and globalfee's floor."""
    gas_first_send: int = 150_000
    """Fits one send; the worst seen, to a new address, took 99 k (chain.md, Withdrawals)."""
    gas_next_send: int = 40_000
    """Each further send of a batch: 18 k seen, 14 k more to a new address, and room."""
    memo_limit_bytes: int = 256
    timeout_blocks: int = 100
    """How long signed bytes stay valid; the timeout height itself is still valid."""
    block_ms: int = 3_000
    trust_period_ms: int = 14 * DAY_MS
    """Older trust is none; well below `JUNO_UNBONDING_HOURS`, after which old validators risk nothing."""
    modules: Sequence[str] = JUNO_MODULES

    def gas_limit(self, sends: int) -> int:
        """Return the gas limit of a transaction with that many sends (from 1)."""
        return self.gas_first_send + self.gas_next_send * (sends - 1)

    def fee(self, gas_limit: int) -> int:
        """Return the fee in base units, rounded up: the chain charges the limit, not the use, and refunds nothing."""
        return -(-gas_limit * self.gas_price.numerator // self.gas_price.denominator)


JUNO_MAINNET: Final = ChainParameters("juno-1", Denom("ujuno"))
JUNO_TESTNET: Final = ChainParameters("uni-7", Denom("ujunox"))
JUNO_UNBONDING_HOURS: Final = 28 * 24
