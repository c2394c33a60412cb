"""Fixtures for OFREP's tests."""

from collections.abc import Callable
from typing import Any

import pytest
from rest_framework.test import APIClient

FLAGS = "/ofrep/v1/evaluate/flags"

Evaluate = Callable[..., Any]


@pytest.fixture
def evaluate(sdk_client) -> Evaluate:
    """Return the response for one flag: `evaluate("colour", "kim", plan="pro")`, with the client-side key."""

    def post(
        flag: str, targeting_key: Any = None, *, client: APIClient = sdk_client, **attributes: Any
    ) -> Any:
        key = {} if targeting_key is None else {"targetingKey": targeting_key}
        return client.post(f"{FLAGS}/{flag}", {"context": {**key, **attributes}}, "json")

    return post


@pytest.fixture
def evaluate_all(sdk_client) -> Evaluate:
    """Return the response for all flags: `evaluate_all("kim", plan="pro")`."""

    def post(targeting_key: Any = None, *, client: APIClient = sdk_client, **attributes: Any) -> Any:
        key = {} if targeting_key is None else {"targetingKey": targeting_key}
        return client.post(FLAGS, {"context": {**key, **attributes}}, "json")

    return post
