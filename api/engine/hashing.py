"""Where an identity falls between 0 and 100: the one place that hashes.

Bit-compatible with every Flagsmith SDK: a change here reshuffles every rollout.

The ids are joined with commas and hashed with MD5; the digest, read as one integer, is taken modulo
9999 and divided by 9998. That gives exactly 100 for one remainder: the ids are then hashed again,
repeated once more each time.
"""

from __future__ import annotations

from collections.abc import Sequence

try:  # CPython's own: for so few bytes OpenSSL's takes twice as long
    from _md5 import md5  # type: ignore[import-not-found]
except ImportError:
    from hashlib import md5


def percentage_for(ids: Sequence[str]) -> float:
    """Return a percentage in [0, 100) that depends on nothing but `ids` and their order."""
    *first, last = ids
    return Seed(*first).percentage(hashable(last))


def hashable(text: str) -> bytes:
    """Return a text as it is hashed."""
    # Lone surrogates can't be in UTF-8, but they can be in JSON: any bytes do, if always the same.
    return text.encode("utf-8", "surrogatepass")


class Seed:
    """The ids that come before an identity's key, as they are hashed."""

    __slots__ = ("_text",)

    def __init__(self, *ids: str) -> None:
        self._text = hashable("".join(f"{each}," for each in ids))

    def percentage(self, key: bytes) -> float:
        """Return `percentage_for` the seed's ids and a key, which is `hashable`."""
        text = self._text + key
        hashed = md5(text, usedforsecurity=False)
        while (remainder := int.from_bytes(hashed.digest(), "big") % 9999) == 9998:
            hashed.update(b"," + text)
        return remainder / 9998 * 100
