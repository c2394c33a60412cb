"""The operators of conditions, each compiled to a test of one value.

A condition's own value is text, so it is read as the type of what it is compared with. Where that
fails the condition is false, NOT_EQUAL included: `5 NOT_EQUAL "abc"` is false.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from engine.hashing import Seed, hashable
from engine.patterns import pattern_matcher
from engine.values import ContextValue
from engine.versions import SUFFIX, is_version, precedence

# A test is never asked about a value that is not set. What it raises (ValueError, TypeError,
# ArithmeticError, RecursionError) counts as false.
Test: TypeAlias = Callable[[Any], bool]

IS_SET = "IS_SET"
IS_NOT_SET = "IS_NOT_SET"
PERCENTAGE_SPLIT = "PERCENTAGE_SPLIT"

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "EQUAL": operator.eq,
    "NOT_EQUAL": operator.ne,
    "GREATER_THAN": operator.gt,
    "GREATER_THAN_INCLUSIVE": operator.ge,
    "LESS_THAN": operator.lt,
    "LESS_THAN_INCLUSIVE": operator.le,
}


def compile_operator(
    operator_name: str, condition_value: str | Sequence[object] | None, segment_key: str
) -> Test | None:
    """Return the test for a value that is set, or None for one that is never true.

    IS_NOT_SET, which is true for a value that is not set, is not a test of a value: it isn't
    compiled here. `segment_key` seeds PERCENTAGE_SPLIT.
    """
    if operator_name == "IN":
        return _in(condition_value)
    text = _text(condition_value)
    if operator_name in _COMPARISONS:
        return _comparison(_COMPARISONS[operator_name], text)
    compile_test = _TESTS.get(operator_name)
    if compile_test is not None:
        return compile_test(text)
    if operator_name == PERCENTAGE_SPLIT:
        return _percentage_split(text, segment_key)
    return None


def _text(condition_value: object) -> str:
    # Null in the database is a value that nobody entered; the document gives it as empty text.
    return "" if condition_value is None else str(condition_value)


def _comparison(compare: Callable[[Any, Any], bool], text: str) -> Test:
    """Compare with `text`, read once as each type that a trait may have."""
    as_bool = text not in ("False", "false")
    as_integer = _read(int, text)
    as_float = _read(float, text)

    def with_text(value: ContextValue) -> bool:
        if isinstance(value, str):
            return compare(value, text)
        if isinstance(value, bool):
            return compare(value, as_bool)
        if isinstance(value, int):
            return as_integer is not None and compare(value, as_integer)
        return as_float is not None and compare(value, as_float)

    if not is_version(text):
        return with_text

    version = precedence(text.removesuffix(SUFFIX))

    def with_version(value: ContextValue) -> bool:
        if not isinstance(value, str):
            return with_text(value)
        other = precedence(value)
        return version is not None and other is not None and compare(other, version)

    return with_version


def _in(condition_value: str | Sequence[object] | None) -> Test:
    members = frozenset(_members(condition_value))

    def is_member(value: ContextValue) -> bool:
        if isinstance(value, str):
            return value in members
        # Booleans and floats never match: their text differs from language to language.
        return isinstance(value, int) and not isinstance(value, bool) and str(value) in members

    return is_member


def _members(condition_value: str | Sequence[object] | None) -> list[str]:
    """Read a list, a JSON array in text, or text split by commas. Nothing is trimmed."""
    if isinstance(condition_value, list):
        return [str(member) for member in condition_value]
    text = _text(condition_value)
    if text.startswith("["):
        try:
            return [str(member) for member in json.loads(text)]
        except (ValueError, RecursionError):
            pass  # not JSON after all
    return text.split(",")


def _percentage_split(text: str, segment_key: str) -> Test | None:
    limit = _read(float, text)
    if limit is None:
        return None
    # Inclusive, where the bands of variants are half-open: SDKs do the same.
    seed = Seed(segment_key)
    return lambda value: seed.percentage(hashable(str(value))) <= limit


def _contains(text: str) -> Test:
    return lambda value: isinstance(value, str) and text in value


def _not_contains(text: str) -> Test:
    return lambda value: isinstance(value, str) and text not in value


def _regex(text: str) -> Test:
    matches = pattern_matcher(text)
    return lambda value: matches(str(value))


def _modulo(text: str) -> Test | None:
    divisor_text, separator, remainder_text = text.partition("|")
    divisor, remainder = _read(float, divisor_text), _read(float, remainder_text)
    if not separator or divisor is None or remainder is None:
        return None
    # By zero it raises, which counts as false. The sign follows the divisor, as Python's does.
    return lambda value: not isinstance(value, str) and value % divisor == remainder


def _is_set(text: str) -> Test:
    return lambda value: True


def _read(number: Callable[[str], Any], text: str) -> Any:
    try:
        return number(text)
    except ValueError:
        return None


_TESTS: dict[str, Callable[[str], Test | None]] = {
    "CONTAINS": _contains,
    "NOT_CONTAINS": _not_contains,
    "REGEX": _regex,
    "MODULO": _modulo,
    IS_SET: _is_set,
}
