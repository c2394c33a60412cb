"""Who is behind what is written: told to the database with every statement that writes.

The history's triggers read it from a setting of the transaction. It travels in front of the statement, in
the same message, so it costs no round trip; it ends with the transaction, so that it never holds for the next
one on a connection, nor for somebody else's behind a pooler. Reads are left as they are.

It is asked for when something is written, not before: only the view knows who calls it.
"""

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

SETTING = "burgee.cause"

_WRITING = re.compile(r"\s*(?:INSERT|UPDATE|DELETE|MERGE|TRUNCATE|WITH)\b", re.IGNORECASE | re.ASCII)


@dataclass(frozen=True)
class Cause:
    """Somebody, or something, that changes rows.

    Attributes:
        name: what people know them by: an e-mail address, a key's name, `manage.py shell`.
        source: by which way: `api`, `admin`, `command` or `task`.
        request_id: what all that one request has changed has in common.
        emergency: why it should be done without the approval that it needs; empty: it should not.
    """

    name: str
    source: str
    user_id: int | None = None
    master_key_id: UUID | None = None
    request_id: str = ""
    emergency: str = ""

    @property
    def as_sql(self) -> str:
        """The statement that tells the database, without parameters."""
        told = {
            # Without what JSON can say and PostgreSQL can't store.
            "name": self.name.replace("\0", "").encode(errors="replace").decode(),
            "source": self.source,
            "user": self.user_id,
            "master_key": str(self.master_key_id) if self.master_key_id else None,
            "request": self.request_id,
        }
        # In ASCII, so what is left to escape are quotes; a backslash means nothing in PostgreSQL's literals.
        literal = json.dumps({key: value for key, value in told.items() if value}).replace("'", "''")
        return f"SELECT set_config('{SETTING}', '{literal}', true); "


_NOBODY = f"SELECT set_config('{SETTING}', '', true); "

# A function, because the answer may not be known before something is written.
Finder = Callable[[], Cause | None]

_finder: ContextVar[Finder | None] = ContextVar("finder", default=None)
_of_process: Cause | None = None


@contextmanager
def caused_by(find: Finder) -> Iterator[None]:
    """Until the block ends, what this thread writes is caused by whom `find` returns then, None: nobody."""
    token = _finder.set(find)
    try:
        yield
    finally:
        _finder.reset(token)


@contextmanager
def working_as(name: str, source: str = "task") -> Iterator[None]:
    """Until the block ends, this thread writes for the system: `name` says which part of it."""
    cause = Cause(name=name, source=source)
    with caused_by(lambda: cause):
        yield


def name_process(name: str) -> None:
    """What this process writes outside of requests and tasks is from now on caused by the command `name`."""
    global _of_process  # one process, one command
    _of_process = Cause(name=name, source="command")


def current_cause() -> Cause | None:
    find = _finder.get()
    return find() if find else _of_process


def tell_cause(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: Any) -> Any:
    """Execute a statement, and tell the database first who is behind it if it writes: Django's wrapper."""
    if isinstance(sql, str) and not sql.startswith("SELECT") and _WRITING.match(sql):
        told = _news_for(context["connection"])
        # A cursor with a name declares itself with what it executes, and only reads.
        if told and not getattr(context["cursor"].cursor, "name", None):
            sql = (told if params is None else told.replace("%", "%%")) + sql
    return execute(sql, params, many, context)


def _news_for(connection: Any) -> str:
    """Return the statement that tells a connection who writes now; nothing where it knows."""
    cause = current_cause()
    if cause is not None:
        connection.heard_of_causes = True
        return cause.as_sql
    # A transaction in which somebody has written before.
    is_wrong = connection.in_atomic_block and getattr(connection, "heard_of_causes", False)
    return _NOBODY if is_wrong else ""


def _listen(connection: BaseDatabaseWrapper, **_: Any) -> None:
    # First, because those who add one for a while take away the last.
    if connection.vendor == "postgresql" and tell_cause not in connection.execute_wrappers:
        connection.execute_wrappers.insert(0, tell_cause)


def listen_to_writes() -> None:
    """Tell of causes on every connection that is opened from now on."""
    connection_created.connect(_listen, dispatch_uid="core.causes")
