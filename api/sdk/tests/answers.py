"""Asking for identities, and reading answers."""

import json
from typing import Any

from rest_framework.test import APIClient

from identities.models import Identity

IDENTITIES = "/api/v1/identities/"


def flag_of(answer: Any, name: str) -> dict[str, Any]:
    """Return one feature's flag in a list of flags, or in an identity's answer."""
    flags = answer["flags"] if isinstance(answer, dict) else answer
    (found,) = (flag for flag in flags if flag["feature"]["name"] == name)
    return dict(found)


def names_in(answer: Any) -> list[str]:
    """Return the names of the features whose flags are in an answer."""
    flags = answer["flags"] if isinstance(answer, dict) else answer
    return [flag["feature"]["name"] for flag in flags]


def traits_in(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an answer's traits: `{"plan": "pro"}`."""
    return {trait["trait_key"]: trait["trait_value"] for trait in answer["traits"]}


def trait(key: str, value: Any, **more: Any) -> dict[str, Any]:
    return {"trait_key": key, "trait_value": value, **more}


def post(client: APIClient, *traits: dict[str, Any], **body: Any) -> Any:
    response = client.post(IDENTITIES, {"identifier": "kim", "traits": list(traits), **body}, "json")
    assert response.status_code == 200, response.content
    return response.json()


def post_anything(client: APIClient, body: Any) -> Any:
    """Post a body as ASCII, which can spell what UTF-8 can't."""
    return client.generic("POST", IDENTITIES, json.dumps(body), content_type="application/json")


def transience(answer: dict[str, Any]) -> dict[str, bool]:
    return {each["trait_key"]: each["transient"] for each in answer["traits"]}


def stored_traits(identifier: str = "kim") -> dict[str, Any]:
    return dict(Identity.objects.get(identifier=identifier).traits)
