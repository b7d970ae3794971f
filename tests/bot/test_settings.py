"""Settings that are wrong are named and nothing starts; secrets are never shown."""

import traceback
from fractions import Fraction
from pathlib import Path

import pytest

from bot.settings import PREFIX, Books, Settings, SettingsError, example, load
from chain.bumps import BumpRules
from ledger.limits import Limits
from ledger.money import Amount, Asset, Denom
from ledger.terms import Terms

TOKEN = "7000000001:AAH-secret-part-of-the-token-000000"
MNEMONIC = "abandon " * 11 + "about"
NEEDED = {
    "TELEGRAM_TOKEN": TOKEN,
    "OWNERS": "11, 22",
    "NODES": "https://rpc.example.org, https://other.example.net:443",
    "MNEMONIC": MNEMONIC,
}
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in NEEDED.items():
        monkeypatch.setenv(PREFIX + name, value)


def problems(monkeypatch: pytest.MonkeyPatch, **variables: str) -> tuple[str, ...]:
    """Return what is said about the needed settings changed by ``variables``."""
    for name, value in variables.items():
        monkeypatch.setenv(PREFIX + name, value)
    with pytest.raises(SettingsError) as wrong:
        load(Settings, env_file=None)
    return wrong.value.problems


def test_little_is_needed() -> None:
    settings = load(Settings, env_file=None)
    assert (settings.owners, settings.bot_id, len(settings.nodes)) == ((11, 22), 7000000001, 2)


def test_mainnet_is_known() -> None:
    settings = load(Settings, env_file=None)
    assert (settings.parameters.chain_id, settings.parameters.fee_denom) == ("juno-1", "ujuno")


def test_testnet_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONETA_CHAIN_ID", "uni-7")
    assert load(Settings, env_file=None).assets == (Asset(Denom("ujunox"), "JUNO", 6),)


def test_another_chain_is_described_by_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "CHAIN_ID": "other-1",
        "DENOM": "uother",
        "ASSETS": "uother:OTHER:6,ibc/ABC:USDC:6",
        "BECH32_PREFIX": "other",
        "GAS_PRICE": "0.025uother",
    }.items():
        monkeypatch.setenv(PREFIX + name, value)
    settings = load(Settings, env_file=None)
    assert settings.parameters.gas_price == Fraction(25, 1000)
    assert settings.wallet.address.startswith("other1")


def test_the_wallet_is_the_one_that_others_derive() -> None:
    wallet = load(Settings, env_file=None).wallet
    assert wallet.address == "juno19rl4cm2hmr8afy4kldpxz3fka4jguq0a2jwxcf"


def test_terms_are_base_units(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONETA_WITHDRAWAL_FEE", "0.05 JUNO")
    assert load(Settings, env_file=None).terms == (Terms(Denom("ujuno"), Amount(100_000), Amount(50_000)),)


def test_limits_are_base_units_and_none_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(Settings, env_file=None).terms[0].limits == Limits(None, None, None)
    for name, value in {
        "WITHDRAWAL_LIMIT_USER_PER_DAY": "500",
        "WITHDRAWAL_LIMIT_TOTAL_PER_DAY": "5000 JUNO",
        "WITHDRAWAL_APPROVAL_ABOVE": "0",
    }.items():
        monkeypatch.setenv(PREFIX + name, value)
    limits = load(Settings, env_file=None).terms[0].limits
    assert limits == Limits(Amount(500_000_000), Amount(5_000_000_000), Amount(0))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WITHDRAWAL_LIMIT_USER_PER_DAY", "0.09"),
        ("WITHDRAWAL_LIMIT_TOTAL_PER_DAY", "0"),
        ("WITHDRAWAL_APPROVAL_ABOVE", "much"),
        ("REPLACE_AFTER_BLOCKS", "0"),
        ("MOST_REPLACEMENTS", "-1"),
        ("GAS_PRICE_MOST", "0.074"),
    ],
)
def test_a_limit_that_makes_no_sense_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(PREFIX + name, value)
    with pytest.raises(SettingsError, match=PREFIX + name):
        load(Settings, env_file=None)


def test_the_highest_price_is_a_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(Settings, env_file=None).bumps == BumpRules(20, 3)
    monkeypatch.setenv("MONETA_GAS_PRICE_MOST", "0.5")
    assert load(Settings, env_file=None).bumps.highest_gas_price == Fraction(1, 2)


