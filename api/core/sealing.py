"""What bytes in places that aren't trusted are checked by: a digest with a key, and a bound on their size.

The key is derived from SECRET_KEY, apart for each purpose, so that whoever can write there can make nothing
that is believed.
"""

import hmac
import zlib
from functools import cache

from django.conf import settings
from django.utils.crypto import salted_hmac

DIGEST_BYTES = 32


def digest_of(purpose: str, *parts: bytes | memoryview) -> bytes:
    """Return the HMAC-SHA-256 of `parts`, one after the other, under the key for a purpose."""
    digest = hmac.new(_key(purpose, settings.SECRET_KEY), digestmod="sha256")
    for part in parts:
        digest.update(part)
    return digest.digest()


def inflated(compressed: bytes | memoryview, most_bytes: int) -> bytes | None:
    """Return what zlib has compressed; None where it isn't whole, or larger: what is small may be huge."""
    inflater = zlib.decompressobj()
    try:
        content = inflater.decompress(compressed, most_bytes)
    except zlib.error:
        return None
    return content if inflater.eof else None


@cache
def _key(purpose: str, secret: str) -> bytes:
    return salted_hmac(purpose, "key", secret=secret, algorithm="sha256").digest()
