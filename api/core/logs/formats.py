"""How a log record is written: for people, for machines, or in columns.

    generic   2026-01-05 10:00:00,123 42 WARNING webhooks: … (GET /api/v1/flags/?feature=a, request 4f0c…)
    json      one object in each line
    line      2026-01-05 10:00:00,123 | INFO | features.views.list::41 | GET | /api/v1/flags/ | a=b | 200 OK

Whatever was put into a record, keys and credentials are masked, and what it says stays on its line: a value
with a line break in it can't pass for another record. Only a traceback has lines of its own; not in JSON.
"""

import json
import logging
import re
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

from core.asgi.django_door import SCOPE
from core.asgi.types import Scope
from core.logs import context
from core.masking import without_secrets

_HOME = Path(__file__).resolve().parent.parent.parent
_CONTROL = re.compile(r"[\x00-\x1f\x7f\x85\u2028\u2029]")
# What `logging` itself puts into a record; the rest was bound to it by whoever wrote it.
_OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
# Bound by Django and its server; objects, or said in other words.
_UNSAID = frozenset({"request", "status_code", "server_time", "exc", "sql", "params", "alias"})
_REQUEST = ("method", "path", "parameters", "request_id", "trace_id")
_NOTHING = "-"


def place_of(record: logging.LogRecord) -> str:
    """Return where in the code a record was made, as in `features.views.list::41`."""
    bound: str | None = getattr(record, "location", None)
    if bound:
        return bound
    path = Path(record.pathname)
    if path.is_relative_to(_HOME):
        module = ".".join(path.relative_to(_HOME).with_suffix("").parts)
    else:
        module = record.name if record.name != "root" else record.module
    return f"{module}.{record.funcName}::{record.lineno}"


def request_of(record: logging.LogRecord) -> dict[str, str]:
    """Return what the record says of a request; empty outside of requests.

    What was bound to the record itself counts, then the request at hand.
    """
    if getattr(record, "request_id", None):
        return {name: str(getattr(record, name, "")) for name in _REQUEST}
    scope = context.current.get() or _scope_of(record)
    return context.facts(scope) if scope is not None else {}


def _scope_of(record: logging.LogRecord) -> Scope | None:
    """Return the scope of the request that Django bound to what it says when it has answered."""
    environ = getattr(getattr(record, "request", None), "META", None)
    return environ.get(SCOPE) if isinstance(environ, dict) else None


def status_of(record: logging.LogRecord) -> int | None:
    status = getattr(record, "status", getattr(record, "status_code", None))
    return status if isinstance(status, int) else None


def one_line(text: str) -> str:
    """Return a text with control characters written out.

    >>> one_line("a\\nb")
    'a\\\\nb'
    """
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


class _Formatter(logging.Formatter):
    """Puts the traceback behind the line that a subclass makes."""

    def format(self, record: logging.LogRecord) -> str:
        record.message = record.getMessage()
        text = self.line(record)
        if record.exc_info and not record.exc_text:
            record.exc_text = self.formatException(record.exc_info)
        for more in (record.exc_text, record.stack_info):
            if more:
                text = f"{text}\n{more}"
        return without_secrets(text)

    def line(self, record: logging.LogRecord) -> str:
        raise NotImplementedError


class Generic(_Formatter):
    """For people who read the output."""

    def line(self, record: logging.LogRecord) -> str:
        text = f"{self.formatTime(record)} {record.process} {record.levelname} {record.name}: "
        text += one_line(record.message)
        request = request_of(record)
        if not request:
            return text
        about = f"{request['method']} {request['path']}"
        if request["parameters"]:
            about += f"?{request['parameters']}"
        about += f", request {request['request_id']}"
        if request["trace_id"]:
            about += f", trace {request['trace_id']}"
        return f"{text} ({one_line(about)})"


class Line(_Formatter):
    """In columns that are always there: time, level, place, method, path, parameters, status, description."""

    def line(self, record: logging.LogRecord) -> str:
        request = request_of(record)
        status = status_of(record)
        ids = ", ".join(f"{name}={request[name]}" for name in ("request_id", "trace_id") if request.get(name))
        description = f"{record.message} [{ids}]" if record.message and ids else record.message or f"[{ids}]"
        columns = [
            self.formatTime(record),
            record.levelname,
            place_of(record),
            request.get("method") or _NOTHING,
            request.get("path") or _NOTHING,
            request.get("parameters") or _NOTHING,
            _with_phrase(status) if status else _NOTHING,
            description,
        ]
        return " | ".join(one_line(column) for column in columns)


class Json(_Formatter):
    """For machines: one object a line, tracebacks inside of it."""

    def format(self, record: logging.LogRecord) -> str:
        said: dict[str, Any] = {
            "message": record.getMessage(),
            "levelname": record.levelname,
            "logger_name": record.name,
            "timestamp": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "pid": record.process,
            "thread_name": record.threadName,
            "location": place_of(record),
            **request_of(record),
        }
        if (status := status_of(record)) is not None:
            said["status"] = status
        for name, value in vars(record).items():
            if name not in _OWN and name not in _UNSAID and name not in said:
                said[name] = value
        if record.exc_info:
            said["exc_info"] = self.formatException(record.exc_info)
        elif record.exc_text:
            said["exc_info"] = record.exc_text
        if record.stack_info:
            said["stack_info"] = record.stack_info
        return as_json(said)


def as_json(said: dict[str, Any]) -> str:
    """Return an object on one line, without secrets."""
    return json.dumps(_masked(said), default=lambda value: without_secrets(str(value)), ensure_ascii=False)


def _masked(value: Any) -> Any:
    # Before it is JSON: what is put in place of a secret must not break what stands around it.
    if isinstance(value, str):
        return without_secrets(value).encode(errors="replace").decode()
    if isinstance(value, dict):
        return {str(name): _masked(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(each) for each in value]
    return value


def _with_phrase(status: int) -> str:
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:  # 499
        return str(status)


BY_NAME: dict[str, type[logging.Formatter]] = {"GENERIC": Generic, "JSON": Json, "LINE": Line}
