"""What every test run checks before it starts and says when it has ended."""

import os

import pytest

from core.tests.programs import required


def pytest_configure(config: pytest.Config) -> None:
    try:
        required()
    except ValueError as error:
        raise pytest.UsageError(str(error)) from error


@pytest.hookimpl(optionalhook=True)  # not there without xdist
def pytest_xdist_auto_num_workers() -> int:
    """One more than there are processors: some tests wait for servers and deadlines most of their time."""
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return processors + 1


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
