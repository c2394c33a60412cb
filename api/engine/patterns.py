"""Regular expressions in conditions: Python's syntax and meaning, RE2's linear time.

Conditions are written for Python's `re`, matched from the start of the text. A backtracking engine
would let one segment stop the server, so patterns run on RE2, which differs in classes (`\\d`, `\\w`
and `\\s` are Unicode in Python and ASCII in RE2), in anchors and in case folding. Python's own parser
reads the pattern here, and its syntax tree is written out again in RE2's terms; what RE2 has no
terms for is refused, and never matches.

One difference stays: `\\b` looks at ASCII letters, digits and `_` only.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import lru_cache

# Private, but it alone knows what Python takes a pattern to mean. The tests hold it to that.
from re import _constants as codes  # type: ignore[attr-defined]
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Any, TypeAlias

import re2

# One parsed item: an operation and what it applies to, such as `(LITERAL, 97)`.
_Item: TypeAlias = tuple[Any, Any]

MAX_GROUP_DEPTH = 50
# RE2's budget for one pattern, enough for `\w{1,64}@`. It bounds the time to compile (50 ms) and to match.
MAX_PATTERN_BYTES = 1 << 21

_DIGIT = r"\p{Nd}"
_WORD = r"\p{L}\p{N}_"
_SPACE = r"\t-\r\x{1c}-\x{20}\x{85}\x{a0}\x{1680}\x{2000}-\x{200a}\x{2028}\x{2029}\x{202f}\x{205f}\x{3000}"
_NOT_SPACE = (
    r"\x{0}-\x{8}\x{e}-\x{1b}\x{21}-\x{84}\x{86}-\x{9f}\x{a1}-\x{167f}\x{1681}-\x{1fff}\x{200b}-\x{2027}"
    r"\x{202a}-\x{202e}\x{2030}-\x{205e}\x{2060}-\x{2fff}\x{3001}-\x{10ffff}"
)

# What stands for a class between brackets. `\W` has no such form in Unicode: see `_write_set`.
_UNICODE_CLASSES = {
    codes.CATEGORY_DIGIT: _DIGIT,
    codes.CATEGORY_NOT_DIGIT: r"\P{Nd}",
    codes.CATEGORY_SPACE: _SPACE,
    codes.CATEGORY_NOT_SPACE: _NOT_SPACE,
    codes.CATEGORY_WORD: _WORD,
}
_ASCII_CLASSES = {
    codes.CATEGORY_DIGIT: "0-9",
    codes.CATEGORY_NOT_DIGIT: r"\x{0}-\x{2f}\x{3a}-\x{10ffff}",
    codes.CATEGORY_SPACE: r"\t-\r\x{20}",
    codes.CATEGORY_NOT_SPACE: r"\x{0}-\x{8}\x{e}-\x{1f}\x{21}-\x{10ffff}",
    codes.CATEGORY_WORD: "0-9A-Za-z_",
    codes.CATEGORY_NOT_WORD: r"\x{0}-\x{2f}\x{3a}-\x{40}\x{5b}-\x{5e}\x{60}\x{7b}-\x{10ffff}",
}
# Letters, and letters without `_`, are asked for so often by `[^\W\d_]` and `[^\W_]` that they have to work.
_WORD_WITHOUT = {
    frozenset(): f"[{_WORD}]",
    frozenset("_"): r"[\p{L}\p{N}]",
    frozenset("d"): r"[\p{L}\p{Nl}\p{No}_]",
    frozenset("d_"): r"[\p{L}\p{Nl}\p{No}]",
}
# Python folds all four into one when case is ignored; RE2 pairs only the first two.
_FORMS_OF_I = frozenset({0x49, 0x69, 0x130, 0x131})

_UNSUPPORTED = {
    codes.ASSERT: "look-around assertions are not supported",
    codes.ASSERT_NOT: "look-around assertions are not supported",
    codes.GROUPREF: "references to a group are not supported",
    codes.GROUPREF_EXISTS: "references to a group are not supported",
    codes.ATOMIC_GROUP: "atomic groups are not supported",
    codes.POSSESSIVE_REPEAT: "possessive quantifiers are not supported",
}


class _UnsupportedError(Exception):
    """The pattern is right for Python, and RE2 has no terms for it."""


def validate_pattern(pattern: str) -> str | None:
    """Return why a condition can't use `pattern`, or None where it can."""
    try:
        _compile(pattern)
    except (_UnsupportedError, re.error) as error:
        return str(error)
    return None


