"""The settings themselves: each with its default and what it means."""

from functools import cached_property
from pathlib import Path
from typing import Any, Final, Literal, Self

from pydantic import SecretStr, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.prices import PriceSource
from bot.settings.files import SecretFiles, variables_of
from bot.settings.names import PREFIX, SECRETS
from bot.settings.values import Assets, BooksPath, Ids, Link, MaybePrice, Price, Texts, amounts, option
from chain.bumps import BumpRules
from chain.parameters import JUNO_MAINNET, JUNO_TESTNET, ChainParameters
from chain.wallet import Wallet
from ledger.jails import BailTerms
from ledger.limits import Limits
from ledger.money import Asset, Denom
from ledger.terms import Terms

_PRESETS: Final = {each.chain_id: each for each in (JUNO_MAINNET, JUNO_TESTNET)}
_PRESET_SYMBOL: Final = "JUNO"
_PRESET_DECIMALS: Final = 6
_HOUR_MS: Final = 3_600_000


class Books(BaseSettings):
    """What reading the books takes, without a key or a token: for audits and exports."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    chain_id: str = option("juno-1", "Chain", "Which chain: juno-1 and uni-7 bring their own denom.")
    denom: Denom = option(
        Denom(""),
        "Chain",
        "The denom that fees are paid in. Known for juno-1 (ujuno) and uni-7 (ujunox).",
        "ujuno",
    )
    assets: Assets = option(
        (),
        "Chain",
        "What members can own, the main asset first: denom:SYMBOL:decimals, separated by commas. "
        "Known for juno-1 and uni-7. factory/ denoms cannot be listed, nor more than 12 decimals.",
        "ujuno:JUNO:6",
    )
    database: BooksPath = option(Path("moneta.sqlite3"), "Program", "The file with the books.")

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
        named = {**variables_of(dotenv_settings), **variables_of(env_settings)}
        files = SecretFiles(settings_cls, named)
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

    @model_validator(mode="after")
    def _check_database(self) -> Self:
        if not self.database.parent.is_dir():
            raise ValueError(f"MONETA_DATABASE: {self.database.parent} is no directory.")
        if self.database.is_dir():
            raise ValueError(f"MONETA_DATABASE: {self.database} is a directory, not a file.")
        return self


class Settings(Books):
    """All settings; made by `load`, which checks what one field alone does not tell."""

    telegram_token: SecretStr = option(..., "Telegram", "The bot's token, from @BotFather.")
    telegram_url: str = option("https://api.telegram.org", "Telegram", "The Bot API server.")
    owners: Ids = option(
        ...,
        "Telegram",
        "Telegram user ids of the owners, separated by commas.",
    )
    admins_chat: int | None = option(
        None,
        "Telegram",
        "The chat that gets alerts; without it each owner gets them in private.",
        "-1001234567890",
    )

    nodes: Texts = option(
        ...,
        "Chain",
        "CometBFT RPC addresses, the preferred first, separated by commas; two of different operators or more.",
        shown=False,
    )
    bech32_prefix: str = option(JUNO_MAINNET.prefix, "Chain", "What addresses begin with.")
    hd_path: str = option(JUNO_MAINNET.derivation_path, "Chain", "The derivation path of the treasury's key.")
    trust_height: int | None = option(
        None,
        "Chain",
        "A block that you checked yourself, to start from. Needs MONETA_TRUST_HASH.",
        "12345678",
    )
    trust_hash: str | None = option(None, "Chain", "The hash of that block, 64 hexadecimal digits.", "0" * 64)
    trust_period_hours: int = option(
        JUNO_MAINNET.trust_period_ms // 3_600_000,
        "Chain",
        "How long a checked block can be trusted; well below the unbonding time (28 days on Juno).",
    )
    block_ms: int = option(JUNO_MAINNET.block_ms, "Chain", "About how long a block takes, in milliseconds.")

    mnemonic: SecretStr = option(..., "Treasury", "The treasury's 12 to 24 English words (BIP-39).")
    gas_price: Price = option(
        JUNO_MAINNET.gas_price, "Treasury", "Base units of MONETA_DENOM per unit of gas.", "0.075"
    )
    gas_first_send: int = option(
        JUNO_MAINNET.gas_first_send, "Treasury", "Gas limit of a transaction with one payout."
    )
    gas_next_send: int = option(
        JUNO_MAINNET.gas_next_send, "Treasury", "Gas limit added for each further payout in it."
    )
    timeout_blocks: int = option(
        JUNO_MAINNET.timeout_blocks, "Treasury", "For how many blocks a signed payout stays valid."
    )
    withdrawal_fee: Texts = option(
        ("0.02",),
        "Treasury",
        "What a member pays for a withdrawal; with several assets one amount each: 0.02 JUNO, 0.1 USDC.",
        "0.02",
    )
    withdrawal_minimum: Texts = option(
        ("0.1",), "Treasury", "The least that can be withdrawn, written the same way.", "0.1"
    )
    withdrawal_limit_user_per_day: Texts = option(
        (),
        "Treasury",
        "How much a member can take out in any 24 hours, written the same way. Without it there is no limit.",
        "500",
    )
    withdrawal_limit_total_per_day: Texts = option(
        (),
        "Treasury",
        "How much can leave the treasury in any 24 hours, all members together. Without it there is no limit.",
        "5000",
    )
    withdrawal_approval_above: Texts = option(
        (),
        "Treasury",
        "A single withdrawal of more than this waits until an admin or owner other than the asker approves it. "
        "Without it nothing waits.",
        "200",
    )
    replace_after_blocks: int = option(
        20,
        "Treasury",
        "After how many blocks a payout that no block took is signed again with a higher fee, for the same sequence.",
    )
    most_replacements: int = option(
        3, "Treasury", "How often one payout is signed again with a higher fee; 0: never."
    )
    gas_price_most: MaybePrice = option(
        None,
        "Treasury",
        "The most that such a payout may cost, in base units per unit of gas. Without it four times the usual price.",
        "0.3",
    )
    bail_minimum: str = option(
        "1",
        "Treasury",
        "The least that bail is when no admin names it. Bail is fixed when somebody is jailed, for the whole sentence.",
    )
    bail_per_minute: str = option(
        "0.01",
        "Treasury",
        "What bail is for each started minute of a sentence, where that is more than MONETA_BAIL_MINIMUM; 0: never more.",
    )
    price_url: str | None = option(
        None,
        "Treasury",
        "Where the price of the main asset in US dollars is found, as JSON. With it fines and bail can be named as $5; "
        "without it only in what members own.",
        "https://api.coingecko.com/api/v3/simple/price?ids=juno-network&vs_currencies=usd",
        shown=False,
    )
    price_field: str = option(
        "juno-network.usd",
        "Treasury",
        "The way to the price in that JSON: names or positions, with dots between.",
    )
    price_max_age_seconds: int = option(
        300, "Treasury", "How old a price may be; an older one is asked for anew, or refused."
    )
    explorer_tx: Link = option(
        "https://ping.pub/juno/tx/{hash}",
        "Treasury",
        "Link to a transaction, with {hash} in it; none: no link.",
    )

    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = option(
        "INFO", "Program", "DEBUG, INFO, WARNING or ERROR."
    )
    log_format: Literal["console", "json"] = option(
        "console", "Program", "console for people, json for machines."
    )

    @property
    def bot_id(self) -> int:
        """The bot's Telegram id: the number in front of its token."""
        return int(self.telegram_token.get_secret_value().partition(":")[0])

    @property
    def identity(self) -> dict[str, str]:
        """What the books belong to, as they write it down at the first start."""
        return {"chain_id": self.chain_id, "address": self.wallet.address, "bot_id": str(self.bot_id)}

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
        fees = amounts("withdrawal_fee", self.withdrawal_fee, self.assets)
        minima = amounts("withdrawal_minimum", self.withdrawal_minimum, self.assets)
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
        limits = [amounts(name, getattr(self, name), self.assets) for name in names]
        return {asset.denom: Limits(*(each.get(asset.denom) for each in limits)) for asset in self.assets}

    @property
    def bail_terms(self) -> BailTerms:
        """What bail is where no admin names it."""
        minimum = amounts("bail_minimum", (self.bail_minimum,), self.assets)
        rate = amounts("bail_per_minute", (self.bail_per_minute,), self.assets)
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

    @cached_property
    def wallet(self) -> Wallet:
        """The treasury's wallet; raises WrongMnemonic before the settings are checked."""
        return Wallet.from_mnemonic(self.mnemonic.get_secret_value(), self.parameters)
