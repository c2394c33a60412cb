"""After any series of changes, in any order, SDKs are served what was set.

`make state-machine SERIES=1000` makes that many series of changes, other ones each time.
"""

import os

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from app.tests.state_machine.machine import FlagManagement, done

# Without coverage, which takes twice the time: what is walked through here has tests of its own.
pytestmark = pytest.mark.no_cover

SERIES = os.environ.get("STATE_MACHINE_SERIES")


def test_what_is_published_equals_the_model_after_every_action(admin):
    done.update(dict.fromkeys(done, 0))

    run_state_machine_as_test(
        FlagManagement,
        settings=settings(
            max_examples=int(SERIES or 6),
            stateful_step_count=40,
            derandomize=SERIES is None,  # in the suite the same ones each time
            phases=[Phase.generate, Phase.shrink],
            database=None,
            deadline=None,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        ),
    )

    assert len([kind for kind, times in done.items() if times]) > 25, done
