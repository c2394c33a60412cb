"""Where an identity falls between 0 and 100: the one place that hashes.

Bit-compatible with every Flagsmith SDK: a change here reshuffles every rollout.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import md5


def percentage_for(ids: Sequence[str]) -> float:
    """Return a percentage in [0, 100) that depends on nothing but `ids` and their order.

    The ids are joined with commas and hashed with MD5; the digest, read as one integer, is taken
    modulo 9999 and divided by 9998. That gives exactly 100 for one remainder: the ids are then
    hashed again, repeated once more each time.
    """
    text = ",".join(ids)
    hashed = text
    while True:
        # Lone surrogates can't be in UTF-8, but they can be in JSON: any bytes do, if always the same.
        digest = md5(hashed.encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()
        remainder = int.from_bytes(digest, "big") % 9999
        if remainder != 9998:
            return remainder / 9998 * 100
        hashed = f"{hashed},{text}"
