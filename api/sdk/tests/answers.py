"""Reading answers."""

from typing import Any


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