def pattern_matcher(pattern: str) -> Callable[[str], bool]:
    """Return a test that says what `re.match(pattern, text) is not None` would, in linear time.

    The test raises UnicodeEncodeError for text with lone surrogates. A pattern that
    `validate_pattern` refuses never matches.
    """
    try:
        match = _compile(pattern).match
    except (_UnsupportedError, re.error):
        return _never
    return lambda text: match(text.encode()) is not None


def _never(text: str) -> bool:
    return False


@lru_cache(maxsize=256)
def _compile(pattern: str) -> Any:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MAX_PATTERN_BYTES
    options.never_capture = True
    try:
        # In bytes: of text RE2 would give where it matched in characters, which takes longer than to match.
        return re2.compile(translate(pattern).encode(), options)
    except re2.error as error:
        reason = error.args[0] if error.args else "not a valid pattern"
        raise _UnsupportedError(reason.decode() if isinstance(reason, bytes) else str(reason)) from error


def translate(pattern: str) -> str:
    """Write a Python pattern in RE2's syntax, in ASCII.

    Raises:
        re.error: Python doesn't take the pattern either.
        _UnsupportedError: RE2 has no terms for it.
    """
    try:
        tree = parser.parse(pattern)
    except (RecursionError, OverflowError) as error:
        raise _UnsupportedError("nested too deep, or repeated too often") from error
    return _write(tree.data, tree.state.flags, is_last=True, depth=0)


def _write(items: Sequence[_Item], flags: int, *, is_last: bool, depth: int) -> str:
    """Write a sequence of items; `is_last` says that nothing of the pattern follows it."""
    if depth > MAX_GROUP_DEPTH:
        raise _UnsupportedError(f"groups are nested more than {MAX_GROUP_DEPTH} deep")
    last = len(items) - 1
    return "".join(
        _write_item(item, flags, is_last=is_last and index == last, depth=depth)
        for index, item in enumerate(items)
    )


def _write_item(item: _Item, flags: int, *, is_last: bool, depth: int) -> str:
    operation, argument = item
    if operation is codes.LITERAL:
        return _write_literal(argument, flags)
    if operation is codes.NOT_LITERAL:
        return _write_set([(codes.NEGATE, None), (codes.LITERAL, argument)], flags)
    if operation is codes.IN:
        return _write_set(argument, flags)
    if operation is codes.ANY:
        return "(?s:.)" if flags & re.DOTALL else r"[^\n]"
    if operation is codes.AT:
        return _write_anchor(argument, flags, is_last=is_last)
    if operation is codes.BRANCH:
        branches = [_write(branch, flags, is_last=is_last, depth=depth + 1) for branch in argument[1]]
        return f"(?:{'|'.join(branches)})"
    if operation is codes.SUBPATTERN:
        _, added, removed, body = argument
        flags = (flags | added) & ~removed
        if added & re.ASCII:
            flags &= ~re.UNICODE
        if added & re.UNICODE:
            flags &= ~re.ASCII
        return f"(?:{_write(body, flags, is_last=is_last, depth=depth + 1)})"
    if operation in (codes.MAX_REPEAT, codes.MIN_REPEAT):
        least, most, body = argument
        upper = "" if most is codes.MAXREPEAT else int(most)
        # Greedy or lazy is all one: a condition asks whether there is a match, not which.
        written = _write(body, flags, is_last=is_last and upper == 1, depth=depth + 1)
        return f"(?:{written}){{{least},{upper}}}"
    raise _UnsupportedError(_UNSUPPORTED.get(operation, f"{operation} is not supported"))


