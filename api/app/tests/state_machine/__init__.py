"""Everything that management can do, in any order, against a model of it."""

import pytest

pytest.register_assert_rewrite("app.tests.state_machine.machine")
