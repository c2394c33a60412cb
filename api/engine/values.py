"""What a condition sees of a trait."""

from __future__ import annotations

import re
from typing import TypeAlias

# A trait's value as conditions compare it; None is "not set".
ContextValue: TypeAlias = str | int | float | bool | None

_DIGITS = frozenset("0123456789")
_INTEGER = re.compile(r"-?[0-9]+")
_DECIMAL = re.compile(r"-?[0-9]+\.[0-9]+")

# Python refuses to read longer integers (`sys.set_int_max_str_digits`); that limit can be changed
# from outside, and an answer may not depend on it.
MAX_INTEGER_CHARACTERS = 4300


def normalise(value: object) -> ContextValue:
    """Turn text that looks like a number into one, and containers into their text.

    Mobile SDKs send all traits as strings, so numbers have to be recognised; that makes `"007"` a 7
    for every operator. Text of digits too long for an integer stays text.
    """
    if isinstance(value, str):
        if not value or value[-1] not in _DIGITS:
            return value  # most text: a pattern would take five times as long
        if _INTEGER.fullmatch(value):
            return int(value) if len(value) <= MAX_INTEGER_CHARACTERS else value
        if _DECIMAL.fullmatch(value):
            return float(value)
        return value
    if value is None or isinstance(value, bool | int | float):
        return value
    try:
        return str(value)
    except (ValueError, RecursionError):
        return None  # holds an integer too long, or is nested too deep, to have a text
