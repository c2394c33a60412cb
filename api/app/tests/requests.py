"""Sending a request in a transaction that is undone, and what came of it."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlencode

from django.apps import apps
from django.db import IntegrityError, connection, transaction
from django.http.request import HttpHeaders
from rest_framework.test import APIClient

from app.tests.forms import encoded
from core.errors import exception_handler

# What a refused request may write: that it was refused.
_LOGS = {"axes_accessattempt", "axes_accesslog", "axes_accessfailurelog", "axes_accessattemptexpiration"}


@dataclass(frozen=True)
class Outcome:
    """How the server answered, and in which tables a request that it didn't take has changed any row."""

    status: int
    content: bytes
    content_type: str
    statements: int
    changed: list[str]
    headers: Mapping[str, str]

    @property
    def is_refusal(self) -> bool:
        return 400 <= self.status < 500

    @property
    def is_success(self) -> bool:
        # 501: everything was checked, and what is then to be done only the server itself can do.
        # 302: a page that leads to another.
        return 200 <= self.status < 300 or self.status in {302, 501}

    def json(self) -> Any:
        return json.loads(self.content)

    def __str__(self) -> str:
        change = f" and changed rows of {self.changed}" if self.changed else ""
        return f"{self.status} {self.content[:200]!r}{change}"


@contextmanager
def _noting_statements() -> Iterator[list[str]]:
    """Give the statements that are executed inside, without their values: putting those in takes long."""
    statements: list[str] = []

    def note(execute: Any, sql: str, *rest: Any) -> Any:
        statements.append(sql)
        return execute(sql, *rest)

    with connection.execute_wrapper(note):
        yield statements


def send(
    method: str,
    path: str,
    *,
    headers: dict[str, str],
    query: dict[str, str] | str = "",
    body: Any = None,
    raw: bytes | None = None,
    content_type: str = "application/json",
) -> Outcome:
    """Send a request, look at what it did, and undo it.

    Args:
        query: parameters, or a query string that is sent as it is.
        body: sent as JSON, or as the form that it is, unless `raw` has the very bytes.
    """
    client = the_client()
    client.cookies.clear()
    data, content_type = encoded(body) if raw is None else (raw, content_type)
    with transaction.atomic():
        with _noting_statements() as statements:
            response = client.generic(
                method,
                path,
                data,  # type: ignore[arg-type]  # bytes are what it sends
                content_type=content_type,
                QUERY_STRING=query if isinstance(query, str) else urlencode(query),
                **HttpHeaders.to_wsgi_names(headers),
            )
        status, after = response.status_code, None
        if any(map(_may_write, statements)):
            after = fingerprint() if status >= 400 else None
            status = _after_commit(status)  # one that fails leaves nothing
        transaction.set_rollback(True)
    return Outcome(
        status=status,
        content=response.getvalue(),
        content_type=response.get("Content-Type", ""),
        statements=len(statements),
        changed=_differing(after, fingerprint()) if after else [],  # what was before is there again
        headers=response.headers,
    )


@cache
def the_client() -> APIClient:
    """Return the one client: each new one would put the middleware together anew."""
    return APIClient(raise_request_exception=False)


_READING = ("SELECT", "SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT")


def _may_write(sql: str | None) -> bool:
    # None: the driver refused the parameters, and nothing was sent.
    return sql is not None and not sql.lstrip().startswith(_READING)


def fingerprint() -> dict[str, tuple[Any, ...]]:
    """Return a digest of all rows of each table."""
    tables = sorted({model._meta.db_table for model in apps.get_models(include_auto_created=True)} - _LOGS)
    with connection.cursor() as cursor:
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT '{table}', count(*), sum(hashtextextended(t::text, 0)::numeric) FROM {table} AS t"
                for table in tables
            )
        )
        return {table: digest for table, *digest in cursor.fetchall()}


def _differing(one: dict[str, tuple[Any, ...]], other: dict[str, tuple[Any, ...]]) -> list[str]:
    return [table for table in one if one[table] != other[table]]


def _after_commit(status: int) -> int:
    """Return the status that counts the checks which only a commit would make."""
    try:
        with transaction.atomic():
            connection.check_constraints()
    except IntegrityError as error:
        refusal = exception_handler(error, {})
        return refusal.status_code if refusal else 500
    return status