def _write_anchor(anchor: Any, flags: int, *, is_last: bool) -> str:
    if anchor is codes.AT_BEGINNING:
        return "(?m:^)" if flags & re.MULTILINE else r"\A"
    if anchor is codes.AT_BEGINNING_STRING:
        return r"\A"
    if anchor is codes.AT_END_STRING:
        return r"\z"
    if anchor is codes.AT_END:
        if flags & re.MULTILINE:
            return "(?m:$)"
        if is_last:
            # Python's matches before a final newline too. Taking that newline in is the same as
            # looking at it, as long as nothing follows.
            return r"\n?\z"
        raise _UnsupportedError(r"`$` is supported at the end of the pattern only (or use `\Z`)")
    if anchor is codes.AT_BOUNDARY:
        return r"\b"
    raise _UnsupportedError(r"`\B` is not supported")  # RE2's matches in empty text, Python's does not


def _write_literal(code_point: int, flags: int) -> str:
    if not flags & re.IGNORECASE:
        return _escaped(code_point)
    return _write_set([(codes.LITERAL, code_point)], flags)


def _write_set(members: Sequence[_Item], flags: int) -> str:
    """Write a character class; `members` may begin with a NEGATE."""
    negated = bool(members) and members[0][0] is codes.NEGATE
    if negated:
        members = members[1:]
    ascii_only = bool(flags & re.ASCII)
    categories = {argument for operation, argument in members if operation is codes.CATEGORY}
    ranges = [
        (argument, argument) if operation is codes.LITERAL else argument
        for operation, argument in members
        if operation is not codes.CATEGORY
    ]
    if codes.CATEGORY_NOT_WORD in categories and not ascii_only:
        return _write_not_word(categories, ranges, flags, negated=negated)

    fold = ""
    if ranges and flags & re.IGNORECASE:
        ranges, fold = _with_other_case(ranges, ascii_only=ascii_only)
    classes = _ASCII_CLASSES if ascii_only else _UNICODE_CLASSES
    named = "".join(sorted(classes[category] for category in categories))
    listed = "".join(_written_range(low, high) for low, high in ranges)
    if fold and named and not negated:
        # Folding reaches beyond a class: U+0345 is no letter, but it has letters for other cases.
        return f"(?:[{named}]|{fold}[{listed}]))"
    written = f"[{'^' if negated else ''}{named}{listed}]"
    return f"{fold}{written})" if fold else written


def _with_other_case(ranges: list[tuple[int, int]], *, ascii_only: bool) -> tuple[list[tuple[int, int]], str]:
    """Return ranges that hold what folding adds, and the opening of a group that lets RE2 fold the rest."""
    if not ascii_only:
        if any(low <= form <= high for low, high in ranges for form in _FORMS_OF_I):
            ranges = [*ranges, *((form, form) for form in sorted(_FORMS_OF_I))]
        return ranges, "(?i:"
    swapped = []
    for low, high in ranges:
        for first, last, distance in ((0x41, 0x5A, 32), (0x61, 0x7A, -32)):
            if low <= last and high >= first:
                swapped.append((max(low, first) + distance, min(high, last) + distance))
    return [*ranges, *swapped], ""


def _write_not_word(categories: set[Any], ranges: list[tuple[int, int]], flags: int, *, negated: bool) -> str:
    """Write a class that holds `\\W`, which between brackets RE2 can't say."""
    others = [
        *((codes.CATEGORY, category) for category in categories if category is not codes.CATEGORY_NOT_WORD),
        *((codes.RANGE, pair) for pair in ranges),
    ]
    if not negated:
        rest = f"|{_write_set(others, flags)}" if others else ""
        return f"(?:[^{_WORD}]{rest})"
    removed = {
        (codes.CATEGORY, codes.CATEGORY_DIGIT): "d",
        (codes.RANGE, (0x5F, 0x5F)): "_",
    }
    written = _WORD_WITHOUT.get(frozenset(removed.get(other, "?") for other in others))
    if written is None:
        raise _UnsupportedError(r"`[^\W…]` is supported with `\d` and `_` only")
    return written


def _written_range(low: int, high: int) -> str:
    return _escaped(low) if low == high else f"{_escaped(low)}-{_escaped(high)}"


def _escaped(code_point: int) -> str:
    character = chr(code_point)
    if character.isascii() and character.isalnum():
        return character
    return f"\\x{{{code_point:x}}}"
