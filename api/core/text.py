"""Text that PostgreSQL can't hold."""

import re

_SURROGATE = re.compile("[\ud800-\udfff]")


def has_lone_surrogate(text: str) -> bool:
    """Whether there is half of a character in `text`, which thus has no bytes."""
    return not text.isascii() and _SURROGATE.search(text) is not None


def unstorable_text(text: str) -> str | None:
    """Return why `text` can't be stored, in the words of Django REST framework; None where it can be.

    JSON can spell what UTF-8 can't: `"\\ud800"` is half of a character.
    """
    if text.isprintable():
        return None  # as nearly all is: the rest would take five times as long
    if "\0" in text:
        return "Null characters are not allowed."
    if found := _SURROGATE.search(text):
        return f"Surrogate characters are not allowed: U+{ord(found[0]):X}."
    return None
