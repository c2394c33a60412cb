"""Our patterns mean what Python's `re.match` takes them to mean."""

import re
import time
import unicodedata

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from engine.patterns import pattern_matcher, translate, validate_pattern

# Letters of every kind: cases beyond ASCII, the four forms of i, digits, blanks, marks, what has no case.
ALPHABET = "abiIkKſıİßµéÉжЖǅ5٣²Ⅷ_- .\t\n\r\x1c\x85\u2028\u3000\u0301\u0345中😀|$"

_LITERALS = st.sampled_from(ALPHABET).map(re.escape)
_CLASSES = st.sampled_from((r"\d", r"\D", r"\s", r"\S", r"\w", r"\W", "."))
_RANGES = st.sampled_from(("a-z", "A-Z", "0-9", "а-я", "é-ж", "ı-ſ", "!-~", r"\x00-\x1f", "中-龥"))
_IDIOMS = st.sampled_from((r"[^\W_]", r"[^\W\d]", r"[^\W\d_]", r"[^\W]", r"[\W_]", r"[\Wa]", r"[\W\d]"))
_SETS = st.builds(
    "[{}{}]".format,
    st.sampled_from(("", "^")),
    st.lists(
        _LITERALS | _RANGES | st.sampled_from((r"\d", r"\D", r"\s", r"\S", r"\w")), min_size=1, max_size=3
    ).map("".join),
)
_CHARACTERS = st.one_of(_LITERALS, _LITERALS, _CLASSES, _SETS, _IDIOMS)
_QUANTIFIERS = st.sampled_from(("", "", "", "*", "+", "?", "*?", "+?", "??", "{2}", "{1,3}", "{,2}", "{2,}?"))
_ANCHORS = st.sampled_from(("^", r"\A", r"\Z"))


def _quantified(inner):
    return st.builds("{}{}".format, inner, _QUANTIFIERS)


def _groups(inner):
    flags = st.sampled_from(("", "?:", "?i:", "?-i:", "?s:", "?m:", "?a:", "?ai:", "?is:"))
    branches = st.lists(inner, min_size=1, max_size=3).map("|".join)
    return _quantified(st.builds("({}{})".format, flags, branches))


_SEQUENCES = st.recursive(
    st.lists(_quantified(_CHARACTERS) | _ANCHORS, max_size=4).map("".join),
    lambda inner: st.lists(_quantified(_CHARACTERS) | _groups(inner), max_size=3).map("".join),
    max_leaves=4,
)
PATTERNS = st.builds(
    "{}{}{}".format,
    st.sampled_from(("", "", "(?i)", "(?s)", "(?m)", "(?a)", "(?ai)", "(?ims)", "(?x)")),
    st.lists(_SEQUENCES, min_size=1, max_size=2).map("|".join),
    st.sampled_from(("", "", "$")),
)
SUBJECTS = st.text(ALPHABET, max_size=6) | st.text(max_size=6)


def python_matches(pattern, text):
    return re.match(pattern, text) is not None


def is_settled(text):
    """Tell whether Python's and RE2's tables of Unicode can be expected to know the same of a text."""
    return not any(unicodedata.category(character) in ("Cn", "Cs") for character in text)


@settings(
    max_examples=600, derandomize=True, deadline=None, suppress_health_check=[HealthCheck.filter_too_much]
)
@given(pattern=PATTERNS, subjects=st.lists(SUBJECTS, min_size=5, max_size=10))
@example(pattern=r"\w+@\w+\.com$", subjects=["a@b.com", "a@b.com\n", "a@b.com\n\n", "é@b.com"])
@example(pattern="a$|b", subjects=["a\n", "ab", "b\nc"])
@example(pattern="(?m)a$.b", subjects=["a\nb"])
@example(pattern="(?mi)^a$\n^B", subjects=["A\nb", "a b"])
def test_a_pattern_matches_what_it_would_in_python(pattern, subjects):
    try:
        re.compile(pattern)
    except re.error:
        assume(False)
    assume(validate_pattern(pattern) is None)
    matches = pattern_matcher(pattern)

    for subject in filter(is_settled, subjects):
        assert matches(subject) == python_matches(pattern, subject), (translate(pattern), subject)


