from collections.abc import Iterator

import pytest

from core.tests.receivers import Receiver, receiver


@pytest.fixture
def service(settings) -> Iterator[Receiver]:
    """A service on this machine, which takes whatever it is told."""
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]
    with receiver() as service:
        yield service
