"""What holds for the tests that walk through all routes."""

import pytest


@pytest.fixture(autouse=True)
def every_route_has_something_to_do(settings):
    settings.ENABLE_EMAIL_ACTIVATION = True  # or there would be no mail to send again
