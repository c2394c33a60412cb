"""What Sentry is sent, as an endpoint on this machine sees it. From another process: it changes Django."""

import gzip
import json
import subprocess
import sys

import pytest
from django.conf import settings
from django.db import DatabaseError, OperationalError, connection, transaction
from sentry_sdk.utils import event_from_exception

from app.tests.commands import MACHINE
from core.tests.receivers import answering, receiver, status
from operations.error_reports import _scrubbed, rate_of

PROGRAM = """
import asyncio, logging, os
import django
django.setup()
import sentry_sdk
from django.core.wsgi import get_wsgi_application
from django.test import RequestFactory
from core.outgoing import post
from operations.error_reports import LaneTransactions
from operations.routes import Routes
from operations.views import VersionView, RobotsView

def fail(*_, **__):
    secret = "canary-local"
    post(os.environ["HOOK"] + "?api-token=canary-7", b"{}", may_be_private=True)
    raise ValueError("kim.canary@example.org: DETAIL: Key (name)=(canary) ser.canary1 Bearer canary-2-long")

VersionView.get = fail
wsgi = get_wsgi_application()
factory = RequestFactory(headers={
    "X-Request-ID": "from-a-proxy", "Authorization": "Token canary-3", "Cookie": "sessionid=canary-4",
    "User-Agent": "curl",
})
for request in (
    factory.get("/version/?token=canary-5&feature=a", headers={"X-Force-Sentry-Trace-Key": "forced"}),
    factory.post("/api/v1/nothing/", data={"password": "canary-6"}),
    factory.get("/health/liveness/"),
):
    response = wsgi(request.environ, lambda *_: None)
    b"".join(response)
    response.close()

async def application(scope, receive, send):
    pass
reported = LaneTransactions(Routes(["/api/v1/flags/"])).around(application)
for headers in ([], [(b"x-force-sentry-trace-key", b"forced")]):
    scope = {"type": "http", "method": "GET", "path": "/api/v1/flags/", "headers": headers}
    asyncio.run(reported(scope, None, None))
sentry_sdk.flush(5)
"""


def items(sent: bytes) -> list[tuple[str, dict]]:
    """Return the types and contents of an envelope's items."""
    _, _, body = sent.partition(b"\r\n\r\n")
    lines = (gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body).splitlines()[1:]
    pairs = zip(lines[::2], lines[1::2], strict=True)
    return [(json.loads(about)["type"], json.loads(content)) for about, content in pairs]


def test_errors_and_a_share_of_requests_are_reported_without_secrets_or_people():
    closing = answering(status(200, "Connection: close"))
    with receiver(closing) as sentry, receiver(closing) as webhook:
        environment = {
            **MACHINE,
            "HOOK": webhook.url(),
            "DJANGO_SETTINGS_MODULE": "app.settings.test",
            "DATABASE_URL": "postgres://nobody@127.0.0.1:9/nowhere",
            "SENTRY_SDK_DSN": f"http://public@127.0.0.1:{sentry.port}/7",
            "SENTRY_TRACE_SAMPLE_RATE": "0",
            "FORCE_SENTRY_TRACE_KEY": "forced",
        }
        result = subprocess.run(
            [sys.executable, "-c", PROGRAM],
            cwd=settings.API_DIR,
            env=environment,
            capture_output=True,
            text=True,
        )
        assert result.returncode == 0, result.stderr
        sent = [item for request in sentry.requests for item in items(request)]

    assert all(request.startswith(b"POST /api/7/envelope/ ") for request in sentry.requests)
    (error,) = [content for kind, content in sent if kind == "event"]
    assert error["exception"]["values"][-1]["type"] == "ValueError"
    assert (error["environment"], error["tags"]["request_id"]) == ("test", "from-a-proxy")
    assert error["request"] == {
        "method": "GET",
        "url": "http://testserver/version/",
        "query_string": "token=…&feature=a",
        "headers": {"User-Agent": "curl"},
    }
    transactions = [content["transaction"] for kind, content in sent if kind == "transaction"]
    assert sorted(transactions) == ["/api/v1/nothing/", "/version/", "GET /api/v1/flags/"]
    assert "canary" not in json.dumps(sent)
    assert len(webhook.requests) == 1
    assert not {"baggage", "sentry-trace"} & webhook.headers.keys()


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("SELECT 'canary'::integer", "SQLSTATE 22P02"),
        (
            "INSERT INTO django_site (domain, name) VALUES ('canary', ''), ('canary', '')",
            "SQLSTATE 23505, django_site_domain_a2e37b91_uniq",
        ),
        ("SELECT 1", "…"),
    ],
)
def test_of_a_databases_error_only_its_kind_is_told(db, statement, told):
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)
            raise OperationalError("canary")
    except DatabaseError as error:
        event, hint = event_from_exception(error)

    sent = _scrubbed(event, hint)["exception"]["values"]

    assert {each["value"] for each in sent} == {told}


@pytest.mark.parametrize(
    ("path", "forced_by", "rate"),
    [
        ("/", "", 0.0),
        ("/health/readiness/", "", 0.0),
        ("/health/readiness/", "wrong", 0.0),
        ("/health/readiness/", "forced", 1.0),
        ("/api/v1/analytics/telemetry/", "", 0.0),
        ("/api/v1/analytics/flags/", "", 0.25),
        ("/api/v1/flags/", "", 0.25),
        ("/api/v1/identities/?identifier=a", "", 0.25),
        ("/ofrep/v1/evaluate/flags", "", 0.25),
        ("/api/v1/projects/", "", 0.5),
        ("/admin/", "", 0.5),
    ],
)
def test_the_share_is_the_one_for_the_path(settings, path, forced_by, rate):
    settings.FORCE_SENTRY_TRACE_KEY = "forced"
    settings.SENTRY_TRACE_SAMPLE_RATE = 0.25
    settings.DASHBOARD_ENDPOINTS_SENTRY_TRACE_SAMPLE_RATE = 0.5

    assert rate_of(path, forced_by) == rate
