"""Watches that no secret which a test mints comes out where others read.

Secrets are what lets somebody in: passwords, users' tokens and signed tokens, cookies and session keys,
master keys (and their hashes), server-side environment keys, the tokens of mailed links, the seeds and backup
codes of second factors, and the server's own secret key. Not secret here: client-side environment keys,
which every browser shows, and the hashes of invitations, which stand in the paths of links.

They may not appear in what is logged, in any answer of status 400 and more, in the API's description of
itself, or in rows of the audit log and the history. A test in which one does fails.
"""

import functools
import logging
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any
from unittest import mock

import jwt
import pytest
from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.tokens import PasswordResetTokenGenerator
from django.contrib.sessions.backends.base import SessionBase
from django.core.handlers.base import BaseHandler
from django.core.signing import TimestampSigner
from django.db import Error, connection
from django.db.models.signals import post_save

from audit.models import AuditRecord, RowChange
from core.logs.formats import Json
from organisations import secrets

# Where models keep secrets. What people may choose, like a password, is caught where it is set.
COLUMNS = {
    "authtoken.token": ["key"],
    "environments.serversidekey": ["key"],
    "organisations.masterkey": ["hashed_key"],
    "accounts.mfamethod": ["secret"],
    "environments.environmentwebhook": ["secret"],
    "organisations.organisationwebhook": ["secret"],
    "integrations.integration": ["secrets"],
}
# Shorter ones are found in any text.
SHORTEST = 12
DESCRIPTIONS = ("/swagger.json", "/swagger.yaml", "/docs/")


class Watch:
    """The secrets that were minted while it stands, and where they came out.

    Attributes:
        leaks: lines that say where a secret was found, without it.
    """

    def __init__(self) -> None:
        self.secrets: set[str] = set()
        self.leaks: list[str] = []

    def mint(self, secret: Any) -> None:
        text = secret.decode() if isinstance(secret, bytes) else secret
        if isinstance(text, str) and len(text) >= SHORTEST:
            self.secrets.add(text)

    def look_at(self, text: str, where: str) -> None:
        if any(secret in text for secret in (*self.secrets, *_earlier, settings.SECRET_KEY)):
            self.leaks.append(where)


_watches = [Watch()]
# Up to where the audit log and the history have been looked at.
_seen: dict[type[AuditRecord | RowChange], int] = {AuditRecord: 0, RowChange: 0}
_NEWEST = "SELECT (SELECT max(id) FROM audit_auditrecord), (SELECT max(id) FROM audit_rowchange)"
# Of fixtures that several tests share.
_earlier: deque[str] = deque(maxlen=300)


@contextmanager
def watching() -> Iterator[Watch]:
    """Watch until the block ends. An outer watch doesn't see what happens meanwhile."""
    watch = Watch()
    _earlier.extend(_watches[-1].secrets if len(_watches) == 1 else ())
    _watches[0].secrets.clear()
    _watches.append(watch)
    try:
        yield watch
    finally:
        _watches.remove(watch)


def look_at_audit_records() -> None:
    """Look at the rows of the audit log that the current transaction sees and no earlier test has looked at.

    No secret is in a row that was written before it was minted, and numbers of rows don't come again.
    """
    with connection.cursor() as cursor:  # by hand: this is asked after each of thousands of tests
        cursor.execute(_NEWEST)
        newest = dict(zip((AuditRecord, RowChange), cursor.fetchone(), strict=True))
    if not any((newest[model] or 0) > seen for model, seen in _seen.items()):
        return
    for row in _news(AuditRecord, "log", "changes", "master_key_name"):
        _watches[-1].look_at(str(row), f"the audit record {row[0][:60]!r}")
    for change in _news(RowChange, "table_name", "operation", "name", "before", "after"):
        _watches[-1].look_at(str(change), f"the history of {change[0]}, {change[1]}")


def _news(model: type[AuditRecord | RowChange], *columns: str) -> Iterator[tuple[Any, ...]]:
    rows = model.objects.filter(pk__gt=_seen[model]).order_by("pk").values_list("pk", *columns)
    for number, *row in rows:
        _seen[model] = number
        yield tuple(row)


def _looks_at_records(handle: Callable[..., Any]) -> Callable[..., Any]:
    # What is said, which isn't masked in every handler, and what ours adds about the request.
    formatters = (logging.Formatter(), Json())

    @functools.wraps(handle)
    def call_handlers(self: logging.Logger, record: logging.LogRecord) -> Any:
        text = "".join(formatter.format(record) for formatter in formatters)
        _watches[-1].look_at(text, f"a log record of {record.name}: {record.msg!r}")
        return handle(self, record)

    return call_handlers


def _looks_at_answers(answer: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(answer)
    def get_response(self: BaseHandler, request: Any) -> Any:
        response = answer(self, request)
        described = request.path.endswith(DESCRIPTIONS) and not response.streaming
        is_error = (
            response.status_code >= 400 and response.status_code != 412
        )  # which shows what reading shows
        if is_error or described:
            what = f"the answer {response.status_code} to {request.method} {request.path}"
            _watches[-1].look_at(response.getvalue().decode(errors="replace"), what)
        return response

    return get_response


def _mints_argument(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def minting(self: Any, secret: Any, *rest: Any, **named: Any) -> Any:
        _watches[-1].mint(secret)
        return original(self, secret, *rest, **named)

    return minting


def _mints_result(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def minting(*arguments: Any, **named: Any) -> Any:
        secret = original(*arguments, **named)
        _watches[-1].mint(secret)
        return secret

    return minting


def _note_columns(sender: Any, instance: Any, **_: Any) -> None:
    for column in COLUMNS.get(sender._meta.label_lower, ()):
        kept = getattr(instance, column, None)
        # Addresses of services are often the same everywhere.
        secrets = (
            [each for each in kept.values() if "://" not in str(each)] if isinstance(kept, dict) else [kept]
        )
        for secret in secrets:
            _watches[-1].mint(secret)


_WRAPPED: list[tuple[Any, str, Callable[[Callable[..., Any]], Callable[..., Any]]]] = [
    (logging.Logger, "callHandlers", _looks_at_records),
    (BaseHandler, "get_response", _looks_at_answers),
    (AbstractBaseUser, "set_password", _mints_argument),
    (PasswordResetTokenGenerator, "make_token", _mints_result),
    (SessionBase, "_get_new_session_key", _mints_result),
    (TimestampSigner, "sign", _mints_result),
    (jwt, "encode", _mints_result),
    (secrets, "get_random_string", _mints_result),
]


class Plugin:
    """The plugin that `conftest.py` registers."""

    def __init__(self) -> None:
        self._patches = [
            mock.patch.object(owner, name, wrap(getattr(owner, name))) for owner, name, wrap in _WRAPPED
        ]

    def pytest_sessionstart(self) -> None:
        for patch in self._patches:
            patch.start()
        post_save.connect(_note_columns, dispatch_uid="canaries")

    def pytest_sessionfinish(self) -> None:
        for patch in self._patches:
            patch.stop()
        post_save.disconnect(dispatch_uid="canaries")

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        with watching():
            return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Any:
        result = yield
        if _uses_the_database(item) and not connection.needs_rollback:
            with suppress(Error):  # it is away: that is what the test is about
                look_at_audit_records()
        assert not _watches[-1].leaks, "A secret came out in " + "; ".join(_watches[-1].leaks)
        return result


def _uses_the_database(item: pytest.Item) -> bool:
    names = getattr(item, "fixturenames", ())
    return bool({"db", "transactional_db"} & set(names)) or item.get_closest_marker("django_db") is not None
