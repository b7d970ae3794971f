"""Where and how the program logs; whatever is written has passed the redactor.

Events are ``noun.verb_past`` with facts as keywords. Libraries that log addresses are kept quiet, because Telegram's
token is part of every address (telegram.md); and should a secret still be in a line, it is struck out by its value.
"""

import logging
import re
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from types import TracebackType
from typing import Final, Literal, TextIO
from urllib.parse import quote

import structlog
from structlog.stdlib import ProcessorFormatter
from structlog.typing import EventDict, Processor, WrappedLogger

from ledger.ports import Clock

STRUCK_OUT: Final = "[secret]"
QUIET: Final = ("httpx", "httpcore", "telegram", "uvicorn.access", "asyncio")
"""Libraries of which only warnings are of interest, and whose chatter holds addresses."""

_SHORTEST_SECRET: Final = 8
"""A shorter value would strike out innocent text."""

Level = Literal["DEBUG", "INFO", "WARNING", "ERROR"]
Format = Literal["console", "json"]


class Redactor:
    """Strikes out ``secrets`` wherever they stand in a text.

    Found too: a secret in an address (percent-encoded), a mnemonic with other separators between its words, and the
    part of a token behind its colon.
    """

    def __init__(self, secrets: Iterable[str]) -> None:
        forms = sorted({form for secret in secrets for form in _forms(secret)}, key=len, reverse=True)
        self._pattern = re.compile("|".join(forms)) if forms else None

    def __call__(self, text: str) -> str:
        """Return ``text`` without the secrets."""
        return self._pattern.sub(STRUCK_OUT, text) if self._pattern else text

    def __repr__(self) -> str:
        return "Redactor()"


def configure(
    clock: Clock, secrets: Iterable[str], level: Level, form: Format, stream: TextIO | None = None
) -> None:
    """Send all logs of the program and of its libraries to ``stream`` (standard error), redacted.

    Uncaught exceptions take the same way. May be called again; the last call holds.
    """
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        _timestamp(clock),
    ]
    formatter = _RedactingFormatter(Redactor(secrets), shared, _rendering(form))
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(handlers=[handler], level=level, force=True)
    logging.captureWarnings(capture=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    sys.excepthook = _log_uncaught


class _RedactingFormatter(ProcessorFormatter):
    """The last station of every line: nothing is written that did not pass the redactor."""

    def __init__(self, redact: Redactor, foreign: list[Processor], rendering: list[Processor]) -> None:
        super().__init__(foreign_pre_chain=foreign, processors=rendering)
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        """Return the finished line of ``record``."""
        return self._redact(super().format(record))


def _rendering(form: Format) -> list[Processor]:
    """Tracebacks are plain in both forms: pretty ones show the variables of each frame, secrets among them."""
    last: Processor = (
        structlog.processors.JSONRenderer(default=str)
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    )
    plain = [] if form == "console" else [structlog.processors.format_exc_info]
    return [ProcessorFormatter.remove_processors_meta, *plain, last]


def _timestamp(clock: Clock) -> Processor:
    def add(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        moment = datetime.fromtimestamp(clock.now() / 1000, UTC)
        event["timestamp"] = moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return event

    return add


def _log_uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        sys.__excepthook__(kind, error, trace)
        return
    logging.getLogger("moneta").critical("program.failed", exc_info=(kind, error, trace))


def _forms(secret: str) -> list[str]:
    """Return the patterns under which ``secret`` may turn up."""
    words = secret.split()
    if len(words) > 1:
        return [r"[^A-Za-z]+".join(re.escape(word) for word in words)]
    parts = [secret, quote(secret, safe=""), secret.partition(":")[2]]
    return [re.escape(part) for part in parts if len(part) >= _SHORTEST_SECRET]
