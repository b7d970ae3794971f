"""What must hold of settings beside the form of each: one check for each sentence that an operator may read."""

import re
from typing import Final
from urllib.parse import SplitResult, urlsplit

from bot.intents import NOT_PEOPLE
from bot.settings.model import Settings
from bot.settings.names import variable
from chain.parameters import JUNO_MAINNET, JUNO_TESTNET, JUNO_UNBONDING_HOURS
from chain.wallet import WrongMnemonic

_JUNO: Final = (JUNO_MAINNET.chain_id, JUNO_TESTNET.chain_id)
_PEOPLE_END: Final = 2**52
"""Telegram promises that ids stay below it."""
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


def problems_of(settings: Settings) -> list[str]:
    """Return what is wrong with ``settings`` as a whole, as sentences without secrets."""
    return [problem for check in _CHECKS if (problem := check(settings))]


def _parts(url: str) -> SplitResult:
    """Return the parts of ``url``; of what is no address none, and no check accepts that."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return urlsplit("")
    return parts


def _token_problem(settings: Settings) -> str | None:
    if re.fullmatch(
        r"[1-9][0-9]{0,15}:[A-Za-z0-9_-]{20,}", settings.telegram_token.get_secret_value(), re.ASCII
    ):
        return None
    return "MONETA_TELEGRAM_TOKEN is not a bot token: digits, a colon, and the secret that @BotFather gave."


def _owners_problem(settings: Settings) -> str | None:
    if not settings.owners:
        return "MONETA_OWNERS names nobody."
    nobody = [owner for owner in settings.owners if not 0 < owner < _PEOPLE_END or owner in NOT_PEOPLE]
    return f"MONETA_OWNERS: {nobody[0]} is not the id of a person." if nobody else None


def _url_problem(settings: Settings) -> str | None:
    """Links to nodes and to Telegram; the token travels in Telegram's, so it goes in the clear to this machine only."""
    telegram = _parts(settings.telegram_url)
    if telegram.scheme != "https" and not (telegram.scheme == "http" and telegram.hostname in _LOOPBACK):
        return "MONETA_TELEGRAM_URL must begin with https:// (http:// only to this machine): the token travels in it."
    if not settings.nodes:
        return "MONETA_NODES names no node."
    for number, node in enumerate(settings.nodes, 1):
        url = _parts(node)
        if url.scheme not in ("http", "https") or not url.hostname or url.username is not None:
            return f"MONETA_NODES: number {number} is not an http:// or https:// address without a user name."
    return "MONETA_NODES names one node twice." if len(set(settings.nodes)) < len(settings.nodes) else None


def _trust_problem(settings: Settings) -> str | None:
    if (settings.trust_height is None) != (settings.trust_hash is None):
        return "MONETA_TRUST_HEIGHT and MONETA_TRUST_HASH belong together: set both or neither."
    if settings.trust_height is not None and settings.trust_height < 1:
        return "MONETA_TRUST_HEIGHT counts from 1."
    if settings.trust_hash is not None and not re.fullmatch(
        r"[0-9a-fA-F]{64}", settings.trust_hash, re.ASCII
    ):
        return "MONETA_TRUST_HASH must be 64 hexadecimal digits."
    return None


def _number_problem(settings: Settings) -> str | None:
    positive = ("trust_period_hours", "block_ms", "gas_first_send", "gas_next_send", "timeout_blocks")
    wrong = [name for name in (*positive, "replace_after_blocks") if getattr(settings, name) <= 0]
    if wrong:
        return f"{variable(wrong[0])} must be above 0."
    if settings.chain_id in _JUNO and settings.trust_period_hours >= JUNO_UNBONDING_HOURS:
        return (
            f"MONETA_TRUST_PERIOD_HOURS must be below {JUNO_UNBONDING_HOURS}, the 28 days in which Juno's validators "
            "unbond: who has left may sign anything."
        )
    if settings.most_replacements < 0:
        return "MONETA_MOST_REPLACEMENTS must be 0 or above."
    if settings.gas_price_most is not None and settings.gas_price_most < settings.gas_price:
        return "MONETA_GAS_PRICE_MOST is below MONETA_GAS_PRICE."
    return None


def _terms_problem(settings: Settings) -> str | None:
    try:
        terms = settings.terms
    except ValueError as error:
        return str(error)
    if not terms:
        return "MONETA_WITHDRAWAL_FEE and MONETA_WITHDRAWAL_MINIMUM name no asset in common: nothing could be withdrawn."
    if any(each.minimum < 1 for each in terms):
        return "MONETA_WITHDRAWAL_MINIMUM must be above 0."
    for each in terms:
        for name, most in (("USER", each.limits.user_per_day), ("TOTAL", each.limits.instance_per_day)):
            if most is not None and most < each.minimum:
                return f"MONETA_WITHDRAWAL_LIMIT_{name}_PER_DAY is below MONETA_WITHDRAWAL_MINIMUM: nothing could leave."
    return None


def _bail_problem(settings: Settings) -> str | None:
    try:
        terms = settings.bail_terms
    except ValueError as error:
        return str(error)
    assert terms.minimum > 0, "checked where it is read"
    return None


def _price_problem(settings: Settings) -> str | None:
    if settings.price_url is None:
        return None
    url = _parts(settings.price_url)
    if url.scheme != "https" and not (url.scheme == "http" and url.hostname in _LOOPBACK):
        return "MONETA_PRICE_URL must begin with https:// (http:// only to this machine)."
    if not all(settings.price_field.split(".")):
        return "MONETA_PRICE_FIELD must be names with single dots between, such as juno-network.usd."
    if settings.price_max_age_seconds <= 0:
        return "MONETA_PRICE_MAX_AGE_SECONDS must be above 0."
    return None


def _explorer_problem(settings: Settings) -> str | None:
    template = settings.explorer_tx
    if template and ("{hash}" not in template or _parts(template).scheme not in ("http", "https")):
        return "MONETA_EXPLORER_TX must be an address with {hash} in it, or none."
    return None


def _prefix_problem(settings: Settings) -> str | None:
    if re.fullmatch(r"[a-z][a-z0-9]{0,19}", settings.bech32_prefix, re.ASCII):
        return None
    return "MONETA_BECH32_PREFIX must be a short lower-case word, such as juno."


def _mnemonic_problem(settings: Settings) -> str | None:
    try:
        _ = settings.wallet
    except WrongMnemonic as wrong:
        if "path" in str(wrong):
            return "MONETA_HD_PATH is no derivation path, such as m/44'/118'/0'/0/0."
        return "MONETA_MNEMONIC is no valid BIP-39 mnemonic: 12 to 24 English words, the last one a checksum."
    return None


_CHECKS: Final = (
    _token_problem,
    _owners_problem,
    _url_problem,
    _prefix_problem,
    _trust_problem,
    _number_problem,
    _terms_problem,
    _bail_problem,
    _price_problem,
    _explorer_problem,
    _mnemonic_problem,
)
