"""No secret reaches a log, whichever library or traceback carries it."""

import io
import json
import logging
import sys
from collections.abc import Iterator
from urllib.parse import quote

import httpx
import pytest
import structlog

from bot.logs import STRUCK_OUT, Format, Redactor, configure
from ledger.ports import Millis

TOKEN = "7000000001:AAH-secret-part_of-the-token-000000"
MNEMONIC = "legal winner thank year wave sausage worth useful legal winner thank yellow"


class StandingClock:
    def now(self) -> Millis:
        return Millis(1_700_000_000_123)


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What was logged; the logging of the tests themselves is put back afterwards."""
    root, hook, before = logging.getLogger(), sys.excepthook, structlog.get_config()
    handlers, level = root.handlers[:], root.level
    # basicConfig closes what it finds: pytest's own must not be found.
    root.handlers[:] = []
    yield start(io.StringIO())
    root.handlers[:], sys.excepthook = handlers, hook
    root.setLevel(level)
    logging.captureWarnings(capture=False)
    structlog.configure(**before)


def start(stream: io.StringIO, form: Format = "json") -> io.StringIO:
    configure(StandingClock(), (TOKEN, MNEMONIC), "INFO", form, stream)
    return stream


def test_events_are_json_with_time_and_facts(lines: io.StringIO) -> None:
    structlog.get_logger().info("deposit.credited", account=11)
    assert json.loads(lines.getvalue()) == {
        "event": "deposit.credited",
        "account": 11,
        "level": "info",
        "timestamp": "2023-11-14T22:13:20.123Z",
    }


def test_what_is_below_the_level_is_not_written(lines: io.StringIO) -> None:
    structlog.get_logger().debug("chatter")
    assert lines.getvalue() == ""


@pytest.mark.parametrize(
    "text",
    [
        TOKEN,
        f"https://api.telegram.org/bot{TOKEN}/getUpdates",
        quote(TOKEN, safe=""),
        TOKEN.partition(":")[2],
        MNEMONIC,
        MNEMONIC.replace(" ", "  \n"),
        repr(MNEMONIC.split()),
        quote(MNEMONIC).replace("%20", "+"),
    ],
)
def test_a_secret_is_struck_out_in_any_form(text: str) -> None:
    assert Redactor((TOKEN, MNEMONIC))(f"before {text} after").count(STRUCK_OUT) == 1


def test_other_text_is_left_alone() -> None:
    assert Redactor((TOKEN, MNEMONIC))("legal winner thank you") == "legal winner thank you"


def test_without_secrets_all_is_shown() -> None:
    assert Redactor(())("text") == "text"


@pytest.mark.parametrize("form", ["json", "console"])
def test_facts_and_exceptions_are_redacted(lines: io.StringIO, form: Format) -> None:
    start(lines, form)
    try:
        raise RuntimeError(f"POST https://api.telegram.org/bot{TOKEN}/x failed")  # noqa: TRY301 - planted
    except RuntimeError:
        structlog.get_logger().exception("call.failed", words=MNEMONIC.split(), nested={"token": TOKEN})
    assert "RuntimeError" in lines.getvalue()
    assert "secret-part" not in lines.getvalue()
    assert "sausage" not in lines.getvalue()


@pytest.mark.parametrize("form", ["json", "console"])
def test_tracebacks_do_not_show_variables(lines: io.StringIO, form: Format) -> None:
    start(lines, form)
    hidden = "not-a-known-secret"
    try:
        assert not hidden
    except AssertionError:
        structlog.get_logger().exception("call.failed")
    assert "hidden = " not in lines.getvalue()


async def test_libraries_do_not_log_addresses(lines: io.StringIO) -> None:
    transport = httpx.MockTransport(lambda _request: httpx.Response(200))
    async with httpx.AsyncClient(transport=transport) as client:
        await client.get(f"https://api.telegram.org/bot{TOKEN}/getMe")
    assert lines.getvalue() == ""


def test_warnings_of_libraries_are_redacted(lines: io.StringIO) -> None:
    logging.getLogger("telegram.ext").warning("failed at %s", f"https://api.telegram.org/bot{TOKEN}/x")
    assert json.loads(lines.getvalue())["event"] == f"failed at https://api.telegram.org/bot{STRUCK_OUT}/x"


def test_an_uncaught_exception_is_logged_and_redacted(lines: io.StringIO) -> None:
    error = RuntimeError(TOKEN)
    sys.excepthook(RuntimeError, error, None)
    assert json.loads(lines.getvalue())["event"] == "program.failed"
    assert "secret-part" not in lines.getvalue()


def test_a_redactor_does_not_show_what_it_hides() -> None:
    assert repr(Redactor((TOKEN,))) == "Redactor()"
