"""Everything that the operator decides. This file alone reads the environment.

A setting is a variable named ``MONETA_...``, of the environment or of ``.env`` (the environment wins); a secret may be
in a file instead, named by ``MONETA_..._FILE``. Whatever is unknown, missing, contradictory or wrong is named in one
message, without its value where that is secret, and nothing starts.
"""

import difflib
import os
import re
import textwrap
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, TypeVar
from urllib.parse import urlsplit

from dotenv import dotenv_values
from pydantic import BeforeValidator, Field, SecretStr, ValidationError, model_validator
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from bot.amounts import read_amount
from bot.intents import NOT_PEOPLE
from bot.prices import PriceSource
from chain.bumps import BumpRules
from chain.parameters import JUNO_MAINNET, JUNO_TESTNET, ChainParameters
from chain.wallet import Wallet, WrongMnemonic
from ledger.blocks import FACTORY
from ledger.errors import Refused
from ledger.jails import BailTerms
from ledger.limits import Limits
from ledger.money import Amount, Asset, Denom
from ledger.terms import Terms

PREFIX: Final = "MONETA_"
FILE_SUFFIX: Final = "_FILE"
DOTENV: Final = Path(".env")
SECRETS: Final = ("telegram_token", "mnemonic")
"""What may be in a file of its own, and is shown nowhere."""

GONE: Final = {
    "bot_token": "it is MONETA_TELEGRAM_TOKEN",
    "rpc_url": "it is MONETA_NODES, and takes several",
    "start_height": "books open at MONETA_TRUST_HEIGHT, or at the newest block without it",
}
"""Names that were used before or that people expect, and what to set instead."""

_PRESETS: Final = {each.chain_id: each for each in (JUNO_MAINNET, JUNO_TESTNET)}
_PRESET_SYMBOL: Final = "JUNO"
_PRESET_DECIMALS: Final = 6
_SECTIONS: Final = ("Telegram", "Chain", "Treasury", "Program")
_HOUR_MS: Final = 3_600_000
_SECRET_LIMIT_BYTES: Final = 4096
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")

Given = TypeVar("Given", bound="Books")