def test_a_withdrawal_may_cost_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONETA_WITHDRAWAL_FEE", "0")
    assert load(Settings, env_file=None).terms[0].fee == 0


def test_bail_is_a_minimum_and_a_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONETA_BAIL_MINIMUM", "0.5 JUNO")
    monkeypatch.setenv("MONETA_BAIL_PER_MINUTE", "0")
    assert load(Settings, env_file=None).bail_terms == ("ujuno", 500_000, 0)


def test_minimum_and_rate_of_bail_are_of_one_asset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONETA_ASSETS", "ujuno:JUNO:6,ibc/ABC:USDC:6")
    monkeypatch.setenv("MONETA_BAIL_MINIMUM", "1 USDC")
    assert problems(monkeypatch) == ("MONETA_BAIL_MINIMUM and MONETA_BAIL_PER_MINUTE name different assets.",)


def test_without_an_address_there_is_no_price(monkeypatch: pytest.MonkeyPatch) -> None:
    assert load(Settings, env_file=None).price_source is None
    monkeypatch.setenv("MONETA_PRICE_URL", "https://prices.example/now")
    monkeypatch.setenv("MONETA_PRICE_FIELD", "data.0.usd")
    assert load(Settings, env_file=None).price_source == (
        "https://prices.example/now",
        ("data", "0", "usd"),
        300,
    )


