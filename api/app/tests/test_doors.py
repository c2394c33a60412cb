"""What SDKs ask is answered alike, with and without the server before it: status, headers, bytes."""

import json
import subprocess
import sys

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from django.test import override_settings

from app import asgi
from app.tests.doors import Exchange, ask_directly, ask_server, comparable, end_connections
from app.tests.world import build_world
from core.tests.asgi.servers import served
from core.tests.asgi.wire import connected, request
from identities.models import Identity

JSON = ("Content-Type", "application/json")
API = "/api/v1"


def as_json(method: str, path: str, key: tuple[str, str], content, **options) -> Exchange:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Exchange(method, f"{API}/{path}", (key, JSON), body, **options)


def exchanges(client_key: str, server_key: str, feature: str) -> list[Exchange]:
    """Return what SDKs ask, good and bad, and nothing whose answer is drawn by lot."""
    client, server = ("X-Environment-Key", client_key), ("X-Environment-Key", server_key)
    traits = {"identifier": "kim", "traits": [{"trait_key": "plan", "trait_value": "pro"}]}
    kim = json.dumps({"identifier": "kim"}).encode()

    def get(target: str, *headers: tuple[str, str]) -> Exchange:
        return Exchange("GET", f"{API}/{target}", headers or (client,))

    return [
        get("flags/"),
        get("flags"),
        get("flags/", server),
        get(f"flags/?feature={feature}"),
        get("flags/?feature=unknown"),
        get("flags/?feature=%FF%00%F0%9F%A6%84"),
        get("flags/?" + "feature=%C3%A9&" * 200),
        get("flags/", ("Accept", "text/html")),
        get("flags/", ("X-Environment-Key", "unknown")),
        get("flags/", ("X-Environment-Key", "")),
        get("flags/", ("X-Environment-Key", "\xe9\xff")),
        get("flags/", ("X-Environment-Key", "k" * 5000)),
        get("flags/", client, ("Accept", "text/html")),
        get("flags/?format=xml"),
        get("flags/", client, ("Authorization", "Token nonsense")),
        get("flags/", client, ("Accept-Encoding", "gzip")),
        get("flags/", client, ("Origin", "https://shop.example.org")),
        get("flags/", client, ("Origin", "null")),
        get("flags/", client, ("Cookie", "theme=dark; size=2")),
        get("flags/", client, ("If-None-Match", '"1"')),
        get("flags/", client, ("X-Forwarded-Host", "flags.example.org"), ("X-Forwarded-Proto", "https")),
        get("environment-document/", server),
        get("environment-document/", client),
        get("environment-document/", server, ("If-Modified-Since", "Thu, 01 Jan 2099 00:00:00 GMT")),
        get("identities/?identifier=kim"),
        get("identities/?identifier=kim&transient=true", server),
        get("identities/?identifier="),
        get("identities/"),
        get("identities/?identifier=caf%C3%A9%20%E2%82%AC"),
        get("identities/?identifier=" + "x" * 2100),
        get("identities/kim/"),
        get("flags/kim"),
        get("nothing/here/"),
        get("caf%C3%A9/%FF/"),
        as_json("POST", "identities/", client, traits),
        as_json("POST", "identities/", server, traits, in_chunks=True),
        as_json("POST", "identities", server, {**traits, "transient": True}),
        as_json("POST", "identities/", client, {"identifier": "kim", "traits": "none"}),
        as_json("POST", "identities/", client, b'{"identifier": "kim"'),
        as_json("POST", "identities/", client, b'{"identifier": "\\ud800\\u0000"}'),
        as_json("POST", "identities/", client, b'{"identifier": NaN}'),
        as_json("POST", "identities/", client, b"[" * 10_000),
        as_json("POST", "identities/", client, b"\xff\xfe"),
        Exchange("POST", f"{API}/identities/", (client,), kim),
        Exchange("POST", f"{API}/identities/", (client, ("Content-Type", "text/plain")), kim),
        as_json(
            "POST", "traits/", client, {"identity": {"identifier": "kim"}, "trait_key": "a", "trait_value": 1}
        ),
        as_json("PUT", "traits/bulk/", client, [{"identity": {"identifier": "kim"}, "trait_key": "a"}]),
        as_json("POST", "bulk-identities/", server, [traits, {"identifier": "ada"}]),
        as_json("PUT", "flags/", client, {}),
        as_json("DELETE", "flags/", client, b""),
        *(
            Exchange(method, f"{API}/{path}", headers)
            for path in ("flags/", "identities/?identifier=kim", "environment-document/", "nothing/")
            for method, headers in [
                ("HEAD", (client,)),
                ("HEAD", (server,)),
                ("OPTIONS", (client,)),
                (
                    "OPTIONS",
                    (
                        ("Origin", "https://shop.example.org"),
                        ("Access-Control-Request-Method", "GET"),
                        ("Access-Control-Request-Headers", "x-environment-key"),
                    ),
                ),
            ]
        ),
    ]


