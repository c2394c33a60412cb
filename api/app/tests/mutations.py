"""From a body that is right, bodies that are wrong in one field."""

import copy
from collections.abc import Iterator
from typing import Any

Path = tuple[str | int, ...]

UNSTORABLE = ["nul \x00", "half a surrogate pair \ud800"]
HUGE_NUMBERS = [2**31, 2**63, -(2**63) - 1]
LONG_NUMBER = 10**4_000  # as long as the parser lets through


def leaves(body: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Yield every value of a body with its path, containers before what is in them."""
    if path:
        yield path, body
    if isinstance(body, dict):
        for key, value in body.items():
            yield from leaves(value, (*path, key))
    elif isinstance(body, list):
        for index, value in enumerate(body):
            yield from leaves(value, (*path, index))


def field(path: Path) -> str:
    """Return a path's name: `("traits", 0, "trait_value")` is `traits.trait_value`."""
    return ".".join(part for part in path if isinstance(part, str))


def fields(body: Any) -> Iterator[tuple[int, Path, Any]]:
    """Yield each field once, numbered, with its path and value: of a list's items, the first that has it."""
    first: dict[str, tuple[Path, Any]] = {}
    for path, value in leaves(body):
        first.setdefault(field(path), (path, value))
    for number, (path, value) in enumerate(first.values()):
        yield number, path, value


def replaced(body: Any, path: Path, value: Any) -> Any:
    """Return a copy of `body` with another value at `path`."""
    changed = copy.deepcopy(body)
    target = changed
    for part in path[:-1]:
        target = target[part]
    target[path[-1]] = value
    return changed


def value_at(body: Any, path: Path) -> Any:
    for part in path:
        body = body[part]
    return body


def wrong_values(value: Any) -> list[Any]:
    """Return what no field may take that takes `value`."""
    if isinstance(value, bool):
        return [[], {}, "perhaps", *UNSTORABLE]
    if isinstance(value, int | float):
        return [[], {}, "many", LONG_NUMBER, *UNSTORABLE]
    if isinstance(value, str):
        return [[], {"text": "text"}, *UNSTORABLE]
    if isinstance(value, list):
        return ["text", 7, True, {"0": value}]
    if isinstance(value, dict):
        return ["text", 7, True, [value]]
    return []


def doubtful_values(value: Any) -> list[Any]:
    """Return what a field may take or refuse, but nothing may fail on."""
    numbers = [-1, 0, 1.5, 1e300, *HUGE_NUMBERS] if isinstance(value, int | float) else HUGE_NUMBERS[1:2]
    return [None, True, "", "x" * 30_000, [[UNSTORABLE[0]]], {UNSTORABLE[0]: UNSTORABLE[1]}, *numbers]
