"""Lines about requests: the access log, which gunicorn writes, and the log's own, with `LOG_REQUESTS`."""

import inspect
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from gunicorn.glogging import Logger
from gunicorn.instrument.statsd import Statsd

from core.asgi.types import Scope
from core.logs import context
from core.logs.formats import BY_NAME, as_json

# In a scope: the view that Django has found.
VIEW = "burgee.view"
# In a WSGI environment as gunicorn's format reads it: the scope.
ACCESS_SCOPE = "burgee.access_scope"

requests = logging.getLogger("burgee.requests")


class RequestLines:
    """Writes a line about each request when it has been answered.

    Args:
        handler_of: what answers a path without Django; None: nothing.
    """

    def __init__(self, handler_of: Callable[[str], Any]) -> None:
        self._handler_of = handler_of

    def __call__(self, scope: Scope, status: int, seconds: float, size: int) -> None:
        requests.info(
            "",
            extra={
                **context.facts(scope),
                "location": self._place(scope),
                "status": status,
                "duration_in_ms": round(seconds * 1000, 3),
                "response_size_in_bytes": size,
                "remote_ip": scope["client"][0] if scope.get("client") else "",
            },
        )

    def _place(self, scope: Scope) -> str:
        view = scope.get(VIEW) or self._handler_of(scope["path"])
        return _place(view, scope["method"].lower()) if view else "core.asgi.front"


@lru_cache(maxsize=2048)
def _place(view: Any, method: str) -> str:
    """Return where a view, or a handler of the lane, answers a method: `features.views.Features.list::41`."""
    view_class = getattr(view, "cls", None) or getattr(view, "view_class", None)
    if view_class is not None:
        name = (getattr(view, "actions", None) or {}).get(method, method)
        function = getattr(view_class, name, None) or view_class.dispatch
    else:
        function = view if inspect.isroutine(view) else type(view).__call__
    function = inspect.unwrap(function)
    code = getattr(function, "__code__", None)
    place = f"{function.__module__}.{function.__qualname__}"
    return f"{place}::{code.co_firstlineno}" if code else place


class JsonAccess(logging.Formatter):
    """The access log's line as one object, under the names that Flagsmith's has.

    Args:
        extra_items: further of gunicorn's variables, as in `{origin}i`: a header of the request.
    """

    def __init__(self, extra_items: Sequence[str] = ()) -> None:
        super().__init__()
        self._extra_items = extra_items

    def format(self, record: logging.LogRecord) -> str:
        atoms: Any = record.args
        query = f"?{atoms['q']}" if atoms["q"] else ""
        said = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "path": atoms["U"] + query,
            "remote_ip": atoms["h"],
            "method": atoms["m"],
            "status": str(atoms["s"]),
            "user_agent": atoms["a"],
            "duration_in_ms": atoms["D"] / 1000,
            "response_size_in_bytes": atoms["B"] or 0,
            **{item: atoms[item] for item in self._extra_items},
        }
        scope = atoms[f"{{{ACCESS_SCOPE}}}e"]
        if isinstance(scope, dict):
            said |= {"request_id": context.request_id_of(scope), "trace_id": context.trace_id_of(scope)}
        return as_json(said)


def gunicorn_logger(format_name: str, extra_items: Sequence[str], *, counts: bool) -> type[Logger]:
    """Return the class of gunicorn's logger that writes as the log does.

    Args:
        format_name: of `formats.BY_NAME`; only `JSON` changes the access log's lines.
        extra_items: see `JsonAccess`.
        counts: whether it sends metrics to statsd.
    """

    class Formatted:
        def setup(self, cfg: Any) -> None:
            super().setup(cfg)  # type: ignore[misc]  # gunicorn's
            # The lane's errors are written there, too: they say which request they are about, and no secrets.
            _format("gunicorn.error", BY_NAME[format_name]())
            if format_name == "JSON":
                _format("gunicorn.access", JsonAccess(extra_items))

    return type("BurgeeLogger", (Formatted, Statsd if counts else Logger), {})


def _format(name: str, formatter: logging.Formatter) -> None:
    for handler in logging.getLogger(name).handlers:
        if getattr(handler, "_gunicorn", False):  # and nobody else's
            handler.setFormatter(formatter)
