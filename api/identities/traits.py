"""Traits: which values there are, and how a JSONB column keeps them.

A trait is a string, an integer, a float or a boolean, and comes back exactly as it went in. JSONB
has one kind of number: 1e20 would come back as an integer and -0.0 without its sign. Such floats
are stored tagged, `{"float": "1e+20"}`; objects are free for that, because a container that an
SDK sends is stored as its JSON text.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

from core.text import unstorable_text

TraitValue = str | int | float | bool

LONGEST_KEY = 200
LONGEST_STRING = 2000
VALUE_TOO_LONG = f"Value string is too long. Must be less than {LONGEST_STRING} character"

SMALLEST_INTEGER, LARGEST_INTEGER = -(2**63), 2**63 - 1
# From here on Python, like JSON's other writers, gives floats an exponent and no point, and JSONB turns
# them into integers.
_POINTLESS_FROM = 1e16
_FLOAT_TAG = "float"


def trait_value(given: object) -> TraitValue:
    """Return the trait that a JSON value other than null stands for.

    An object or array becomes its compact JSON text, an integer beyond 64 bits its decimal text.

    Raises:
        ValueError: it can't be a trait; the message says why, for people.
    """
    if isinstance(given, str):
        text = given
    elif isinstance(given, bool | float):
        return given
    elif isinstance(given, int):
        if SMALLEST_INTEGER <= given <= LARGEST_INTEGER:
            return given
        text = str(given)
    else:
        text = _compact_json(given)
    if len(text) > LONGEST_STRING:
        raise ValueError(VALUE_TOO_LONG)
    if reason := unstorable_text(text):
        raise ValueError(reason)
    return text


def to_column(values: Mapping[str, TraitValue]) -> dict[str, Any]:
    """Return what `Identity.traits` holds for these traits."""
    return {key: _tagged(value) for key, value in values.items()}


def from_column(stored: Mapping[str, Any]) -> dict[str, TraitValue]:
    """Return the traits that `Identity.traits` holds."""
    return {key: _untagged(value) for key, value in stored.items()}


def _tagged(value: TraitValue) -> Any:
    if isinstance(value, float) and (
        abs(value) >= _POINTLESS_FROM or (value == 0 and math.copysign(1, value) < 0)
    ):
        return {_FLOAT_TAG: repr(value)}
    return value


def _untagged(stored: Any) -> TraitValue:
    if isinstance(stored, dict):
        return float(stored[_FLOAT_TAG])
    return stored  # type: ignore[no-any-return]


def _compact_json(container: object) -> str:
    try:
        return json.dumps(container, ensure_ascii=False, separators=(",", ":"))
    except RecursionError as error:
        raise ValueError("The value is nested too deeply.") from error
