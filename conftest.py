"""What every test run checks before it starts and says when it has ended."""

import pytest

from core.tests.programs import required


def pytest_configure(config: pytest.Config) -> None:
    try:
        required()
    except ValueError as error:
        raise pytest.UsageError(str(error)) from error


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """List what was skipped, and why: nobody should have to guess what a green run has not shown."""
    skipped = [
        (report.nodeid, report.longrepr[2].removeprefix("Skipped: "))
        for report in terminalreporter.stats.get("skipped", [])
        if isinstance(report.longrepr, tuple)
    ]
    terminalreporter.section("skipped")
    for test, reason in sorted(skipped):
        terminalreporter.line(f"{test}: {reason}")
    if not skipped:
        terminalreporter.line("Nothing was skipped.")
