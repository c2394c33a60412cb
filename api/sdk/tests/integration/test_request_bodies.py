"""Bodies as they come over the wire: with a length or in chunks, up to the limit and beyond."""

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings

pytestmark = pytest.mark.django_db(transaction=True)  # the server is another process


def post(url: str, key: str, body: bytes, *, chunked: bool) -> tuple[int, Any]:
    """Send a body to `identities/` and return status and answer."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=30)
    headers = {"X-Environment-Key": key, "Content-Type": "application/json"}
    try:
        connection.request(
            "POST",
            f"{address.path}identities/",
            body=in_pieces(body) if chunked else body,
            headers=headers,
            encode_chunked=chunked,
        )
        response = connection.getresponse()
        return response.status, json.loads(response.read())
    finally:
        connection.close()


def in_pieces(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), 1000):
        yield body[start : start + 1000]


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_up_to_the_limit_is_read(server, shop, chunked):
    body = b'{"identifier": "kim"}'.ljust(settings.MAX_REQUEST_BODY_BYTES)

    status, answer = post(server, shop.client_key, body, chunked=chunked)

    assert (status, answer["identifier"]) == (200, "kim")


@pytest.mark.parametrize("times", [1.0001, 5])
@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_refused(server, shop, chunked, times):
    body = b'{"identifier": "kim"}'.ljust(int(settings.MAX_REQUEST_BODY_BYTES * times))

    status, answer = post(server, shop.client_key, body, chunked=chunked)

    assert (status, answer) == (413, {"detail": "The request body is larger than 1048576 bytes."})
