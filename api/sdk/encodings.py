"""Bodies in the encoding that a client takes: as they are, or compressed where the operator wants that."""

import re

from django.conf import settings

from sdk.authentication import KEY_HEADER
from sdk.compression import compress
from sdk.payloads import GZIP_ETAG_END, SdkResponse

# Below this a header more costs as much as is saved. As Django's middleware has it.
_SHORTEST_BYTES = 200
_TAKES_GZIP = re.compile(r"(?:\bgzip\b|\*)(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))")


def vary() -> str:
    """Return what of a request decides how it is answered, as the header names it."""
    return f"{KEY_HEADER}, Accept-Encoding" if settings.ENABLE_GZIP_COMPRESSION else KEY_HEADER


def takes_gzip(accept_encoding: str | None) -> bool:
    """Whether a client that sends this header takes gzip."""
    return accept_encoding is not None and _TAKES_GZIP.search(accept_encoding) is not None


def accepts_gzip(accept_encoding: str | None) -> bool:
    """Whether to compress for a client that sends this header."""
    return settings.ENABLE_GZIP_COMPRESSION and takes_gzip(accept_encoding)


def encoded(answer: SdkResponse, *, accepts: bool) -> SdkResponse:
    """Return an answer as it is sent to a client that does, or doesn't, accept gzip.

    Another encoding is another representation, with an ETag of its own (RFC 9110, section 8.8.3).
    """
    if not accepts or (answer.status != 304 and len(answer.body) < _SHORTEST_BYTES):
        return answer
    headers = dict(answer.headers)
    if (etag := headers.get("ETag")) is not None:
        headers["ETag"] = etag.removesuffix('"') + GZIP_ETAG_END
    if answer.status == 304:
        return answer._replace(headers=headers)
    body = answer.compressed() if answer.compressed else compress(answer.body)
    return answer._replace(body=body, headers={**headers, "Content-Encoding": "gzip"})
