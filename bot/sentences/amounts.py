"""Amounts that are not typed as they are read."""

from typing import Final

OFFER_ONE: Final = "Did you mean <code>{one} {symbol}</code>?"
OFFER_TWO: Final = "Did you mean <code>{one} {symbol}</code> or <code>{other} {symbol}</code>?"
OFFER_NONE: Final = "Digits and a dot, like <code>1.5</code>."
_LIKE: Final = OFFER_NONE

REFUSALS: Final = {
    "amount_missing": "How much? Write the amount too, like <code>/send 5 @name</code>.",
    "amount_empty": "The amount is empty. " + _LIKE,
    "amount_all": "Here I need a number, not “all”. " + _LIKE,
    "amount_signed": "An amount has no sign in front. {offer}",
    "amount_exponent": "<code>{typed}</code> is in scientific notation, which I don't read. " + _LIKE,
    "amount_not_finite": "<code>{typed}</code> is not an amount of money. " + _LIKE,
    "amount_separated": "Please leave out whatever separates thousands. {offer}",
    "amount_underscored": "Please leave out the underscores. {offer}",
    "amount_foreign_digits": "I read only the digits 0 to 9. {offer}",
    "amount_comma": "A comma can mean two things, so I don't guess. {offer}",
    "amount_too_precise": "{symbol} has {decimals} decimals at most. {offer}",
    "amount_too_long": "That is more {symbol} than there is. Twelve digits before the dot at most.",
    "amount_too_large": "That is more than can be moved at once.",
    "amount_zero": "Zero is nothing to move. " + _LIKE,
    "amount_hex": "<code>{typed}</code> is not a decimal number. " + _LIKE,
    "amount_symbol": "I don't keep <code>{typed}</code> here, only {listed}. {offer}",
    "amount_or_note": (
        "Is <code>{typed}</code> a coin? I keep only {listed} here. If it is your note, name the coin before it: "
        "<code>{number} {symbol} {typed}</code>."
    ),
    "amount_base_units": "I count in {symbol}, not in its smallest unit. " + _LIKE,
    "amount_currency": "I count in {symbol}, not in other money: no currency sign. " + _LIKE,
    "amount_fraction": "Please write the fraction as a decimal, like <code>0.5</code>.",
    "amount_percent": "I don't know percent of what. " + _LIKE,
    "amount_abbreviated": "Please write <code>{typed}</code> out in digits.",
    "amount_leading_dot": "Please write a digit in front of the dot. {offer}",
    "amount_trailing_dot": "Something is missing behind the dot. {offer}",
    "amount_unreadable": "I can't read <code>{typed}</code> as an amount. " + _LIKE,
    "not_positive": "An amount is more than zero. " + _LIKE,
}