class SettingsError(Exception):
    """The settings do not allow a start; ``problems`` are sentences for the operator, without secrets."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("\n".join(("The settings need attention; nothing was started.", *problems)))
        self.problems = tuple(problems)


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
    return Asset(Denom(match[1]), match[2], int(match[3]))


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


def _option(
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
Link = Annotated[str, BeforeValidator(_link)]
"""An address, or nothing."""
Price = Annotated[Fraction, NoDecode, BeforeValidator(_price)]
MaybePrice = Annotated[Fraction | None, NoDecode, BeforeValidator(_price)]


class _SecretFiles(PydanticBaseSettingsSource):
    """Secrets from files, named by ``MONETA_..._FILE``."""

    def __init__(self, settings: type[BaseSettings], variables: Mapping[str, str]) -> None:
        super().__init__(settings)
        self._variables = variables

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:  # noqa: ARG002 - the base class asks for it
        """Return the text of the file that is named for ``field_name``, None without one."""
        path = self._variables.get(f"{field_name}{FILE_SUFFIX.lower()}") if field_name in SECRETS else None
        return (_read_secret(field_name, Path(path)) if path else None, field_name, False)

    def __call__(self) -> dict[str, Any]:
        found = {
            name: self.get_field_value(field, name)[0]
            for name, field in self.settings_cls.model_fields.items()
        }
        return {name: value for name, value in found.items() if value is not None}


class Books(BaseSettings):
    """What reading the books takes, without a key or a token: for audits and exports."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    chain_id: str = _option("juno-1", "Chain", "Which chain: juno-1 and uni-7 bring their own denom.")
    denom: Denom = _option(
        Denom(""),
        "Chain",
        "The denom that fees are paid in. Known for juno-1 (ujuno) and uni-7 (ujunox).",
        "ujuno",
    )
    assets: Assets = _option(
        (),
        "Chain",
        "What members can own, the main asset first: denom:SYMBOL:decimals, separated by commas. "
        "Known for juno-1 and uni-7. factory/ denoms cannot be listed.",
        "ujuno:JUNO:6",
    )
    database: Path = _option(Path("moneta.sqlite3"), "Program", "The file with the books.")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - given by name
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return what settings are read from, the strongest first."""
        named = {**_variables(dotenv_settings), **_variables(env_settings)}
        files = _SecretFiles(settings_cls, named)
        return init_settings, env_settings, dotenv_settings, files

    @model_validator(mode="before")
    @classmethod
    def _fill_from_preset(cls, given: dict[str, Any]) -> dict[str, Any]:
        preset = _PRESETS.get(given.get("chain_id") or "juno-1")
        if preset is None:
            return given
        denom = given.get("denom") or preset.fee_denom
        asset = Asset(preset.fee_denom, _PRESET_SYMBOL, _PRESET_DECIMALS)
        return {**given, "denom": denom, "assets": given.get("assets") or (asset,)}

    @model_validator(mode="after")
    def _check_assets(self) -> Self:
        preset = _PRESETS.get(self.chain_id)
        if preset is not None and self.denom != preset.fee_denom:
            raise ValueError(
                f"MONETA_DENOM is {self.denom}, but fees on {self.chain_id} are paid in {preset.fee_denom}."
            )
        if not self.denom or not self.assets:
            raise ValueError(
                f"MONETA_DENOM and MONETA_ASSETS are needed: nothing is known about the chain {self.chain_id}."
            )
        denoms, symbols = [[each[i] for each in self.assets] for i in (0, 1)]
        if self.denom not in denoms:
            raise ValueError(
                f"MONETA_ASSETS does not list {self.denom}, which MONETA_DENOM says fees are paid in."
            )
        if len(set(denoms)) < len(denoms) or len(set(symbols)) < len(symbols):
            raise ValueError("MONETA_ASSETS names a denom or a symbol twice.")
        return self


class Settings(Books):
    """All settings, checked; made by `load`."""

    telegram_token: SecretStr = _option(..., "Telegram", "The bot's token, from @BotFather.")
    telegram_url: str = _option("https://api.telegram.org", "Telegram", "The Bot API server.")
    owners: Ids = _option(
        ...,
        "Telegram",
        "Telegram user ids of the owners, separated by commas.",
    )
    admins_chat: int | None = _option(
        None,
        "Telegram",
        "The chat that gets alerts; without it each owner gets them in private.",
        "-1001234567890",
    )

    nodes: Texts = _option(
        ...,
        "Chain",
        "CometBFT RPC addresses, the preferred first, separated by commas; two of different operators or more.",
        shown=False,
    )
    bech32_prefix: str = _option("juno", "Chain", "What addresses begin with.")
    hd_path: str = _option("m/44'/118'/0'/0/0", "Chain", "The derivation path of the treasury's key.")
    trust_height: int | None = _option(
        None,
        "Chain",
        "A block that you checked yourself, to start from. Needs MONETA_TRUST_HASH.",
        "12345678",
    )
    trust_hash: str | None = _option(
        None, "Chain", "The hash of that block, 64 hexadecimal digits.", "0" * 64
    )
    trust_period_hours: int = _option(
        336,
        "Chain",
        "How long a checked block can be trusted; well below the unbonding time (28 days on Juno).",
    )
    block_ms: int = _option(3_000, "Chain", "About how long a block takes, in milliseconds.")

    mnemonic: SecretStr = _option(..., "Treasury", "The treasury's 12 to 24 English words (BIP-39).")
    gas_price: Price = _option(
        Fraction(75, 1000), "Treasury", "Base units of MONETA_DENOM per unit of gas.", "0.075"
    )
    gas_first_send: int = _option(150_000, "Treasury", "Gas limit of a transaction with one payout.")
    gas_next_send: int = _option(40_000, "Treasury", "Gas limit added for each further payout in it.")
    timeout_blocks: int = _option(100, "Treasury", "For how many blocks a signed payout stays valid.")
    withdrawal_fee: Texts = _option(
        ("0.02",),
        "Treasury",
        "What a member pays for a withdrawal; with several assets one amount each: 0.02 JUNO, 0.1 USDC.",
        "0.02",
    )
    withdrawal_minimum: Texts = _option(
        ("0.1",), "Treasury", "The least that can be withdrawn, written the same way.", "0.1"
    )
    withdrawal_limit_user_per_day: Texts = _option(
        (),
        "Treasury",
        "How much a member can take out in any 24 hours, written the same way. Without it there is no limit.",
        "500",
    )
    withdrawal_limit_total_per_day: Texts = _option(
        (),
        "Treasury",
        "How much can leave the treasury in any 24 hours, all members together. Without it there is no limit.",
        "5000",
    )
    withdrawal_approval_above: Texts = _option(
        (),
        "Treasury",
        "A single withdrawal of more than this waits until an admin or owner other than the asker approves it. "
        "Without it nothing waits.",
        "200",
    )
    replace_after_blocks: int = _option(
        20,
        "Treasury",
        "After how many blocks a payout that no block took is signed again with a higher fee, for the same sequence.",
    )
    most_replacements: int = _option(
        3, "Treasury", "How often one payout is signed again with a higher fee; 0: never."
    )
    gas_price_most: MaybePrice = _option(
        None,
        "Treasury",
        "The most that such a payout may cost, in base units per unit of gas. Without it four times the usual price.",
        "0.3",
    )
    bail_minimum: str = _option(
        "1",
        "Treasury",
        "The least that bail is when no admin names it. Bail is fixed when somebody is jailed, for the whole sentence.",
    )
    bail_per_minute: str = _option(
        "0.01",
        "Treasury",
        "What bail is for each started minute of a sentence, where that is more than MONETA_BAIL_MINIMUM; 0: never more.",
    )
    price_url: str | None = _option(
        None,
        "Treasury",
        "Where the price of the main asset in US dollars is found, as JSON. With it fines and bail can be named as $5; "
        "without it only in what members own.",
        "https://api.coingecko.com/api/v3/simple/price?ids=juno-network&vs_currencies=usd",
        shown=False,
    )
    price_field: str = _option(
        "juno-network.usd",
        "Treasury",
        "The way to the price in that JSON: names or positions, with dots between.",
    )
    price_max_age_seconds: int = _option(
        300, "Treasury", "How old a price may be; an older one is asked for anew, or refused."
    )
    explorer_tx: Link = _option(
        "https://ping.pub/juno/tx/{hash}",
        "Treasury",
        "Link to a transaction, with {hash} in it; none: no link.",
    )

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = _option(
        "INFO", "Program", "DEBUG, INFO, WARNING or ERROR."
    )
    log_format: Literal["console", "json"] = _option(
        "console", "Program", "console for people, json for machines."
    )

    @property
    def bot_id(self) -> int:
        """The bot's Telegram id: the number in front of its token."""
        return int(self.telegram_token.get_secret_value().partition(":")[0])

    @property
    def parameters(self) -> ChainParameters:
        """What the chain layer needs to know of the chain."""
        return ChainParameters(
            chain_id=self.chain_id,
            fee_denom=self.denom,
            prefix=self.bech32_prefix,
            derivation_path=self.hd_path,
            gas_price=self.gas_price,
            gas_first_send=self.gas_first_send,
            gas_next_send=self.gas_next_send,
            timeout_blocks=self.timeout_blocks,
            block_ms=self.block_ms,
            trust_period_ms=self.trust_period_hours * _HOUR_MS,
        )

    @property
    def anchor(self) -> tuple[int, bytes] | None:
        """Height and hash of the block to start from, None: the newest that all nodes agree on."""
        if self.trust_height is None or self.trust_hash is None:
            return None
        return self.trust_height, bytes.fromhex(self.trust_hash)

    @property
    def terms(self) -> tuple[Terms, ...]:
        """What a withdrawal of each asset costs, and its minimum. An asset without both cannot be withdrawn."""
        fees = _amounts("withdrawal_fee", self.withdrawal_fee, self.assets)
        minima = _amounts("withdrawal_minimum", self.withdrawal_minimum, self.assets)
        limits = self._limits
        return tuple(
            Terms(asset.denom, minima[asset.denom], fees[asset.denom], limits[asset.denom])
            for asset in self.assets
            if asset.denom in minima and asset.denom in fees
        )

    @property
    def _limits(self) -> dict[Denom, Limits]:
        names = (
            "withdrawal_limit_user_per_day",
            "withdrawal_limit_total_per_day",
            "withdrawal_approval_above",
        )
        amounts = [_amounts(name, getattr(self, name), self.assets) for name in names]
        return {asset.denom: Limits(*(each.get(asset.denom) for each in amounts)) for asset in self.assets}

    @property
    def bail_terms(self) -> BailTerms:
        """What bail is where no admin names it."""
        minimum = _amounts("bail_minimum", (self.bail_minimum,), self.assets)
        rate = _amounts("bail_per_minute", (self.bail_per_minute,), self.assets)
        ((denom, least),) = minimum.items()
        ((rate_denom, per_minute),) = rate.items()
        if least < 1:
            raise ValueError("MONETA_BAIL_MINIMUM must be above 0.")
        if per_minute and rate_denom != denom:
            raise ValueError("MONETA_BAIL_MINIMUM and MONETA_BAIL_PER_MINUTE name different assets.")
        return BailTerms(denom, least, per_minute)

    @property
    def price_source(self) -> PriceSource | None:
        """Where the price of the main asset comes from, if that is set."""
        if self.price_url is None:
            return None
        return PriceSource(self.price_url, tuple(self.price_field.split(".")), self.price_max_age_seconds)

    @property
    def bumps(self) -> BumpRules:
        """When a payout that no block takes is signed again, and how dear it may become."""
        return BumpRules(
            self.replace_after_blocks, self.most_replacements, highest_gas_price=self.gas_price_most
        )

    @property
    def secrets(self) -> tuple[str, ...]:
        """The values that no log may show."""
        return tuple(getattr(self, name).get_secret_value() for name in SECRETS)

    def wallet(self) -> Wallet:
        """Return the treasury's wallet."""
        return Wallet.from_mnemonic(self.mnemonic.get_secret_value(), self.parameters)

    @model_validator(mode="after")
    def _check(self) -> Self:
        problems = [problem for check in _CHECKS if (problem := check(self))]
        if problems:
            raise ValueError("\n".join(problems))
        return self


