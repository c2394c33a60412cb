"""Tasks that tests declare, which nobody else sees."""

import pytest

from tasks import registry


@pytest.fixture(autouse=True)
def own_tasks(monkeypatch) -> None:
    monkeypatch.setattr(registry, "_tasks", {})
