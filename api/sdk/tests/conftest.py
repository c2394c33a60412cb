"""Fixtures for the SDK endpoints' tests."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from rest_framework.test import APIClient

from identities.batches import TraitChanges
from identities.models import Identity
from identities.services import store_traits
from sdk.tests.streaming import Serve, StreamingWorker
from sdk.tests.workers import eventually

Identify = Callable[..., dict[str, Any]]


@pytest.fixture
def identify(sdk_client) -> Identify:
    """Return what `POST identities/` answers: `identify("kim", plan="pro")`, with the client-side key."""

    def post(identifier: str | None = "kim", *, client: APIClient = sdk_client, **traits: Any) -> Any:
        given = [{"trait_key": key, "trait_value": value} for key, value in traits.items()]
        response = client.post("/api/v1/identities/", {"identifier": identifier, "traits": given}, "json")
        assert response.status_code == 200, response.content
        return response.json()

    return post


@pytest.fixture
def stored(environment) -> Identity:
    """An identity with traits."""
    store_traits([TraitChanges(environment.pk, "kim", {"plan": "free", "age": 30})])
    return Identity.objects.get()


@pytest.fixture
def serve(tmp_path) -> Iterator[Serve]:
    """Serve from a worker of one host, streams too: `serve()`. Needs committed rows."""
    with ExitStack() as running:

        def begin(**options: Any) -> StreamingWorker:
            worker = StreamingWorker(tmp_path / "host", **options)
            running.enter_context(worker.serving())
            eventually(lambda: worker.live.state()["feed_is_listening"] == 1)
            return worker

        yield begin