def load(kind: type[Given], env_file: Path | None = DOTENV, **given: Any) -> Given:
    """Return the settings of ``kind`` from the environment and ``env_file``; ``given`` values win over both.

    Only the usual ``.env`` may be absent. Raises SettingsError, which names every problem that was found.
    """
    if env_file not in (None, DOTENV) and not env_file.is_file():
        raise SettingsError([f"{env_file} does not exist."])
    from_file = dotenv_values(env_file) if env_file and env_file.is_file() else {}
    names = {name.lower() for name in (*from_file, *os.environ) if name.lower().startswith(PREFIX.lower())}
    set_names = {name.lower() for name, value in {**from_file, **os.environ}.items() if value}
    if problems := _name_problems(names, set_names):
        raise SettingsError(problems)
    try:
        return kind(_env_file=env_file, **given)  # type: ignore[call-arg] # a parameter of BaseSettings
    except ValidationError as error:
        # The cause quotes what was given, secrets included: it must not travel along.
        raise SettingsError(_sentences(error, kind)) from None


def example() -> str:
    """Return ``.env.example``: every setting with what it means, in sections."""
    lines = [
        "# Moneta's settings. Copy this file to .env and fill in what has no default.",
        "# The environment wins over .env. A secret may be in a file of its own instead, named by",
        "# the same variable with _FILE behind it: MONETA_TELEGRAM_TOKEN_FILE, MONETA_MNEMONIC_FILE.",
    ]
    for section in _SECTIONS:
        lines += ["", f"# --- {section} ---"]
        for name, field in Settings.model_fields.items():
            if _extra(field)["section"] == section:
                lines += ["", *_example_lines(name, field)]
    return "\n".join(lines) + "\n"


