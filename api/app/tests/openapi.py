"""Looking things up in the OpenAPI document."""

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from app.tests.routes import Route
from core.openapi import rendered_document


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(rendered_document("application/json"))
    return document


@cache
def _operations() -> dict[tuple[str, str], dict[str, Any]]:
    return {
        (_anonymous(path), method.upper()): operation
        for path, methods in _document()["paths"].items()
        for method, operation in methods.items()
    }


def operation_of(route: Route) -> dict[str, Any]:
    """Return the operation that describes a route; an empty one where nothing does."""
    return _operations().get((_anonymous(route.path), route.method), {})


def request_fields(route: Route) -> set[str]:
    """Return the fields that a route's body may have, e.g. `{"traits", "traits.trait_key"}`."""
    content = operation_of(route).get("requestBody", {}).get("content", {})
    described = content.get("application/json") or content.get("multipart/form-data", {})
    return set(_fields(described.get("schema", {}), "", frozenset()))


def body_type(route: Route) -> str:
    """Return the name of what a route's body is made of: routes that create and change have it in common."""
    content = operation_of(route).get("requestBody", {}).get("content", {})
    schema = content.get("application/json", {}).get("schema", {})
    reference: str = schema.get("$ref") or schema.get("items", {}).get("$ref") or str(route)
    return reference.rsplit("/", 1)[-1].removeprefix("Patched")


def _fields(schema: dict[str, Any], prefix: str, within: frozenset[str]) -> Iterator[str]:
    if reference := schema.get("$ref"):
        if reference in within:  # a type that holds itself, as the rules of a segment do
            return
        schema, within = (
            _document()["components"]["schemas"][reference.rsplit("/", 1)[1]],
            within | {reference},
        )
    for part in [*schema.get("allOf", []), schema.get("items", {})]:
        if part:
            yield from _fields(part, prefix, within)
    for name, field in schema.get("properties", {}).items():
        if not field.get("readOnly"):
            yield f"{prefix}{name}"
            yield from _fields(field, f"{prefix}{name}.", within)


def _anonymous(path: str) -> str:
    # The generator gives some path parameters other names than the URL pattern has.
    return re.sub(r"{\w+}", "{}", path)
