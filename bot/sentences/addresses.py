"""Addresses on the chain that cannot be paid to."""

from typing import Final

REFUSALS: Final = {
    "address_missing": "To which address? <code>/withdraw 5 {prefix}1…</code>",
    "not_an_address": "That is not an address. It begins with <code>{prefix}1</code>; please copy it whole.",
    "mixed_case": "That address mixes capital and small letters, so something happened to it. Please copy it again.",
    "wrong_prefix": (
        "That address begins with <code>{found}</code>: it is of another chain. I pay to <code>{expected}1…</code> only."
    ),
    "bad_checksum": "There is a typing mistake in that address: its checksum is wrong. Please copy it again.",
    "wrong_length": "That address is too short or too long to be anybody's. Please copy it again.",
    "own_treasury": "That is my own address: your money would come back as a deposit. Which did you mean?",
    "module_account": "That address belongs to the chain itself ({module}), and what arrives there is lost.",
    "memo_too_long": "The memo is too long: {limit} bytes at most, and many letters take more than one.",
    "memo_not_text": "The memo holds something that is not text. Please type it again.",
}