def _example_lines(name: str, field: FieldInfo) -> list[str]:
    comment = textwrap.wrap(f"{field.description}", 108, initial_indent="# ", subsequent_indent="# ")
    if field.is_required():
        return [*comment, f"{_variable(name)}="]
    return [*comment, f"# {_variable(name)}={_extra(field)['example'] or field.default}"]


def _extra(field: FieldInfo) -> dict[str, Any]:
    assert isinstance(field.json_schema_extra, dict)
    return field.json_schema_extra


def _variable(name: str) -> str:
    return f"{PREFIX}{name.upper()}"


def _variables(source: PydanticBaseSettingsSource) -> dict[str, str]:
    """Return the variables that ``source`` read, by their lower-case name without the prefix."""
    read: Mapping[str, str | None] = getattr(source, "env_vars", {})
    return {name.removeprefix(PREFIX.lower()): value for name, value in read.items() if value}


def _read_secret(name: str, path: Path) -> str:
    variable = f"{_variable(name)}{FILE_SUFFIX}"
    try:
        with path.open(encoding="utf-8") as file:
            secret = file.read(_SECRET_LIMIT_BYTES).strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise SettingsError([f"{variable}: {path} cannot be read: {reason}."]) from None
    if not secret:
        raise SettingsError([f"{variable}: {path} is empty."])
    return secret


def _name_problems(names: set[str], set_names: set[str]) -> list[str]:
    known = {_variable(name).lower() for name in Settings.model_fields}
    files = {f"{_variable(name)}{FILE_SUFFIX}".lower() for name in SECRETS}
    problems = [_unknown(name, known | files) for name in sorted(names - known - files)]
    direct = {file: file.removesuffix(FILE_SUFFIX.lower()) for file in sorted(files & set_names)}
    twice = [
        f"{name.upper()} and {file.upper()} are both set; keep one."
        for file, name in direct.items()
        if name in set_names
    ]
    return problems + twice


