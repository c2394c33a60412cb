"""What a condition looks at: a trait, or by a JSONPath something else of the evaluation context.

A path has to be a singular query (RFC 9535, section 2.3.5.1: names and indexes only). A condition
compares one value; what may select several is not supported by the published engines either, and
wildcards, descendants and filters would walk the whole environment for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import TypeAlias, cast

import jsonpath_rfc9535
from jsonpath_rfc9535.selectors import IndexSelector, JSONPathSelector, NameSelector

from engine.documents import EvaluationContext
from engine.subjects import Subject
from engine.values import ContextValue, normalise

Reader: TypeAlias = Callable[[Subject], ContextValue]
PathParts: TypeAlias = tuple[str | int, ...]

PATH_PREFIX = "$."
FLAG_PARTS = frozenset({"enabled", "value", "variant"})


def property_reader(condition_property: str, context: EvaluationContext) -> Reader:
    """Return what reads a condition's property; it gives None where that is not set.

    A trait whose key is the whole property comes first, even if it looks like a path.
    """
    parts = path_parts(condition_property)
    if not parts:
        return lambda subject: subject.values[condition_property]
    read_path = _path_reader(parts, context)

    def read(subject: Subject) -> ContextValue:
        value = subject.values[condition_property]
        return read_path(subject) if value is None else value

    return read


@lru_cache(maxsize=1024)
def path_parts(condition_property: str) -> PathParts:
    """Return the names and indexes of a path; nothing where the property is just a trait's key."""
    if not condition_property.startswith(PATH_PREFIX):
        return ()
    try:
        query = jsonpath_rfc9535.compile(condition_property)
    except (jsonpath_rfc9535.JSONPathError, ValueError, RecursionError):
        return ()
    if not query.singular_query():
        return ()
    return tuple(_part(segment.selectors[0]) for segment in query.segments)


def _part(selector: JSONPathSelector) -> str | int:
    if isinstance(selector, NameSelector):
        return selector.name
    return cast(IndexSelector, selector).index  # a singular query has no other kind


def flag_path(parts: PathParts) -> tuple[str, str] | None:
    """Return the feature's name and the part that a path such as `$.flags.checkout.enabled` reads."""
    match parts:
        case ("flags", str(name), str(part)) if part in FLAG_PARTS:
            return name, part
    return None


def _path_reader(parts: PathParts, context: EvaluationContext) -> Reader:
    flag = flag_path(parts)
    if flag is not None:
        name, part = flag
        return lambda subject: _primitive(subject.read_flag(name, part))
    match parts:
        case ("identity", "identifier"):
            return lambda subject: normalise(subject.identifier)
        case ("identity", "key"):
            return lambda subject: normalise(subject.key)
        case ("identity", "traits", *rest):
            # Below the traits a container is not set; read as a trait it would be its text.
            return lambda subject: _primitive(_walk(subject.traits, rest))
        case ("environment" | "features" | "segments", *_):
            # The rest of a context is the same for everyone: it is read once, when compiling.
            constant = _primitive(_walk(context, parts))
            return lambda subject: constant
    return lambda subject: None


def _walk(value: object, parts: Sequence[str | int]) -> object:
    for part in parts:
        if isinstance(part, str):
            value = value.get(part) if isinstance(value, dict) else None
        elif isinstance(value, list) and -len(value) <= part < len(value):
            value = value[part]
        else:
            return None
    return value


def _primitive(value: object) -> ContextValue:
    return normalise(value) if isinstance(value, str | int | float) else None