@pytest.mark.parametrize(("name", "value"), [("PRICE_FIELD", "a..b"), ("PRICE_MAX_AGE_SECONDS", "0")])
def test_a_price_that_cannot_be_asked_for_is_named(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("MONETA_PRICE_URL", "https://prices.example/now")
    monkeypatch.setenv(PREFIX + name, value)
    assert problems(monkeypatch)[0].startswith(f"MONETA_{name} must be")


def test_no_explorer_is_a_choice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONETA_EXPLORER_TX", "none")
    assert load(Settings, env_file=None).explorer_tx == ""


def test_values_given_by_code_win() -> None:
    assert load(Settings, env_file=None, log_level="ERROR").log_level == "ERROR"


def test_dotenv_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MONETA_OWNERS")
    (tmp_path / ".env").write_text("MONETA_OWNERS=33\nOTHER_PROGRAM=1\n")
    assert load(Settings, env_file=tmp_path / ".env").owners == (33,)


def test_the_environment_wins_over_dotenv(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("MONETA_OWNERS=33\n")
    assert load(Settings, env_file=tmp_path / ".env").owners == (11, 22)


def test_a_secret_may_be_in_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MONETA_MNEMONIC")
    (tmp_path / "words").write_text(MNEMONIC + "\n")
    monkeypatch.setenv("MONETA_MNEMONIC_FILE", str(tmp_path / "words"))
    assert load(Settings, env_file=None).mnemonic.get_secret_value() == MNEMONIC


def test_reading_the_books_needs_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NEEDED:
        monkeypatch.delenv(PREFIX + name)
    assert load(Books, env_file=None).database == Path("moneta.sqlite3").absolute()


def test_all_that_is_missing_is_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NEEDED:
        monkeypatch.delenv(PREFIX + name)
    named = [problem.split()[0] for problem in problems(monkeypatch)]
    assert sorted(named) == sorted(PREFIX + name for name in NEEDED)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("OWNER", "11", "MONETA_OWNER is no setting; did you mean MONETA_OWNERS?"),
        ("QQQQ", "1", "MONETA_QQQQ is no setting."),
        ("BOT_TOKEN", "x", "MONETA_BOT_TOKEN is no setting any more: it is MONETA_TELEGRAM_TOKEN."),
        ("OWNERS_FILE", "x", "MONETA_OWNERS_FILE is no setting"),
        ("MNEMONIC_FILE", "words", "MONETA_MNEMONIC and MONETA_MNEMONIC_FILE are both set; keep one."),
        ("OWNERS", "alice", "MONETA_OWNERS: "),
        ("OWNERS", " , ", "MONETA_OWNERS names nobody."),
        ("OWNERS", "777000", "MONETA_OWNERS: 777000 is not the id of a person."),
        ("OWNERS", "-5", "MONETA_OWNERS: -5 is not the id of a person."),
        ("OWNERS", f"{2**63}", f"MONETA_OWNERS: {2**63} is not the id of a person."),
        ("TELEGRAM_TOKEN", "abc", "MONETA_TELEGRAM_TOKEN is not a bot token"),
        ("TELEGRAM_URL", "http://example.org", "MONETA_TELEGRAM_URL must begin with https://"),
        ("TELEGRAM_URL", "https://[::1", "MONETA_TELEGRAM_URL must begin with https://"),
        ("NODES", "rpc.example.org", "MONETA_NODES: number 1 is not"),
        ("NODES", "https://me:secret@rpc.example.org", "MONETA_NODES: number 1 is not"),
        ("NODES", "https://a.org,https://[::1", "MONETA_NODES: number 2 is not"),
        ("NODES", "https://a.org:266570", "MONETA_NODES: number 1 is not"),
        ("NODES", "https://a.org,https://a.org", "MONETA_NODES names one node twice."),
        ("DENOM", "uatom", "MONETA_DENOM is uatom, but fees on juno-1 are paid in ujuno."),
        ("CHAIN_ID", "other-1", "MONETA_DENOM and MONETA_ASSETS are needed"),
        ("ASSETS", "ibc/ABC:USDC:6", "MONETA_ASSETS does not list ujuno"),
        ("ASSETS", "ujuno:JUNO:6,ibc/ABC:JUNO:6", "MONETA_ASSETS names a denom or a symbol twice."),
        ("ASSETS", "ujuno", "MONETA_ASSETS: 'ujuno' is not denom:SYMBOL:decimals"),
        ("ASSETS", "factory/juno1abc/x:X:6", "MONETA_ASSETS: factory/juno1abc/x cannot be listed"),
        (
            "ASSETS",
            "ujuno:JUNO:6,ibc/ABC:INJ:18",
            "MONETA_ASSETS: ibc/ABC cannot be listed: with 18 decimals",
        ),
        ("TRUST_HEIGHT", "5", "MONETA_TRUST_HEIGHT and MONETA_TRUST_HASH belong together"),
        ("TRUST_HASH", "ff" * 32, "MONETA_TRUST_HEIGHT and MONETA_TRUST_HASH belong together"),
        ("BLOCK_MS", "0", "MONETA_BLOCK_MS must be above 0."),
        ("TRUST_PERIOD_HOURS", "0", "MONETA_TRUST_PERIOD_HOURS must be above 0."),
        ("TRUST_PERIOD_HOURS", "672", "MONETA_TRUST_PERIOD_HOURS must be below 672"),
        ("GAS_PRICE", "1e-3", "MONETA_GAS_PRICE: it must be a plain decimal"),
        ("WITHDRAWAL_FEE", "5%", "MONETA_WITHDRAWAL_FEE: '5%' is not an amount such as 0.1 JUNO."),
        ("WITHDRAWAL_MINIMUM", "0", "MONETA_WITHDRAWAL_MINIMUM must be above 0."),
        ("BAIL_MINIMUM", "0", "MONETA_BAIL_MINIMUM must be above 0."),
        ("BAIL_MINIMUM", "much", "MONETA_BAIL_MINIMUM: 'much' is not an amount"),
        ("BAIL_PER_MINUTE", "-1", "MONETA_BAIL_PER_MINUTE: '-1' is not an amount"),
        ("PRICE_URL", "http://example.org", "MONETA_PRICE_URL must begin with https://"),
        ("PRICE_URL", "https://[::1", "MONETA_PRICE_URL must begin with https://"),
        ("EXPLORER_TX", "https://example.org", "MONETA_EXPLORER_TX must be an address with {hash}"),
        ("EXPLORER_TX", "https://[{hash}", "MONETA_EXPLORER_TX must be an address with {hash}"),
        ("DATABASE", "/nowhere/books.sqlite3", "MONETA_DATABASE: /nowhere is no directory."),
        ("MNEMONIC", "abandon " * 11 + "abandon", "MONETA_MNEMONIC is no valid BIP-39 mnemonic"),
        ("HD_PATH", "m/x", "MONETA_HD_PATH is no derivation path"),
        ("BECH32_PREFIX", "Juno!", "MONETA_BECH32_PREFIX must be"),
        ("LOG_LEVEL", "LOUD", "MONETA_LOG_LEVEL: "),
    ],
)
def test_what_is_wrong_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str) -> None:
    assert any(problem.startswith(said) for problem in problems(monkeypatch, **{name: value}))


