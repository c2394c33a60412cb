"""Sentry: what went wrong, and a share of requests as they went. Nothing here is imported without a DSN.

What is sent is about the code, not about people or what they sent: no bodies, no local variables, no cookies,
and of headers only those that are the same for everybody. Keys, credentials and addresses are masked in
whatever else a message may have in it.
"""

import re
from collections.abc import Mapping
from random import random
from typing import Any

import psycopg2
import sentry_sdk
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils.crypto import constant_time_compare
from sentry_sdk.integrations.argv import ArgvIntegration
from sentry_sdk.integrations.django import DjangoIntegration
from sentry_sdk.integrations.logging import LoggingIntegration, ignore_logger
from sentry_sdk.integrations.stdlib import StdlibIntegration
from sentry_sdk.utils import BadDsn, Dsn, walk_exception_chain

from core.asgi.types import Application, Receive, Scope, Send
from core.logs import context
from core.masking import masked_query, masked_url, without_secrets
from core.version import VERSION
from operations.routes import Routes

_UNTRACED = re.compile(
    r"/?$|/health|/metrics|/version|/robots\.txt|/static/|/favicon\.ico|/api/v1/analytics/telemetry"
)
_OF_SDKS = re.compile(
    r"/api/v1/(flags|identities|bulk-identities|traits|environment-document|analytics|sse|ofrep)\b|/ofrep/|/sse/"
)
_FORCE = "x-force-sentry-trace-key"
_SENT_HEADERS = frozenset({"accept", "content-type", "content-length", "host", "user-agent"})
_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
# Of what PostgreSQL says the lines that have the values in them.
_VALUES = re.compile(r"\b(DETAIL|CONTEXT|LINE \d+):.*", re.DOTALL)


def start() -> None:
    """Report from now on what is logged as an error or raised and not caught, to `SENTRY_SDK_DSN`.

    Raises:
        ImproperlyConfigured: that is no address of a project. The message doesn't repeat it.
    """
    try:
        Dsn(settings.SENTRY_SDK_DSN)
    except BadDsn as error:
        raise ImproperlyConfigured("SENTRY_SDK_DSN is not a valid DSN.") from error
    sentry_sdk.init(
        dsn=settings.SENTRY_SDK_DSN,
        environment=settings.ENV,
        release=VERSION,
        traces_sampler=sample_rate,
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        auto_enabling_integrations=False,
        # They tell of what is called, with tenants' addresses and keys, and of a command's arguments; and
        # whoever is called would be told of the trace.
        disabled_integrations=[StdlibIntegration(), ArgvIntegration()],
        trace_propagation_targets=[],
        integrations=[
            DjangoIntegration(middleware_spans=False, signals_spans=False, cache_spans=False),
            LoggingIntegration(level=None),
        ],
        before_send=_scrubbed,
        before_send_transaction=_scrubbed,
    )
    # Django has told already, with the exception.
    ignore_logger("django.security.DisallowedHost")


def sample_rate(sampling: Mapping[str, Any]) -> float:
    """Return how likely a request is to be sent as it went; jobs and commands aren't."""
    environ = sampling.get("wsgi_environ")
    if environ is None:
        scope = sampling.get("asgi_scope")
        return rate_of(scope["path"], _header(scope)) if scope else 0.0
    return rate_of(environ.get("PATH_INFO", ""), environ.get("HTTP_X_FORCE_SENTRY_TRACE_KEY", ""))


def rate_of(path: str, forced_by: str) -> float:
    key = settings.FORCE_SENTRY_TRACE_KEY
    if key and forced_by and constant_time_compare(forced_by, key):
        return 1.0
    if _UNTRACED.match(path):
        return 0.0
    if _OF_SDKS.match(path):
        return settings.SENTRY_TRACE_SAMPLE_RATE
    return settings.DASHBOARD_ENDPOINTS_SENTRY_TRACE_SAMPLE_RATE


class LaneTransactions:
    """The lane's requests; Django's tell of themselves.

    Args:
        routes: names the route of a request.
    """

    def __init__(self, routes: Routes) -> None:
        self._routes = routes

    def around(self, application: Application) -> Application:
        async def reported(scope: Scope, receive: Receive, send: Send) -> None:
            if scope["type"] != "http" or not self._is_chosen(scope):
                await application(scope, receive, send)
                return
            with (
                sentry_sdk.isolation_scope(),
                sentry_sdk.start_transaction(
                    op="http.server",
                    name=f"{scope['method']} {self._routes(scope)}",
                    source="route",
                    sampled=True,
                ),
            ):
                await application(scope, receive, send)

        return reported

    def _is_chosen(self, scope: Scope) -> bool:
        # Before anything of the library is asked: most requests aren't.
        return self._routes.is_of_lane(scope) and random() < rate_of(scope["path"], _header(scope))  # noqa: S311


def _header(scope: Scope) -> str:
    wanted = _FORCE.encode()
    return next((value.decode("latin-1") for name, value in scope["headers"] if name == wanted), "")


def _scrubbed(event: Any, hint: Any) -> Any:
    """Return an event without what is nobody's business but this installation's."""
    request = event.get("request")
    if request:
        kept = {
            name: value for name, value in request.get("headers", {}).items() if name.lower() in _SENT_HEADERS
        }
        event["request"] = {
            "method": request.get("method", ""),
            "url": masked_url(request.get("url", "")),
            "query_string": masked_query(str(request.get("query_string", ""))),
            "headers": kept,
        }
    said = _said_of_database_errors(hint)
    for exception in event.get("exception", {}).get("values", ()):
        if str(exception.get("module")).startswith(("psycopg2", "django.db.utils")):
            exception["value"] = said.get(exception.get("value"), "…")
    event.pop("user", None)
    scope = context.current.get()
    if scope is not None:
        event["tags"] = {**(event.get("tags") or {}), "request_id": context.request_id_of(scope)}
    return _masked(event)


def _said_of_database_errors(hint: Any) -> dict[str, str]:
    """Return what is told of each, by its words: the first of them may quote a value, too."""
    said = {}
    for _, error, _ in walk_exception_chain(hint.get("exc_info") or (None, None, None)):
        if isinstance(error, psycopg2.Error) and error.pgcode:
            constraint = error.diag.constraint_name
            said[str(error)] = f"SQLSTATE {error.pgcode}" + (f", {constraint}" if constraint else "")
    return said


def _masked(value: Any) -> Any:
    if isinstance(value, str):
        return _VALUES.sub(r"\1: …", _ADDRESS.sub("…", without_secrets(value)))
    if isinstance(value, dict):
        return {name: _masked(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(each) for each in value]
    return value
