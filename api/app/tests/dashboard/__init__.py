"""What Flagsmith's dashboard asks, in the order in which it asks, and what it needs of the answers."""

import pytest

pytest.register_assert_rewrite("app.tests.dashboard.client")
