"""How values are written, and the field of a setting."""

import re
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic.fields import FieldInfo
from pydantic_settings import NoDecode

from bot.amounts import read_amount
from bot.settings.names import variable
from ledger.blocks import FACTORY
from ledger.errors import Refused
from ledger.money import MAX_AMOUNT, Amount, Asset, Denom

MOST_DECIMALS: Final = 12
"""Of an asset with more a deposit can be beyond what the books hold, and no block after it could be booked."""


def _listed(value: object) -> object:
    """Split what is separated by commas; a value that is no text (given by code) is left alone."""
    if not isinstance(value, str):
        return value
    return tuple(part.strip() for part in value.split(",") if part.strip())


def _assets(value: object) -> object:
    """Read ``denom:symbol:decimals`` for each asset; a denom may contain slashes, never a colon."""
    listed = _listed(value)
    if not isinstance(listed, tuple) or all(isinstance(each, Asset) for each in listed):
        return listed
    return tuple(_asset(str(each)) for each in listed)


def _asset(text: str) -> Asset:
    match = re.fullmatch(r"([a-zA-Z][a-zA-Z0-9/._-]{2,127}):([A-Z][A-Z0-9]{0,15}):([0-9]|1[0-8])", text)
    if match is None:
        raise ValueError(f"{text!r} is not denom:SYMBOL:decimals, such as ujuno:JUNO:6")
    if match[1].startswith(FACTORY):
        raise ValueError(f"{match[1]} cannot be listed: its admin can take such coins back by force")
    asset = Asset(Denom(match[1]), match[2], int(match[3]))
    if asset.decimals > MOST_DECIMALS:
        room = MAX_AMOUNT // 10**asset.decimals + 1
        raise ValueError(
            f"{asset.denom} cannot be listed: with {asset.decimals} decimals the books hold fewer than {room} of it"
        )
    return asset


def _price(value: object) -> object:
    """Read a decimal exactly; a denom behind it is allowed when it is a lower-case word."""
    if not isinstance(value, str):
        return value
    match = re.fullmatch(r"([0-9]{1,9}(?:\.[0-9]{1,18})?)(?:[a-z][a-z0-9/]*)?", value.strip(), re.ASCII)
    if match is None:
        raise ValueError("it must be a plain decimal, such as 0.075")
    return Fraction(match[1])


def _link(value: object) -> object:
    """Read ``none`` as no link: an empty variable means the default."""
    return "" if value == "none" else value


def option(
    default: Any, section: str, description: str, example: str | None = None, *, shown: bool = True
) -> Any:
    """Return a field; ``default`` ... means required. ``example`` is what .env.example shows where it is no default.

    ``shown`` False keeps it out of the settings' repr: an address may bear a key.
    """
    return Field(
        default=default,
        description=description,
        json_schema_extra={"section": section, "example": example},
        repr=shown,
    )


Ids = Annotated[tuple[int, ...], NoDecode, BeforeValidator(_listed)]
Texts = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_listed)]
Assets = Annotated[tuple[Asset, ...], NoDecode, BeforeValidator(_assets)]
BooksPath = Annotated[Path, AfterValidator(Path.resolve)]
"""One name for one file: by a link a restore would not see who runs on it, and replace the link."""
Link = Annotated[str, BeforeValidator(_link)]
"""An address, or nothing."""
Price = Annotated[Fraction, NoDecode, BeforeValidator(_price)]
MaybePrice = Annotated[Fraction | None, NoDecode, BeforeValidator(_price)]


def extra(field: FieldInfo) -> dict[str, Any]:
    """Return what `option` wrote down beside the field: its section and its example."""
    assert isinstance(field.json_schema_extra, dict)
    return field.json_schema_extra


def amounts(name: str, texts: Sequence[str], assets: Sequence[Asset]) -> dict[Denom, Amount]:
    """Return the amounts of a setting by denom; raises ValueError with a sentence."""
    read: dict[Denom, Amount] = {}
    for text in texts:
        if re.fullmatch(r"0(\.0+)?", text):
            read[assets[0].denom] = Amount(0)
            continue
        try:
            wanted = read_amount(text, assets, all_allowed=False)
        except Refused:
            raise ValueError(
                f"{variable(name)}: {text!r} is not an amount such as 0.1 {assets[0].symbol}."
            ) from None
        assert wanted.amount is not None, "all was not allowed"
        read[wanted.asset.denom] = wanted.amount
    return read
