"""The access log's lines as objects, and gunicorn's own lines in the format of the log."""

import asyncio
import json
import re
import socket

import pytest
from gunicorn.config import Config

from core.asgi.access import AccessHook
from core.asgi.responses import send_json
from core.logs import context
from core.logs.access import gunicorn_logger

REFERER = "https://flags.example/password-reset/confirm/…?code=…&a=b"


async def application(scope, receive, send):
    await send_json(send, 201, {"made": True})


def asked(logger, **scope) -> None:
    async def nothing():
        return {"type": "http.request"}

    async def forget(message):
        pass

    given = {
        "type": "http",
        "method": "POST",
        "path": "/api/v1/flags/",
        "raw_path": b"/api/v1/flags/",
        "query_string": b"feature=a&token=canary",
        "http_version": "1.1",
        "client": ("10.1.2.3", 4711),
        "headers": [
            (b"user-agent", b"curl"),
            (b"origin", b'https://"quoted".example'),
            (b"authorization", b"Token canary"),
            (b"referer", b"https://flags.example/password-reset/confirm/MQ/canary/?code=canary&a=b"),
            (b"x-request-id", b"from-a-proxy"),
        ],
        **scope,
    }
    asyncio.run(AccessHook(application, logger.access)(given, nothing, forget))


@pytest.mark.parametrize("counts", [False, True])
def test_lines_are_objects_with_the_names_that_flagsmiths_has(tmp_path, counts):
    config = Config()
    config.set("accesslog", str(tmp_path / "lines"))
    config.set("errorlog", str(tmp_path / "errors"))
    items = ["{origin}i", "{authorization}i", "{referer}i"]
    logger = gunicorn_logger("JSON", items, counts=counts)(config)

    asked(logger)
    logger.error("It %s.", "broke")
    logger.close_on_exec()

    said = json.loads((tmp_path / "lines").read_text())
    assert said.pop("time").endswith("+00:00")
    assert 0 <= said.pop("duration_in_ms") < 1000
    assert said == {
        "path": "/api/v1/flags/?feature=a&token=…",
        "remote_ip": "10.1.2.3",
        "method": "POST",
        "status": "201",
        "user_agent": "curl",
        "response_size_in_bytes": 14,
        "{origin}i": 'https://\\"quoted\\".example',
        "{authorization}i": "-",
        "{referer}i": REFERER,
        "request_id": "from-a-proxy",
        "trace_id": "",
    }
    error = json.loads((tmp_path / "errors").read_text())
    assert (error["logger_name"], error["message"]) == ("gunicorn.error", "It broke.")


def test_metrics_go_to_statsd_in_whichever_format_lines_are(tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as statsd:
        statsd.bind(("127.0.0.1", 0))
        statsd.settimeout(20)
        config = Config()
        config.set("errorlog", str(tmp_path / "errors"))
        config.set("statsd_host", f"127.0.0.1:{statsd.getsockname()[1]}")
        config.set("statsd_prefix", "flagsmith.api")

        asked(gunicorn_logger("JSON", [], counts=True)(config))

        received = [statsd.recv(1000).decode() for _ in range(3)]
    assert re.fullmatch(r"flagsmith\.api\.gunicorn\.request\.duration:[\d.]+\|ms", received[0])
    assert received[1:] == [
        "flagsmith.api.gunicorn.requests:1|c|@1.0",
        "flagsmith.api.gunicorn.request.status.201:1|c|@1.0",
    ]


def test_without_a_format_of_ours_access_lines_are_gunicorns_and_errors_are_told_as_any(tmp_path):
    config = Config()
    config.set("errorlog", str(tmp_path / "errors"))
    config.set("accesslog", str(tmp_path / "lines"))
    config.set("access_log_format", "%(m)s %(U)s %(q)s %(s)s %(f)s")

    logger = gunicorn_logger("GENERIC", [], counts=False)(config)
    asked_for = {"REQUEST_METHOD": "GET", "PATH_INFO": "/sse/", "HTTP_X_REQUEST_ID": "from-a-proxy"}
    token = context.current.set(context.scope_of_environ(asked_for))
    try:
        logger.error("It %s ser.canary.", "broke")
    finally:
        context.current.reset(token)
    asked(logger)

    assert (tmp_path / "lines").read_text() == f"POST /api/v1/flags/ feature=a&token=… 201 {REFERER}\n"
    error = (tmp_path / "errors").read_text()
    assert error.endswith(" ERROR gunicorn.error: It broke ser.…. (GET /sse/, request from-a-proxy)\n")
