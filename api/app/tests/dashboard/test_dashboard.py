"""An unmodified dashboard finds everything it calls, on the server that `make run` starts."""

import pytest

from app.tests.commands import free_port, running
from app.tests.dashboard.client import Dashboard
from app.tests.dashboard.sequence import SECTIONS

# Without coverage, which takes twice the time: what is walked through here has tests of its own.
pytestmark = pytest.mark.no_cover


def test_the_first_day_with_a_dashboard(tmp_path):
    port = free_port()
    wrong = []
    with running(tmp_path / "log", "run", DATA_DIR=str(tmp_path / "data"), PORT=str(port)) as server:
        server.wait_for(r"^print\(flags\.get_feature_value.*", seconds=120)
        dashboard = Dashboard(f"http://127.0.0.1:{port}")
        for section, calls in SECTIONS.items():
            for call in calls:
                try:
                    dashboard.make(call)
                except AssertionError as error:
                    wrong.append(f"In {section}: {error}")
        server.interrupt()

    print("Not here yet:", *dashboard.missing, sep="\n")  # noqa: T201  # shown by pytest -rP
    assert not wrong, "\n\n".join(wrong)