def _unknown(name: str, known: set[str]) -> str:
    bare = name.removeprefix(PREFIX.lower())
    if instead := GONE.get(bare):
        return f"{name.upper()} is no setting any more: {instead}."
    close = difflib.get_close_matches(bare, [each.removeprefix(PREFIX.lower()) for each in known], 1)
    return f"{name.upper()} is no setting{f'; did you mean {_variable(close[0])}?' if close else '.'}"


def _sentences(error: ValidationError, kind: type[Books]) -> list[str]:
    """Return what pydantic found as sentences that name the setting; never a value that may be secret."""
    sentences: list[str] = []
    for problem in error.errors(include_input=False, include_url=False):
        said = problem["msg"].removeprefix("Value error, ").rstrip(".") + "."
        if not problem["loc"]:
            sentences += said.split("\n")
            continue
        name = str(problem["loc"][0])
        field = kind.model_fields[name]
        missing = problem["type"] == "missing"
        sentences.append(
            f"{_variable(name)} is missing. {field.description}" if missing else f"{_variable(name)}: {said}"
        )
    return sentences


def _amounts(name: str, texts: Sequence[str], assets: Sequence[Asset]) -> dict[Denom, Amount]:
    """Return the amounts of a setting by denom; raises ValueError with a sentence."""
    amounts: dict[Denom, Amount] = {}
    for text in texts:
        if re.fullmatch(r"0(\.0+)?", text):
            amounts[assets[0].denom] = Amount(0)
            continue
        try:
            wanted = read_amount(text, assets, all_allowed=False)
        except Refused:
            raise ValueError(
                f"{_variable(name)}: {text!r} is not an amount such as 0.1 {assets[0].symbol}."
            ) from None
        assert wanted.amount is not None, "all was not allowed"
        amounts[wanted.asset.denom] = wanted.amount
    return amounts


def _token_problem(settings: Settings) -> str | None:
    if re.fullmatch(
        r"[1-9][0-9]{0,15}:[A-Za-z0-9_-]{20,}", settings.telegram_token.get_secret_value(), re.ASCII
    ):
        return None
    return "MONETA_TELEGRAM_TOKEN is not a bot token: digits, a colon, and the secret that @BotFather gave."


def _owners_problem(settings: Settings) -> str | None:
    if not settings.owners:
        return "MONETA_OWNERS names nobody."
    nobody = [owner for owner in settings.owners if owner <= 0 or owner in NOT_PEOPLE]
    return f"MONETA_OWNERS: {nobody[0]} is not the id of a person." if nobody else None


def _url_problem(settings: Settings) -> str | None:
    """Links to nodes and to Telegram; the token travels in Telegram's, so it goes in the clear to this machine only."""
    telegram = urlsplit(settings.telegram_url)
    if telegram.scheme != "https" and not (telegram.scheme == "http" and telegram.hostname in _LOOPBACK):
        return "MONETA_TELEGRAM_URL must begin with https:// (http:// only to this machine): the token travels in it."
    if not settings.nodes:
        return "MONETA_NODES names no node."
    for number, node in enumerate(settings.nodes, 1):
        url = urlsplit(node)
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
        return f"{_variable(wrong[0])} must be above 0."
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
    url = urlsplit(settings.price_url)
    if url.scheme != "https" and not (url.scheme == "http" and url.hostname in _LOOPBACK):
        return "MONETA_PRICE_URL must begin with https:// (http:// only to this machine)."
    if not all(settings.price_field.split(".")):
        return "MONETA_PRICE_FIELD must be names with single dots between, such as juno-network.usd."
    if settings.price_max_age_seconds <= 0:
        return "MONETA_PRICE_MAX_AGE_SECONDS must be above 0."
    return None


def _explorer_problem(settings: Settings) -> str | None:
    template = settings.explorer_tx
    if template and ("{hash}" not in template or urlsplit(template).scheme not in ("http", "https")):
        return "MONETA_EXPLORER_TX must be an address with {hash} in it, or none."
    return None


def _prefix_problem(settings: Settings) -> str | None:
    if re.fullmatch(r"[a-z][a-z0-9]{0,19}", settings.bech32_prefix, re.ASCII):
        return None
    return "MONETA_BECH32_PREFIX must be a short lower-case word, such as juno."


def _mnemonic_problem(settings: Settings) -> str | None:
    try:
        settings.wallet()
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
