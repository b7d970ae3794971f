"""Money is whole base units; text appears only at the edge."""

from collections.abc import Iterable
from typing import Final, NamedTuple, NewType

Amount = NewType("Amount", int)
"""Base units of some denom, never a float; 1 JUNO is 1,000,000 ujuno."""

Denom = NewType("Denom", str)
"""The chain's name of an asset, such as ``ujuno``."""

MAX_AMOUNT: Final = Amount(2**62 - 1)
"""The largest amount of one posting: the whole supply of a listed denom stays below it (ledger.md, Model)."""


class Asset(NamedTuple):
    """A listed denom: what people call it and how many decimals they see."""

    denom: Denom
    symbol: str
    decimals: int


class AssetsByDenom(dict[Denom, Asset]):
    """Listed assets by denom; one that is not listed, or not any more, shows base units under the chain's name."""

    def __init__(self, assets: Iterable[Asset]) -> None:
        super().__init__((each.denom, each) for each in assets)

    def __missing__(self, denom: Denom) -> Asset:
        """Return what shows the base units of ``denom``."""
        return Asset(denom, denom, 0)


def format_amount(amount: int, asset: Asset) -> str:
    """Return ``amount`` base units as people read it: ``1.5 JUNO``, without trailing zeros.

    Accepts negative amounts (a reserve below zero, a difference in history).
    """
    sign = "-" if amount < 0 else ""
    whole, fraction = divmod(abs(amount), 10**asset.decimals)
    digits = f"{fraction:0{asset.decimals}d}".rstrip("0") if asset.decimals else ""
    return f"{sign}{whole}{'.' + digits if digits else ''} {asset.symbol}"
