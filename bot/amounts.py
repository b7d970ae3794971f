"""What a member typed as an amount, read strictly into base units.

One spelling is accepted (telegram.md, Amounts): ASCII digits, at most twelve of them, a dot and at most as many
decimals as the asset has; then the symbol, or nothing. Anything else is refused with a code of its own, so that the
sentence can say what was wrong and what to type instead. Nothing is guessed: a reading that we only suspect is
offered as ``instead``, never used. Digits become integers by arithmetic on integers.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, NoReturn

from ledger.errors import Refused
from ledger.money import MAX_AMOUNT, Amount, Asset

MAX_WHOLE_DIGITS: Final = 12
"""Digits before the dot: a trillion of anything is more than a member of any chain here has."""

ALL: Final = "all"

_LONGEST_WORD: Final = 64
_LONGEST_ECHO: Final = 32
_SIGNS: Final = "+-\u2212\u2013\u2014\uff0b\uff0d\u00b1"
_CURRENCIES: Final = "$€£¥₿₽₹₴₩₺"
_NUMBER: Final = re.compile(r"([0-9]+)(?:\.([0-9]+))?")
_NUMBER_AND_SYMBOL: Final = re.compile(r"([0-9][0-9.,]*)([A-Za-z][A-Za-z0-9]*)")
_GROUPED: Final = re.compile(r"([0-9]{1,3}(?:[,.'\u2019][0-9]{3})+)([.,][0-9]+)?")


class Wanted(NamedTuple):
    """An amount that a member asked for; ``amount`` None means all there is."""

    amount: Amount | None
    asset: Asset


class _Form(NamedTuple):
    """A form that is refused: its code, how it looks, and what was perhaps meant."""

    code: str
    looks: Callable[[str], object]
    meant: Callable[[str], list[str]] = lambda _: []


def take_amount(
    words: Sequence[str], assets: Sequence[Asset], *, all_allowed: bool = True
) -> tuple[Wanted, list[str]]:
    """Read the amount that ``words`` begin with; return it and the words after it.

    ``assets`` are the listed ones; the first is meant when no symbol is typed. Raises Refused ``amount_missing``
    without words, ``amount_separated`` for ``1 000`` (two words), and otherwise as `read_amount`.
    """
    if not words:
        raise Refused("amount_missing", symbol=assets[0].symbol)
    first, rest = words[0], list(words[1:])
    if rest and find_asset(rest[0], assets):
        return read_amount(f"{first} {rest[0]}", assets, all_allowed=all_allowed), rest[1:]
    if rest and re.fullmatch(r"[0-9]{1,3}", first) and re.fullmatch(r"[0-9]{3}([.,][0-9]+)?", rest[0]):
        raise _refusal("amount_separated", f"{first} {rest[0]}", assets[0], _ungrouped(f"{first},{rest[0]}"))
    return read_amount(first, assets, all_allowed=all_allowed), rest


def read_amount(text: str, assets: Sequence[Asset], *, all_allowed: bool = True) -> Wanted:
    """Read one amount: digits, or ``all``, with an optional symbol behind (``5``, ``5JUNO``, ``5 JUNO``).

    Raises Refused with one code for each form of `_REFUSED_FORMS`, and ``amount_too_precise``,
    ``amount_too_long``, ``amount_zero``, ``amount_symbol``, ``amount_base_units``, ``amount_unreadable``, and
    ``amount_all`` where all is not allowed. Facts: ``typed``, ``symbol``, ``decimals``, and ``instead``, the
    spellings that may have been meant.
    """
    number, asset = _split_symbol(text.strip(), assets)
    if number.lower() == ALL:
        if not all_allowed:
            raise _refusal("amount_all", number, asset)
        return Wanted(None, asset)
    match = _NUMBER.fullmatch(number) if len(number) <= _LONGEST_WORD else None
    if match is None:
        _refuse_form(number, asset)
    return Wanted(_base_units(match[1], match[2] or "", asset), asset)


def looks_like_amount(word: str) -> bool:
    """Tell whether ``word`` was probably meant as an amount, well-formed or not; ``/send`` sorts its words by it."""
    if word.lower() in (ALL, "nan", "inf", "infinity"):
        return True
    first = word[:1]
    return first.isnumeric() or (first != "" and first in _SIGNS + _CURRENCIES + ".,∞")


def find_asset(word: str, assets: Sequence[Asset]) -> Asset | None:
    """Return the asset that ``word`` names, by symbol in any case or by its exact denom; None for another."""
    return next(
        (asset for asset in assets if word == asset.denom or word.lower() == asset.symbol.lower()), None
    )


def _base_units(whole: str, fraction: str, asset: Asset) -> Amount:
    typed = f"{whole}.{fraction}" if fraction else whole
    if len(fraction) > asset.decimals:
        shorter = f"{whole}.{fraction[: asset.decimals]}".rstrip(".")
        raise _refusal("amount_too_precise", typed, asset, [shorter])
    amount = int(whole) * 10**asset.decimals + int(fraction.ljust(asset.decimals, "0") or "0")
    if len(whole) > MAX_WHOLE_DIGITS or amount > MAX_AMOUNT:
        raise _refusal("amount_too_long", typed, asset)
    if amount == 0:
        raise _refusal("amount_zero", typed, asset)
    return Amount(amount)


def _split_symbol(text: str, assets: Sequence[Asset]) -> tuple[str, Asset]:
    """Return the number's text and the asset that its symbol names, the first asset without one."""
    number, _, symbol = text.partition(" ")
    if not symbol and (glued := _NUMBER_AND_SYMBOL.fullmatch(text[:_LONGEST_WORD])):
        number, symbol = glued[1], glued[2]
    asset = find_asset(symbol, assets)
    if asset and symbol == asset.denom:
        raise _refusal("amount_base_units", text, asset)
    if asset:
        return number, asset
    if symbol and _form_of(text) is None:
        listed = ", ".join(asset.symbol for asset in assets)
        raise _refusal("amount_symbol", symbol, assets[0], [number], listed=listed)
    return text, assets[0]


