"""Why the chain does not do as a transaction or a query asks: the codes of the chain's own registry."""

from typing import Final

TX_DECODE: Final = 2
UNAUTHORIZED: Final = 4
INSUFFICIENT_FUNDS: Final = 5
UNKNOWN_REQUEST: Final = 6
INVALID_ADDRESS: Final = 7
INVALID_PUBLIC_KEY: Final = 8
UNKNOWN_ADDRESS: Final = 9
INVALID_COINS: Final = 10
OUT_OF_GAS: Final = 11
MEMO_TOO_LARGE: Final = 12
INSUFFICIENT_FEE: Final = 13
NO_SIGNATURES: Final = 15
INVALID_REQUEST: Final = 18
MEMPOOL_FULL: Final = 20
KEY_NOT_FOUND: Final = 22
INVALID_HEIGHT: Final = 26
INVALID_TYPE: Final = 29
TIMEOUT_HEIGHT: Final = 30
WRONG_SEQUENCE: Final = 32
PANIC: Final = 111_222
"""The program of the chain stumbled and was caught."""
UNNAMED: Final = 1
"""An error that the chain never registered."""

UNDEFINED: Final = "undefined"
"""The codespace of errors without one."""

_WORDS: Final = {
    TX_DECODE: "tx parse error",
    UNAUTHORIZED: "unauthorized",
    INSUFFICIENT_FUNDS: "insufficient funds",
    UNKNOWN_REQUEST: "unknown request",
    INVALID_ADDRESS: "invalid address",
    INVALID_PUBLIC_KEY: "invalid pubkey",
    UNKNOWN_ADDRESS: "unknown address",
    INVALID_COINS: "invalid coins",
    OUT_OF_GAS: "out of gas",
    MEMO_TOO_LARGE: "memo too large",
    INSUFFICIENT_FEE: "insufficient fee",
    NO_SIGNATURES: "no signatures supplied",
    INVALID_REQUEST: "invalid request",
    MEMPOOL_FULL: "mempool is full",
    KEY_NOT_FOUND: "key not found",
    INVALID_HEIGHT: "invalid height",
    INVALID_TYPE: "invalid type",
    TIMEOUT_HEIGHT: "tx timeout height",
    WRONG_SEQUENCE: "incorrect account sequence",
}


class Refusal(Exception):  # noqa: N818 - the chain's answer, not a failure of this program
    """``code`` of ``codespace``, and a sentence that no hash covers."""

    def __init__(self, code: int, why: str, codespace: str = "sdk") -> None:
        words = _WORDS.get(code, "") if codespace == "sdk" else ""
        self.log = f"{why}: {words}" if words else why
        super().__init__(self.log)
        self.code = code
        self.codespace = codespace


def stumbled(why: str) -> Refusal:
    """Return the refusal that a recovered panic becomes."""
    return Refusal(PANIC, f"recovered: {why}", UNDEFINED)
