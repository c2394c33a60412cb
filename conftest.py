"""What every test run checks before it starts and says when it has ended."""

import gc

import pytest

from core.tests.programs import required

# How many objects more there may be before the collector looks for those that nobody needs any more. By
# default it goes through all of Django and thousands of tests so often that it takes a fifth of the run.
MORE_OBJECTS = 50_000


def pytest_configure(config: pytest.Config) -> None:
    gc.set_threshold(MORE_OBJECTS, 20, 20)
    try:
        required()
    except ValueError as error:
        raise pytest.UsageError(str(error)) from error


def pytest_collection_finish() -> None:
    """Have the collector leave alone what stays until the end."""
    gc.collect()
    gc.freeze()


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