def _refuse_form(number: str, asset: Asset) -> NoReturn:
    form = _form_of(number)
    if form:
        raise _refusal(form.code, number, asset, form.meant(number))
    digits_only = re.fullmatch(r"[0-9.]+", number)
    raise _refusal(
        "amount_too_long" if digits_only and len(number) > _LONGEST_WORD else "amount_unreadable",
        number,
        asset,
    )


def _form_of(number: str) -> _Form | None:
    return next((form for form in _REFUSED_FORMS if form.looks(number[:_LONGEST_WORD])), None)


def _refusal(code: str, typed: str, asset: Asset, instead: Sequence[str] = (), **more: str) -> Refused:
    """Return the refusal of ``typed``; only readings that would be accepted are offered."""
    echo = typed[:_LONGEST_ECHO]
    offers = [text for text in instead if _acceptable(text, asset)]
    return Refused(code, typed=echo, symbol=asset.symbol, decimals=asset.decimals, instead=offers, **more)


def _acceptable(text: str, asset: Asset) -> bool:
    match = _NUMBER.fullmatch(text)
    if match is None or not text.strip("0."):
        return False
    return len(match[1]) <= MAX_WHOLE_DIGITS and len(match[2] or "") <= asset.decimals


def _foreign_digit(number: str) -> bool:
    return any(character.isdecimal() and not character.isascii() for character in number)


def _ascii_digits(number: str) -> list[str]:
    digits = (
        str(unicodedata.decimal(character, None) if character.isdecimal() else character)
        for character in number
    )
    return ["".join(digits)]


def _ungrouped(number: str) -> list[str]:
    """Return ``1,000.50`` as ``1000.50``."""
    match = _GROUPED.fullmatch(number)
    if match is None:
        return []
    return [re.sub(r"[^0-9]", "", match[1]) + (match[2] or "").replace(",", ".")]


def _both_readings(number: str) -> list[str]:
    """Return what a single comma may mean: ``1,5`` is 1.5, but ``1,000`` may be a thousand too."""
    whole, _, fraction = number.partition(",")
    if not whole:
        return [f"0.{fraction}"]
    return [f"{whole}.{fraction}", *([whole + fraction] if re.fullmatch(r"[0-9]{3}", fraction) else [])]


_REFUSED_FORMS: Final = (
    _Form("amount_empty", lambda n: n == ""),
    _Form("amount_not_finite", re.compile(r"[+-]?(nan|inf|infinity|∞)", re.IGNORECASE).fullmatch),
    _Form("amount_signed", lambda n: n[0] in _SIGNS, lambda n: [n[1:]]),
    _Form("amount_currency", lambda n: n[0] in _CURRENCIES or n[-1] in _CURRENCIES),
    _Form("amount_fraction", lambda n: "/" in n or any(unicodedata.category(c) == "No" for c in n)),
    _Form("amount_foreign_digits", _foreign_digit, _ascii_digits),
    _Form("amount_hex", re.compile(r"0[xXbBoO][0-9a-fA-F]*").fullmatch),
    _Form("amount_exponent", re.compile(r"[0-9.,]+[eE][+-]?[0-9]*").fullmatch),
    _Form("amount_underscored", lambda n: "_" in n, lambda n: [n.replace("_", "")]),
    _Form("amount_percent", lambda n: "%" in n),
    _Form("amount_abbreviated", re.compile(r"[0-9.,]+[kKmMbB]").fullmatch),
    _Form("amount_comma", re.compile(r"[0-9]*,[0-9]+").fullmatch, _both_readings),
    _Form(
        "amount_separated",
        re.compile(r"[0-9]+(?:[,.'\u2019][0-9]+){2,}|[0-9]+['\u2019][0-9]+").fullmatch,
        _ungrouped,
    ),
    _Form("amount_leading_dot", re.compile(r"\.[0-9]+").fullmatch, lambda n: [f"0{n}"]),
    _Form("amount_trailing_dot", re.compile(r"[0-9]+[.,]").fullmatch, lambda n: [n[:-1]]),
)
"""In order of precedence: the first that looks right names what was wrong."""
