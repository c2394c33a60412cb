"""The InfluxDB server that the settings name: writing lines, and asking for tables."""

import csv
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

import requests
from django.conf import settings

from analytics.stores import StoreAway, StoreRefuses
from core.errors import DomainError
from core.outgoing import CallFailedError, post

# Less than a process has for its last counts before it is ended.
_WRITE_SECONDS = 2.0
_CONNECT_SECONDS, _READ_SECONDS = 2.0, 10.0
# What is wrong with the lines themselves. A token or a bucket that is wrong can be put right.
_REFUSALS = frozenset(
    {
        HTTPStatus.BAD_REQUEST,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        HTTPStatus.UNPROCESSABLE_ENTITY,
    }
)


class CountsUnavailableError(DomainError):
    """InfluxDB doesn't answer, or not what was asked."""

    status_code = HTTPStatus.SERVICE_UNAVAILABLE
    code = "counts_unavailable"
    headers = {"Retry-After": "5"}

    def __init__(self) -> None:
        super().__init__("What was counted can't be read at the moment.")


def write(lines: list[str]) -> None:
    """Write points, each a line of InfluxDB's line protocol with a time in nanoseconds.

    Raises:
        StoreAway: they weren't taken now.
        StoreRefuses: they never will be.
    """
    where = {"org": settings.INFLUXDB_ORG, "bucket": settings.INFLUXDB_BUCKET, "precision": "ns"}
    try:
        answer = post(
            _url("write", **where),
            "\n".join(lines).encode(),
            _credentials(),
            content_type="text/plain; charset=utf-8",
            timeout_seconds=_WRITE_SECONDS,
            may_be_private=True,
        )
    except CallFailedError as error:
        raise StoreAway(f"InfluxDB: {error}") from error
    if answer.status in _REFUSALS:
        raise StoreRefuses(f"InfluxDB answered {answer.status}.")
    if not answer.is_success:
        raise StoreAway(f"InfluxDB answered {answer.status}.")


def ask(bucket: str, pipeline: str) -> list[dict[str, str]]:
    """Return the rows of what `pipeline`, in Flux, makes of a bucket, by the columns' names.

    Raises:
        NoSuchBucketError
        CountsUnavailableError
    """
    with requests.Session() as session:
        session.trust_env = False  # a .netrc would replace the token
        try:
            response = session.post(
                _url("query", org=settings.INFLUXDB_ORG),
                json={
                    "query": f"from(bucket: {literal(bucket)}) {pipeline}",
                    "type": "flux",
                    "dialect": {"header": True, "annotations": []},
                },
                headers={**_credentials(), "Accept": "application/csv"},
                timeout=(_CONNECT_SECONDS, _READ_SECONDS),
                allow_redirects=False,
            )
        except requests.RequestException as error:
            raise CountsUnavailableError from error
    if response.status_code == HTTPStatus.NOT_FOUND:
        raise NoSuchBucketError
    if response.status_code != HTTPStatus.OK:
        raise CountsUnavailableError
    return list(_rows(response.content.decode()))


class NoSuchBucketError(CountsUnavailableError):
    """There is no bucket of that name, or no such organisation."""


def literal(text: str) -> str:
    """Return a string literal of Flux, in which only letters and digits of ASCII stand for themselves."""
    letters = (
        chr(byte) if byte < 128 and chr(byte).isalnum() else f"\\x{byte:02x}" for byte in text.encode()
    )
    return '"' + "".join(letters) + '"'


def _rows(text: str) -> Iterator[dict[str, str]]:
    """Yield the rows of all tables. Each begins with a line of its columns' names, after an empty one."""
    columns: list[str] = []
    for row in csv.reader(text.splitlines()):
        if not row:
            columns = []
        elif not columns:
            columns = row
        else:
            yield dict(zip(columns, row, strict=False))


def _url(action: str, **query: str) -> str:
    return f"{settings.INFLUXDB_URL.rstrip('/')}/api/v2/{action}?{urlencode(query)}"


def _credentials() -> dict[str, Any]:
    return {"Authorization": f"Token {settings.INFLUXDB_TOKEN}"}
