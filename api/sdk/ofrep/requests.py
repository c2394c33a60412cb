"""Reading what OFREP providers send: a key, and `{"context": {"targetingKey": "user-17", "plan": "pro"}}`.

Providers leave out what the protocol's schema calls required, so whatever is missing is allowed.
"""

from collections.abc import Mapping
from typing import Any

from rest_framework.exceptions import ValidationError

from core.parsers import parse_json
from core.text import has_lone_surrogate
from identities.traits import LARGEST_INTEGER, SMALLEST_INTEGER, TraitValue
from sdk.inputs import GivenIdentity, GivenTrait, read_identifier
from sdk.ofrep.errors import ErrorCode, RequestRefused

TARGETING_KEY = "targetingKey"
API_KEY_HEADER = "X-API-Key"

_JSON = "application/json"
_SHOWN_CHARACTERS = 50


def read_key(environment_key: str | None, api_key: str | None, authorization: str | None) -> str:
    """Return the environment's key, from whichever header has it; empty where none does.

    Where several have one, the first in this order counts: a gateway may want the others for itself.

    Args:
        environment_key: the header `X-Environment-Key`, as SDKs send it.
        api_key: `X-API-Key`, which the protocol names.
        authorization: `Authorization`, of which only `Bearer` is looked at.
    """
    if key := environment_key or api_key:
        return key
    scheme, _, bearer = (authorization or "").partition(" ")
    return bearer.strip() if scheme.lower() == "bearer" else ""


def read_context(content_type: str | None, body: bytes) -> Mapping[str, Any]:
    """Return the context; an empty one where the request has none.

    Raises:
        RequestRefused: the body isn't a JSON object, or its context isn't.
    """
    if not body:
        return {}
    if content_type and content_type != _JSON and content_type.partition(";")[0].strip().lower() != _JSON:
        raise RequestRefused(ErrorCode.PARSE_ERROR, f"The body's Content-Type must be {_JSON}.", 415)
    try:
        content = parse_json(body)
    except ValueError as error:
        raise RequestRefused(ErrorCode.PARSE_ERROR, f"The body is not valid JSON: {error}") from error
    if not isinstance(content, dict):
        raise RequestRefused(ErrorCode.PARSE_ERROR, "The body must be a JSON object.")
    context = content.get("context")
    if context is None:
        return {}
    if not isinstance(context, dict):
        raise RequestRefused(ErrorCode.INVALID_CONTEXT, "The context must be a JSON object.")
    return context


def read_identity(
    context: Mapping[str, Any], *, accepts_traits: bool, requires_key: bool
) -> GivenIdentity | None:
    """Return whom flags are asked for; None for the environment's own flags.

    The identity is transient. Its attributes are traits, except those that are null, objects or arrays.
    Without a targeting key it is nobody in particular, with the identifier that the traits give.

    Args:
        accepts_traits: whether attributes count at all.
        requires_key: whether a context without targeting key is refused.

    Raises:
        RequestRefused: something in the context can't be evaluated; the message names it.
    """
    identifier = _identifier(context.get(TARGETING_KEY))
    if requires_key and not identifier:
        raise RequestRefused(ErrorCode.TARGETING_KEY_MISSING, "The context has no targetingKey.")
    traits = {
        name: GivenTrait(_trait(name, value))
        for name, value in context.items()
        if isinstance(value, str | int | float) and name != TARGETING_KEY
    }
    if not accepts_traits:
        traits = {}
    return GivenIdentity(identifier, transient=True, traits=traits) if identifier or traits else None


def _identifier(given: object) -> str:
    try:
        return read_identifier(given)
    except ValidationError as error:
        raise RequestRefused(
            ErrorCode.INVALID_CONTEXT,
            f"The targetingKey is not valid. {error.detail[0]}",  # type: ignore[index]
        ) from error


def _trait(name: str, value: str | float) -> TraitValue:
    """Return an attribute as conditions compare it. Nothing is stored, so only what has no bytes is wrong."""
    if isinstance(value, bool | float):
        return value
    if isinstance(value, int):
        return value if SMALLEST_INTEGER <= value <= LARGEST_INTEGER else str(value)
    if has_lone_surrogate(name) or has_lone_surrogate(value):
        shown = ascii(name[:_SHOWN_CHARACTERS])
        raise RequestRefused(
            ErrorCode.INVALID_CONTEXT, f"The attribute {shown} has half of a surrogate pair."
        )
    return value
