"""Looking things up in the OpenAPI document."""

import json
import re
from functools import cache
from typing import Any

from app.tests.routes import Route
from core.openapi import rendered_document


@cache
def _operations() -> dict[tuple[str, str], dict[str, Any]]:
    paths = json.loads(rendered_document("application/json"))["paths"]
    return {
        (_anonymous(path), method.upper()): operation
        for path, methods in paths.items()
        for method, operation in methods.items()
    }


def operation_of(route: Route) -> dict[str, Any]:
    """Return the operation that describes a route; an empty one where nothing does."""
    return _operations().get((_anonymous(route.path), route.method), {})


def _anonymous(path: str) -> str:
    # The generator gives some path parameters other names than the URL pattern has.
    return re.sub(r"{\w+}", "{}", path)