def test_trust_may_last_until_just_before_validators_can_leave(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"{PREFIX}TRUST_PERIOD_HOURS", "671")
    assert load(Settings, env_file=None).parameters.trust_period_ms == 671 * 3_600_000


def test_how_long_validators_of_another_chain_are_bound_is_not_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox's chain starts on a block of any age."""
    of_another = {"CHAIN_ID": "other-1", "DENOM": "uother", "ASSETS": "uother:OTHER:6"}
    for name, value in {**of_another, "TRUST_PERIOD_HOURS": "1000"}.items():
        monkeypatch.setenv(PREFIX + name, value)
    assert load(Settings, env_file=None).trust_period_hours == 1000


def test_a_hash_must_be_hexadecimal(monkeypatch: pytest.MonkeyPatch) -> None:
    said = problems(monkeypatch, TRUST_HEIGHT="5", TRUST_HASH="xyz")
    assert said == ("MONETA_TRUST_HASH must be 64 hexadecimal digits.",)


def test_a_missing_file_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("MONETA_TELEGRAM_TOKEN")
    said = problems(monkeypatch, TELEGRAM_TOKEN_FILE=str(tmp_path / "none"))
    assert said[0].startswith(f"MONETA_TELEGRAM_TOKEN_FILE: {tmp_path / 'none'} cannot be read")


def test_a_file_that_was_named_must_exist(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="does not exist"):
        load(Settings, env_file=tmp_path / "production.env")


def test_a_file_that_is_no_text_is_named_and_not_quoted(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(f"# M\xfcnze\nMONETA_MNEMONIC={MNEMONIC}\n".encode("latin-1"))
    with pytest.raises(SettingsError, match=r"\.env cannot be read: it is no text") as wrong:
        load(Settings, env_file=tmp_path / ".env")
    assert MNEMONIC not in "".join(traceback.format_exception(wrong.value))


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").touch()

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(SettingsError, match=r"\.env cannot be read: Permission denied"):
        load(Settings, env_file=tmp_path / ".env")


def test_an_unknown_name_in_dotenv_is_named(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("MONETA_NODE=https://a.org\n")
    with pytest.raises(SettingsError, match="MONETA_NODE is no setting; did you mean MONETA_NODES"):
        load(Settings, env_file=tmp_path / ".env")


def test_secrets_are_in_no_repr() -> None:
    settings = load(Settings, env_file=None)
    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    assert TOKEN not in shown
    assert MNEMONIC not in shown


@pytest.mark.parametrize("name", ["MNEMONIC", "TELEGRAM_TOKEN"])
def test_a_wrong_secret_is_in_no_traceback(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(PREFIX + name, "correct horse battery")
    with pytest.raises(SettingsError) as wrong:
        load(Settings, env_file=None)
    assert "horse" not in "".join(traceback.format_exception(wrong.value))


def test_another_mistake_shows_no_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """pydantic would quote all values when a check of the whole fails."""
    monkeypatch.setenv("MONETA_BLOCK_MS", "0")
    with pytest.raises(SettingsError) as wrong:
        load(Settings, env_file=None)
    assert MNEMONIC not in "".join(traceback.format_exception(wrong.value))


def test_the_example_is_what_the_settings_say() -> None:
    """After a change: python -c 'from bot.settings import example; print(example(), end="")' > .env.example"""
    assert (ROOT / ".env.example").read_text() == example()


def test_the_example_filled_in_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NEEDED:
        monkeypatch.delenv(PREFIX + name)
    text = example()
    for name, value in NEEDED.items():
        text = text.replace(f"\nMONETA_{name}=\n", f"\nMONETA_{name}={value}\n")
    (tmp_path / ".env").write_text(text)
    assert load(Settings, env_file=tmp_path / ".env").chain_id == "juno-1"


def test_every_default_in_the_example_is_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is shown commented out is what holds without it, but for what is shown as an illustration."""
    plain = load(Settings, env_file=None).model_dump()
    text = example().replace("\n# MONETA_", "\nMONETA_")
    (tmp_path / ".env").write_text(text)
    shown = load(Settings, env_file=tmp_path / ".env").model_dump()
    illustrated = {"admins_chat", "trust_height", "trust_hash", "gas_price_most", "price_url"}
    illustrated |= {name for name in plain if name.startswith(("withdrawal_limit", "withdrawal_approval"))}
    assert {name for name in plain if plain[name] != shown[name]} == illustrated
