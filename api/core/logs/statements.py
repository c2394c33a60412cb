"""Logging database statements, with `DJANGO_ENABLE_DB_LOGGING`: what they are, never what they are about."""

import logging
from collections.abc import Callable
from time import perf_counter
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

logger = logging.getLogger("burgee.statements")


def note_statement(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
    """Execute a statement, and log it with its time: Django's wrapper."""
    started = perf_counter()
    try:
        return execute(sql, params, many, context)
    finally:
        logger.debug(
            "%s",
            " ".join(str(sql).split()),
            extra={
                "duration_in_ms": round((perf_counter() - started) * 1000, 3),
                "database": context["connection"].alias,
            },
        )


def _listen(connection: BaseDatabaseWrapper, **_: Any) -> None:
    if note_statement not in connection.execute_wrappers:
        connection.execute_wrappers.insert(0, note_statement)  # before what others add to statements


def log_statements() -> None:
    """Log what is said on every connection that is opened from now on."""
    connection_created.connect(_listen, dispatch_uid="core.logs.statements")