@settings(max_examples=300, derandomize=True, deadline=None)
@given(
    pattern=st.lists(st.sampled_from(("a", "b?", " ", "é*", ".", "_", r"\b", r"\b")), max_size=6).map(
        "".join
    ),
    subject=st.text("ab _-\n", max_size=6),
)
def test_a_word_boundary_is_python_s_for_text_in_ascii(pattern, subject):
    assert pattern_matcher(pattern)(subject) == python_matches(pattern, subject)


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("b", "abc", False),
        ("a", "abc", True),
        ("", "", True),
        ("abc$", "abc\n", True),
        ("abc$", "abc\n\n", False),
        (r"abc\Z", "abc\n", False),
        ("^abc$", "abcd", False),
        ("(?m)^b", "a\nb", False),
        (r"\d", "٣", True),
        (r"(?a)\d", "٣", False),
        (r"(?a)(?u:\d)", "٣", True),
        (r"\w+$", "été", True),
        (r"\s", "\u2003", True),
        ("(?i)É", "é", True),
        ("(?i)i", "İ", True),
        ("(?i)[a-z]$", "ı", True),
        ("(?ai)k", "K", True),
        ("(?ai)k", "\u212a", False),
        ("(?i)k", "\u212a", True),
        ("(?P<name>a)(?:b)", "ab", True),
        (r"\bfoo\b", "foo bar", True),
        (r"\N{SNOWMAN}", "☃", True),
        (r"(?x) a  # one letter", "a", True),
        ("a{2,}", "aa", True),
        (r"\w{1,64}@\w+\.com$", "ada@example.com", True),
        ("(?:a$)?", "a\n", True),
    ],
)
def test_patterns_that_python_and_re2_read_differently(pattern, text, expected):
    assert validate_pattern(pattern) is None
    assert pattern_matcher(pattern)(text) is expected is python_matches(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "reason"),
    [
        ("(", "missing ), unterminated subpattern at position 0"),
        ("[z-a]", "bad character range z-a at position 1"),
        (r"\p{L}", r"bad escape \p at position 0"),
        ("a(?=b)", "look-around assertions are not supported"),
        ("(?<!a)b", "look-around assertions are not supported"),
        (r"(a)\1", "references to a group are not supported"),
        ("(a)?(?(1)b|c)", "references to a group are not supported"),
        ("(?>a)", "atomic groups are not supported"),
        ("a++", "possessive quantifiers are not supported"),
        (r"a\B", r"`\B` is not supported"),
        ("a$b", r"`$` is supported at the end of the pattern only (or use `\Z`)"),
        ("(a$)+", r"`$` is supported at the end of the pattern only (or use `\Z`)"),
        (r"[^\Wa]", r"`[^\W…]` is supported with `\d` and `_` only"),
        ("(" * 60 + ")" * 60, "groups are nested more than 50 deep"),
        ("(" * 5000 + ")" * 5000, "nested too deep, or repeated too often"),
        ("a{1,99999999999}", "nested too deep, or repeated too often"),
        ("a{1,1001}", "invalid repetition size: {1,1001}"),
        (r"(?:\w{1,100}){1,10}", "pattern too large - compile failed"),
    ],
)
def test_a_pattern_that_cannot_be_used_is_refused_with_the_reason_and_never_matches(pattern, reason):
    assert validate_pattern(pattern) == reason
    assert not pattern_matcher(pattern)("ab")


@pytest.mark.parametrize("pattern", ["(a+)+b", "(a|aa)+b", "(.*)*b", r"(\w*\w*)*b", "(?:a?){50}a{50}b"])
def test_no_pattern_takes_more_than_linear_time(pattern):
    matches = pattern_matcher(pattern)
    started = time.perf_counter()

    assert not matches("a" * 2000)

    assert time.perf_counter() - started < 1
