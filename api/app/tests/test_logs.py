"""What the server as a whole writes about requests."""

import re

from app.tests.doors import Exchange, running_server
from core.logs.formats import Line


def test_each_request_has_one_line_by_either_door(transactional_db, settings, caplog):
    settings.LOG_REQUESTS = True

    with running_server() as server:
        for target in ("/api/v1/flags/", "/version?token=canary", "/nowhere"):
            server.ask(Exchange("GET", target, (("X-Request-ID", "from-a-proxy"),)))

    lines = [
        Line().format(record).split(" | ")[1:]
        for record in caplog.records
        if record.name == "burgee.requests"
    ]
    ids = "[request_id=from-a-proxy]"
    assert [[line[0], re.sub(r"::\d+$", "::N", line[1]), *line[2:]] for line in lines] == [
        ["INFO", "sdk.lane.reads.Reads.__call__::N", "GET", "/api/v1/flags/", "-", "403 Forbidden", ids],
        ["INFO", "operations.views.VersionView.get::N", "GET", "/version", "token=…", "200 OK", ids],
        ["INFO", "core.asgi.front", "GET", "/nowhere", "-", "404 Not Found", ids],
    ]
