"""What holds for all tests of the repository."""

from collections import Counter

import pytest
import structlog
from hypothesis import settings

# A busy machine is no failure: what takes long is measured in benchmarks, never asserted.
settings.register_profile("moneta", deadline=None)
settings.load_profile("moneta")


def pytest_configure() -> None:
    """Let what tests log be plain: a picture of a traceback with all its variables takes longer than most tests."""
    *before, _ = structlog.get_config()["processors"]
    plain = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*before, plain])


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line for each reason how many tests were left out, such as all those that need Go."""
    reasons = Counter(
        report.longrepr[2]
        for report in terminalreporter.getreports("skipped")
        if isinstance(report.longrepr, tuple)
    )
    if reasons:
        terminalreporter.section("left out")
    for reason, count in reasons.most_common():
        terminalreporter.write_line(f"{count} tests: {reason.removeprefix('Skipped: ')}")