@pytest.mark.parametrize(
    "variant",
    [
        {},
        {"ALLOWED_HOSTS": ["flags.example.org"]},
        {"ALLOWED_HOSTS": ["flags.example.org"], "USE_X_FORWARDED_HOST": True},
        {"SECURE_SSL_REDIRECT": True, "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https")},
        {"CORS_ALLOW_ALL_ORIGINS": False, "CORS_ALLOWED_ORIGINS": ["https://shop.example.org"]},
        {"CORS_ALLOW_CREDENTIALS": True},
    ],
    ids=lambda variant: " ".join(variant) or "as shipped",
)
def test_the_server_answers_as_django_does(transactional_db, variant):
    world = build_world("acme")
    differences = []

    with override_settings(**variant, GUNICORN_THREADS=1):
        django = WSGIHandler()
        front = asgi.build(django)
        with served(front) as address:
            for exchange in exchanges(world.environment.api_key, world.server_key.key, world.feature.name):
                answers = []
                for ask in (lambda each: ask_directly(django, each), lambda each: ask_server(address, each)):
                    # Both find the same identities.
                    Identity.objects.exclude(pk=world.identity.pk).delete()
                    answers.append(comparable(ask(exchange)))
                if answers[0] != answers[1]:
                    differences.append((str(exchange), *answers))
            end_connections(front)

    assert not differences, "\n".join(map(str, differences))


def test_a_key_in_a_header_that_wsgi_would_fold_is_no_key(transactional_db):
    world = build_world("acme")
    front = asgi.build(WSGIHandler())

    with served(front) as address, connected(address) as connection:
        answer = connection.ask(
            request(target=f"{API}/flags/", headers=[("X_Environment_Key", world.environment.api_key)])
        )
        end_connections(front)

    assert answer.status == 403


def test_threads_keep_their_database_connection(transactional_db):
    world = build_world("acme")
    backends = set()

    def noting_backend(environ, start_response):
        response = WSGIHandler()(environ, start_response)
        if connections["default"].connection:
            backends.add(connections["default"].connection.get_backend_pid())
        return response

    with override_settings(GUNICORN_THREADS=1):
        connections["default"].settings_dict["CONN_MAX_AGE"] = 60
        front = asgi.build(noting_backend)
        with served(front) as address, connected(address) as connection:
            for _ in range(5):
                answer = connection.ask(
                    request(
                        target=f"{API}/identities/?identifier=kim",  # not answered from memory
                        headers=[("X-Environment-Key", world.environment.api_key)],
                    )
                )
                assert answer.status == 200
            end_connections(front)

    assert len(backends) == 1


def test_nothing_is_open_before_the_workers_are_forked():
    """Threads and connections don't survive a fork."""
    loads = (
        "import app.asgi, threading; from django.db import connections; from app.settings import test;"
        "print([each.alias for each in connections.all(initialized_only=True) if each.connection],"
        " threading.active_count())"
    )

    result = subprocess.run(
        [sys.executable, "-c", loads], cwd=settings.API_DIR, capture_output=True, text=True
    )

    assert result.stdout == "[] 1\n", result.stderr
