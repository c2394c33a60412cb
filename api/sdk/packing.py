"""Bytes that say what they are, for places that aren't trusted: the shared cache, and files.

    BRG2 | environment, revision (8 bytes each) | nonce (16) | HMAC-SHA-256 of the rest (32) | zlib

The HMAC's key is derived from SECRET_KEY, so a reader takes nothing on faith: an entry that is truncated,
garbled or of somebody else's making is as good as none. Nothing is ever unpickled.
"""

import hmac
import struct
import uuid
import zlib

from core.sealing import DIGEST_BYTES, digest_of, inflated
from documents.rows import RevisionName

# Raised with any change of what the bytes, or the content in them, look like.
FORMAT = b"BRG2"

_PURPOSE = "sdk.packing"
_NAME = struct.Struct("!4sqq16s")
_HEADER_BYTES = _NAME.size + DIGEST_BYTES
_MOST_BYTES = 512 * 1024 * 1024


def pack(name: RevisionName, content: bytes, *, compress: bool = True) -> bytes:
    """Return what `unpack` reads; as large as `content` where time counts for more than space."""
    head = _NAME.pack(FORMAT, name.environment_id, name.number, name.nonce.bytes)
    compressed = zlib.compress(content, 1 if compress else 0)
    return b"".join((head, digest_of(_PURPOSE, head, compressed), compressed))


def unpack(packed: object) -> tuple[RevisionName, bytes] | None:
    """Return the name and the content, or None where `packed` isn't whole or isn't ours."""
    if not isinstance(packed, bytes) or len(packed) < _HEADER_BYTES:
        return None
    view = memoryview(packed)
    head, digest, compressed = view[: _NAME.size], view[_NAME.size : _HEADER_BYTES], view[_HEADER_BYTES:]
    if not hmac.compare_digest(digest_of(_PURPOSE, head, compressed), digest):
        return None
    format_, environment_id, number, nonce = _NAME.unpack(head)
    if format_ != FORMAT:
        return None
    content = inflated(compressed, _MOST_BYTES)
    if content is None:
        return None
    return RevisionName(environment_id, number, uuid.UUID(bytes=nonce)), content
