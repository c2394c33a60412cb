"""What SDKs ask is answered alike, with and without the server before it: status, headers, bytes."""

import gzip
import json
import subprocess
import sys
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler
from django.db import connections
from django.test import override_settings
from django.utils import timezone

from app.tests import ofrep
from app.tests.doors import Exchange, ask_django, comparable, running_server
from app.tests.world import World, build_world
from environments.models import Environment, EnvironmentRevision
from features.models import Feature, FeatureState
from identities.models import Identity
from sdk import batching, live

# Without coverage, which takes twice the time: what is walked through here has tests of its own.
pytestmark = pytest.mark.no_cover

JSON = ("Content-Type", "application/json")
API = "/api/v1"
ORIGIN = ("Origin", "https://shop.example.org")
PREFLIGHT = (
    ("Access-Control-Request-Method", "GET"),
    ("Access-Control-Request-Headers", "x-environment-key, if-none-match"),
)
GZIP = ("Accept-Encoding", "gzip")
LONG_AGO = "Thu, 01 Jan 2015 00:00:00 GMT"
FAR_FUTURE = "Thu, 01 Jan 2099 00:00:00 GMT"
NO_REPORTS: list[Any] = [[], "text", b"", b"{", b"[" * 10_000, b"\xff", b'{"a": NaN}', b'{"a": 1e999}']


def get(path: str, *headers: tuple[str, str]) -> Exchange:
    return Exchange("GET", f"{API}/{path}", headers)


def as_json(method: str, path: str, key: tuple[str, str], content, **options) -> Exchange:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return Exchange(method, f"{API}/{path}", (key, JSON), body, **options)


def exchanges(client_key: str, server_key: str, feature: str) -> list[Exchange]:
    """Return what SDKs ask, good and bad, and nothing whose answer is drawn by lot."""
    client, server = ("X-Environment-Key", client_key), ("X-Environment-Key", server_key)
    traits = {"identifier": "kim", "traits": [{"trait_key": "plan", "trait_value": "pro"}]}
    kim = json.dumps({"identifier": "kim"}).encode()
    increment = {"identifier": "kim", "trait_key": "visits", "increment_by": 2}

    return [
        *ofrep.in_lane(client_key, server_key, feature),
        *ofrep.for_django(client_key, feature),
        get("flags/", client),
        get("flags", client),
        get("%66lags/", client),
        get("flags//", client),
        get("flags/", server),
        get(f"flags/?feature={feature}", client),
        get(f"flags/?feature={feature.upper()}&x=1", server),
        get("flags/?feature=na%C3%AFve%20%E2%9C%93", client),
        get("flags/?feature=secret", client),
        get("flags/?feature=secret", server),
        get("flags/?feature=", client),
        get("flags/?feature=unknown", client),
        get("flags/?feature=%FF%00%F0%9F%A6%84", client),
        get("flags/?" + "feature=%C3%A9&" * 200, client),
        get("flags/?" + "a&" * 1500, client),
        get("flags/", ("Accept", "text/html")),
        get("flags/", client, ("Accept", "text/html")),
        get("flags/?format=xml", client),
        get("flags/", client, ("Authorization", "Token nonsense")),
        *(
            get("flags/", client, ("Accept-Encoding", encodings))
            for encodings in ["gzip", "br, gzip", "gzip;q=0, *"]
        ),
        get(f"flags/?feature={feature}", client, GZIP),
        get("flags/", client, GZIP, ("If-None-Match", "*")),
        get("flags/", client, ORIGIN),
        get("flags/", client, ("Origin", "null")),
        *(get("flags/", client, ("Cookie", cookie)) for cookie in ["theme=dark; size=2", "sessionid=x"]),
        get("flags/", client, ("Content-Length", "0")),
        *(get("flags/", client, ("If-None-Match", tags)) for tags in ['"1"', "*", "\xff ,,"]),
        *(get("flags/", client, ("X-Burgee-Min-Revision", number)) for number in ["1", "-1", "9" * 5000]),
        get("flags/", client, ("X-Forwarded-Host", "flags.example.org"), ("X-Forwarded-Proto", "https")),
        get("flags/", client, ("Host", "a b")),
        get("environment-document/", server),
        get("environment-document", server),
        get("environment-document/?page_id=2", server),
        get("environment-document/", client),
        get("environment-document/", server, ORIGIN),
        get("environment-document/", server, GZIP),
        *(
            get("environment-document/", server, ("If-Modified-Since", date))
            for date in [LONG_AGO, FAR_FUTURE, "\xff"]
        ),
        get("environment-document/", server, ("If-None-Match", "*")),
        get("environment-document/", server, ("If-Modified-Since", FAR_FUTURE), ("If-None-Match", '"x"')),
        get("identities/?identifier=kim", client),
        get("identities/?identifier=kim&transient=true", server),
        get("identities/?identifier=", client),
        get("identities/", client),
        get("identities/?identifier=caf%C3%A9%20%E2%82%AC", client),
        get("identities/?identifier=" + "x" * 2100, client),
        get("identities?identifier=%20kim%20&feature=secret", client),
        get("identities/?identifier=kim&feature=secret", server),
        get(f"identities/?identifier=kim&feature={feature.upper()}", server),
        get("identities/?identifier=nobody&transient=TRUE", client, ORIGIN),
        get("identities/?identifier=a%00b", client),
        get("identities/?identifier=%FF", client),
        *(get("identities/?identifier=kim", client, ("X-Burgee-Min-Revision", n)) for n in ["1", "x"]),
        get("identities/?identifier=kim", client, JSON, GZIP),
        get("identities/kim/", client),
        get("flags/kim", client),
        get("nothing/here/", client),
        get("caf%C3%A9/%FF/", client),
        as_json("POST", "identities/", client, traits),
        as_json("POST", "identities/", server, traits, in_chunks=True),
        as_json("POST", "identities", server, {**traits, "transient": True}),
        as_json("POST", "identities/", client, {"identifier": "kim", "traits": "none"}),
        as_json("POST", "identities/", client, b'{"identifier": "kim"'),
        as_json("POST", "identities/", client, b'{"identifier": "\\ud800\\u0000"}'),
        as_json("POST", "identities/", client, b'{"identifier": NaN}'),
        as_json("POST", "identities/", client, b"[" * 10_000),
        as_json("POST", "identities/", client, b"\xff\xfe"),
        *(as_json("POST", "identities/", client, given) for given in identities()),
        *(
            as_json("POST", "bulk-identities/", client, {"data": given})
            for given in [
                [],
                [{"identifier": "kim"}, {"identifier": "kim", "transient": True}],
                [{"identifier": "two", "traits": traits_of(n=n)} for n in (1, 2)],
                [{"identifier": "kim"}, {"identifier": True}],
                [{"identifier": "kim"}] * 101,
            ]
        ),
        *(
            Exchange("POST", f"{API}/identities/", (client, ("Content-Type", content_type)), kim)
            for content_type in ["application/json; charset=utf-8", "APPLICATION/JSON", ""]
        ),
        Exchange("POST", f"{API}/identities/", (client,), kim),
        Exchange("POST", f"{API}/identities/", (client, ("Content-Type", "text/plain")), kim),
        as_json(
            "POST", "traits/", client, {"identity": {"identifier": "kim"}, "trait_key": "a", "trait_value": 1}
        ),
        as_json("PUT", "traits/bulk/", client, [{"identity": {"identifier": "kim"}, "trait_key": "a"}]),
        *(as_json("POST", "traits/", key, trait("é✓\u2028", 1.0)) for key in (client, server)),
        as_json("POST", "traits", client, trait("list", [1, {}])),
        as_json("POST", "traits/", client, trait("gone", None)),
        as_json("POST", "traits/", client, trait("long", "x" * 2001)),
        as_json("PUT", "traits/bulk/", client, [trait("plan", "pro"), trait("gone", None)]),
        as_json("PUT", "traits/bulk", server, []),
        as_json("PUT", "traits/bulk/", client, trait("plan", "pro")),
        get("traits/", client),
        Exchange("OPTIONS", f"{API}/traits/", (ORIGIN, *PREFLIGHT)),
        as_json("POST", "traits/increment-value/", client, increment),
        as_json("POST", "bulk-identities/", server, [traits, {"identifier": "ada"}]),
        as_json("POST", "analytics/flags/", client, {feature: 12, "unknown": 1}),
        as_json("POST", "analytics/flags", server, {feature.upper(): 1, "half \ud800": 1}, in_chunks=True),
        as_json("POST", "analytics/flags/", client, {}),
        as_json("POST", "analytics/flags/", client, {feature: "12", "é": None}),
        *(as_json("POST", "analytics/flags/", client, body) for body in NO_REPORTS),
        as_json("POST", "analytics/flags/", client, {f"{number}": 1 for number in range(10_000)}),
        as_json("POST", "analytics/flags/", ("X-Environment-Key", "unknown"), b"{"),
        as_json("POST", "analytics/flags/", ("X-Environment-Key", ""), {}),
        Exchange("POST", f"{API}/analytics/flags/", (client,), b"{}"),
        Exchange("POST", f"{API}/analytics/flags/", (client, ("Content-Type", "text/plain")), b"{}"),
        Exchange("POST", f"{API}/analytics/flags/", (client, ("Content-Type", JSON[1] + "; a=b")), b"{}"),
        Exchange("POST", f"{API}/analytics/flags/", (client, JSON, ORIGIN, GZIP), b"{}"),
        Exchange("POST", f"{API}/analytics/flags/", (client, JSON, ("X-Burgee-Min-Revision", "x")), b"{}"),
        get("analytics/flags/", client),
        as_json("PUT", "flags/", client, {}),
        as_json("DELETE", "flags/", client, b""),
        as_json("GET", "flags/", client, {}),
        as_json("POST", "environment-document/", server, {}),
        *(
            Exchange(method, f"{API}/{path}", headers)
            for path in (
                "flags/",
                "identities/?identifier=kim",
                "environment-document/",
                "analytics/flags/",
                "nothing/",
            )
            for method, headers in [
                ("HEAD", (client,)),
                ("HEAD", (server,)),
                ("HEAD", (server, GZIP)),
                ("OPTIONS", (client,)),
                ("OPTIONS", (ORIGIN, *PREFLIGHT)),
                ("OPTIONS", (ORIGIN, *PREFLIGHT[:1])),
                ("OPTIONS", (("Origin", "null"), *PREFLIGHT)),
                ("OPTIONS", (("Origin", f"https://{'x' * 5000}"), *PREFLIGHT)),
            ]
        ),
    ]


def traits_of(**values) -> list[dict[str, object]]:
    return [{"trait_key": key, "trait_value": value} for key, value in values.items()]


def trait(key: str, value: object) -> dict[str, object]:
    return {"identity": {"identifier": "kim"}, "trait_key": key, "trait_value": value}


def identities() -> list[dict[str, object]]:
    """Return what may be posted about an identity, and what may not."""
    return [
        {"identifier": "kim"},
        {"identifier": "kim", "traits": traits_of(plan="pro", age=30, score=1.0, beta=True)},
        {"identifier": "kim", "traits": traits_of(plan=None, big=10**30, huge=1e300, list=[1, {}])},
        {"identifier": "zoë", "traits": traits_of(plan="é✓\u2028")},
        {"identifier": "kim", "traits": [{**traits_of(age=31)[0], "transient": True}]},
        {"identifier": "kim", "transient": True, "traits": traits_of(plan="pro")},
        {"identifier": 17, "traits": None, "transient": None, "more": 1},
        {"identifier": None, "traits": traits_of(plan="pro", beta=True)},
        {"traits": traits_of(plan="pro", nothing=None)},
        {"identifier": True},
        {"identifier": "kim", "traits": traits_of(plan="x" * 2001)},
        {"identifier": "kim", "traits": traits_of(**{"": 1})},
    ]


def with_keys(keys: Iterable[str]) -> list[Exchange]:
    """Return what is asked with each of these keys."""
    return [
        Exchange(method, f"{API}/{path}", (("X-Environment-Key", key), ORIGIN))
        for key in keys
        for method, path in [
            ("GET", "flags/"),
            ("GET", "flags/?feature=secret"),
            ("GET", "identities/?identifier=kim"),
            ("GET", "identities/?identifier=kim&transient=1"),
            ("GET", "environment-document/"),
            ("HEAD", "flags/"),
            ("OPTIONS", "flags/"),
        ]
    ]


@pytest.fixture
def world(transactional_db, monkeypatch) -> World:
    # However slow this machine is, no door answers without the database.
    monkeypatch.setattr(batching, "PATIENCE_SECONDS", 60.0)
    monkeypatch.setattr(live, "DEGRADED_AFTER_SECONDS", 60.0)
    world = build_world("acme")
    for name, fields in {"naïve ✓": {}, "secret": {"is_server_key_only": True}}.items():
        Feature.objects.create(project=world.project, name=name, initial_value="yes", **fields)
    return world


def differences(world: World, exchanges: list[Exchange]) -> list[str]:
    """Return what Django without a feed, Django beside the server and the server don't answer alike."""

    def answer(ask, exchange: Exchange):
        # All find the same identities.
        Identity.objects.exclude(pk=world.identity.pk).delete()
        Identity.objects.filter(pk=world.identity.pk).update(traits=world.identity.traits)
        return comparable(ask(exchange))

    Identity.objects.exclude(pk=world.identity.pk).delete()  # with overrides, which raises the revision
    # Within two seconds of a change no date is believed, and doors are asked one after the other.
    EnvironmentRevision.objects.update(
        updated_at=timezone.now() - timedelta(hours=1), previous_updated_at=None
    )
    alone = [answer(ask_django, exchange) for exchange in exchanges]
    with running_server() as server:
        both = [(answer(ask_django, each), answer(server.ask, each)) for each in exchanges]
    return [
        f"{exchange}\n  {first}\n  {beside}\n  {served}"
        for exchange, first, (beside, served) in zip(exchanges, alone, both, strict=True)
        if not first == beside == served
    ]


def assert_alike(world: World, exchanges: list[Exchange]) -> None:
    found = differences(world, exchanges)
    assert not found, "\n".join(found)


GZIPPED = {
    "ENABLE_GZIP_COMPRESSION": True,
    "MIDDLEWARE": [
        settings.MIDDLEWARE[0],
        "django.middleware.gzip.GZipMiddleware",
        *settings.MIDDLEWARE[1:],
    ],
}


@pytest.mark.parametrize(
    "variant",
    [
        {},
        {"ALLOWED_HOSTS": ["flags.example.org"]},
        {"ALLOWED_HOSTS": ["localhost"]},
        {"ALLOWED_HOSTS": ["flags.example.org"], "USE_X_FORWARDED_HOST": True},
        {"SECURE_SSL_REDIRECT": True},
        {
            "SECURE_SSL_REDIRECT": True,
            "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"),
            "SECURE_HSTS_SECONDS": 60,
        },
        {"CORS_ALLOW_ALL_ORIGINS": False, "CORS_ALLOWED_ORIGINS": ["https://shop.example.org"]},
        {"CORS_ALLOW_ALL_ORIGINS": False, "CORS_ALLOWED_ORIGINS": ["https://other.example.org"]},
        {"CORS_ALLOW_CREDENTIALS": True},
        GZIPPED,
        {"FLAGS_MAX_AGE_SECONDS": 30},
        {"OFREP_REQUIRE_TARGETING_KEY": True, "OFREP_NATIVE_JSON": True},
    ],
    ids=lambda variant: " ".join(variant) or "as shipped",
)
def test_the_server_answers_as_django_does(world, variant):
    with override_settings(**variant):
        assert_alike(world, exchanges(world.environment.api_key, world.server_key.key, world.feature.name))


def test_keys_of_every_kind_are_answered_alike(world):
    keys = world.environment.server_side_keys
    switched_off = keys.create(name="switched off", active=False).key
    deleted = Environment.objects.create(project=world.project, name="Deleted")
    deleted.delete()

    assert_alike(
        world,
        with_keys([switched_off, deleted.api_key, "unknown", "ser.unknown", "", "\xe9\xff", "k" * 5000]),
    )


def test_an_environment_that_hides_everything_is_answered_alike(world):
    Environment.objects.update(hide_sensitive_data=True, hide_disabled_flags=True)

    assert_alike(world, with_keys([world.environment.api_key, world.server_key.key]))


def test_traits_that_may_not_be_set_are_refused_alike(world):
    asked = [
        as_json(method, path, ("X-Environment-Key", key), content)
        for key in (world.environment.api_key, world.server_key.key)
        for method, path, content in [
            ("POST", "traits/", trait("plan", "pro")),
            ("PUT", "traits/bulk/", [trait("plan", "pro")]),
            ("POST", "identities/", {"identifier": "kim", "traits": traits_of(plan="pro")}),
            ("POST", "identities/", {"identifier": "kim", "traits": traits_of(plan=None)}),
        ]
    ]
    Environment.objects.update(allow_client_traits=False)
    assert_alike(world, asked)

    type(world.organisation).objects.update(persist_trait_data=False)
    assert_alike(world, asked)


def test_an_organisation_that_has_stopped_serving_is_refused_alike(world):
    type(world.organisation).objects.update(stop_serving_flags=True)
    asked = with_keys([world.environment.api_key, world.server_key.key])

    assert_alike(world, asked)
    assert ask_django(asked[0]).status == 403


def test_the_lane_leaves_to_django_only_what_is_out_of_the_ordinary(world):
    """Add what the lane learns to answer by itself."""
    client = ("X-Environment-Key", world.environment.api_key)
    server_side = ("X-Environment-Key", world.server_key.key)
    in_lane = [
        get("flags/", client),
        get("flags", client),
        get("%66lags/", client),
        get("flags/", server_side),
        get("flags/?feature=secret", client),
        get(f"flags/?feature={world.feature.name}&x=1", client),
        get("flags/", client, ("Accept", "text/html"), ("Authorization", "Token x")),
        get("flags/", client, ORIGIN),
        get("flags/", client, ("If-None-Match", '"other"')),
        get("flags/", client, ("X-Burgee-Min-Revision", "1")),
        get("flags/", ("X-Environment-Key", "unknown")),
        get("environment-document/", server_side),
        get("environment-document/", server_side, ("If-Modified-Since", FAR_FUTURE)),
        get("environment-document/", client),
        get("flags/", client, GZIP),
        get("flags/", client, ("Cookie", "theme=dark")),
        get("flags/", client, ("Content-Length", "0")),
        Exchange("HEAD", f"{API}/flags/", (client,)),
        Exchange("HEAD", f"{API}/environment-document/", (server_side,)),
        Exchange("OPTIONS", f"{API}/flags/", (ORIGIN, *PREFLIGHT)),
        Exchange("OPTIONS", f"{API}/environment-document/", (ORIGIN, *PREFLIGHT)),
        get("identities/?identifier=kim", client),
        get("identities?identifier=kim&transient=true", server_side),
        get("identities/?identifier=kim&feature=unknown", client, GZIP),
        get("identities/?identifier=kim", client, JSON, ("X-Burgee-Min-Revision", "1")),
        get("identities/?identifier=kim", ("X-Environment-Key", "unknown")),
        *(as_json("POST", "identities/", client, given) for given in identities()[:9]),
        as_json("POST", "identities/", client, {"identifier": "kim"}, in_chunks=True),
        as_json("POST", "bulk-identities/", client, {"data": identities()[:9]}),
        as_json("POST", "traits/", client, trait("plan", "pro")),
        as_json("PUT", "traits/bulk/", server_side, [trait("plan", "pro"), trait("gone", None)]),
        Exchange("OPTIONS", f"{API}/identities/", (ORIGIN, *PREFLIGHT)),
        as_json("POST", "analytics/flags/", client, {world.feature.name: 12}),
        as_json("POST", "analytics/flags", server_side, {world.feature.name: 12}, in_chunks=True),
        as_json("POST", "analytics/flags/", ("X-Environment-Key", "unknown"), {}),
        Exchange("OPTIONS", f"{API}/analytics/flags/", (ORIGIN, *PREFLIGHT)),
        *ofrep.in_lane(world.environment.api_key, world.server_key.key, world.feature.name),
    ]
    left_to_django = []

    with running_server() as server:
        for exchange in in_lane:
            server.reached_django = 0
            server.ask(exchange)
            if server.reached_django:
                left_to_django.append(str(exchange))

    assert left_to_django == []


@pytest.fixture(params=["Django alone", "the server"])
def ask(request, world):
    if request.param == "Django alone":
        yield ask_django
    else:
        with running_server() as server:
            yield server.ask


@pytest.mark.parametrize("path", ["flags/", "flags/?feature=acme_feature", "environment-document/"])
def test_an_etag_is_304_until_something_changes(world, ask, path):
    def visit(**headers: str):
        key = ("X-Environment-Key", world.server_key.key)
        return ask(get(path, key, *headers.items()))

    first = visit()
    etag, revision = first.header("etag"), int(first.header("x-burgee-revision"))
    again = {"If-None-Match": f'"x", W/{etag}'}
    known = visit(**again)
    FeatureState.objects.filter(environment=world.environment, feature=world.feature).update(
        string_value="changed"
    )
    changed = visit(**again, **{"X-Burgee-Min-Revision": str(revision + 1)})

    assert (known.status, known.body, known.header("etag")) == (304, b"", etag)
    assert known.header("content-length") is None
    assert (changed.status, changed.header("x-burgee-revision")) == (200, str(revision + 1))
    assert changed.header("etag") != etag


@pytest.mark.parametrize("header", ["ETag", "Last-Modified"])
def test_each_of_several_changes_in_one_second_is_seen(world, ask, header):
    condition = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}[header]
    states = FeatureState.objects.filter(environment=world.environment, feature=world.feature)
    key = ("X-Environment-Key", world.server_key.key)
    last, seen = ask(get("environment-document/", key)), []

    for number in range(5):
        states.update(string_value=f"change {number}")
        wanted = ("X-Burgee-Min-Revision", str(int(last.header("x-burgee-revision")) + 1))
        last = ask(get("environment-document/", key, wanted, (condition, last.header(header.lower()))))
        seen.append((last.status, f"change {number}".encode() in last.body))

    assert seen == [(200, True)] * 5


def test_a_revision_that_nobody_has_yet_is_503_at_all_doors(world):
    key = ("X-Environment-Key", world.environment.api_key)
    wants_more = get("flags/", key, ("X-Burgee-Min-Revision", "1000000"))

    assert_alike(world, [wants_more])
    answer = ask_django(wants_more)
    assert (answer.status, answer.header("retry-after")) == (503, "1")


def test_the_kinds_of_keys_have_etags_of_their_own(world):
    keys = world.server_key.key, world.environment.api_key

    answers = [ask_django(get("flags/", ("X-Environment-Key", key))) for key in keys]

    assert answers[0].header("etag") != answers[1].header("etag")
    on_servers, elsewhere = (len(answer.json()) for answer in answers)
    assert on_servers == elsewhere + 1


@pytest.mark.parametrize("path", ["flags/", "environment-document/"])
def test_who_takes_gzip_is_sent_gzip(world, path):
    key = ("X-Environment-Key", world.server_key.key)

    with override_settings(ENABLE_GZIP_COMPRESSION=True), running_server() as server:
        plain, packed = server.ask(get(path, key)), server.ask(get(path, key, GZIP))

    assert gzip.decompress(packed.body) == plain.body
    assert packed.header("content-encoding") == "gzip"
    assert packed.header("content-length") == str(len(packed.body))
    assert packed.header("etag") != plain.header("etag")
    vary = "X-Environment-Key, Accept-Encoding, origin"
    assert (packed.header("vary"), plain.header("vary")) == (vary, vary)


def test_an_etag_is_304_in_whichever_encoding(world):
    key = ("X-Environment-Key", world.environment.api_key)

    with override_settings(ENABLE_GZIP_COMPRESSION=True), running_server() as server:
        packed = server.ask(get("flags/", key, GZIP))
        known = ("If-None-Match", packed.header("etag") or "")
        again, plainly = server.ask(get("flags/", key, GZIP, known)), server.ask(get("flags/", key, known))

    assert (again.status, again.header("etag")) == (304, packed.header("etag"))
    assert plainly.status == 304


def test_nothing_is_compressed_unless_the_operator_wants_it(world):
    with running_server() as server:
        answer = server.ask(get("flags/", ("X-Environment-Key", world.environment.api_key), GZIP))

    assert answer.header("content-encoding") is None


def test_caches_may_keep_flags_where_the_operator_says_so(world, settings):
    settings.FLAGS_MAX_AGE_SECONDS = 30
    to_client, to_server = (
        ask_django(get("flags/", ("X-Environment-Key", key)))
        for key in (world.environment.api_key, world.server_key.key)
    )
    document = ask_django(get("environment-document/", ("X-Environment-Key", world.server_key.key)))

    assert to_client.header("cache-control") == "public, max-age=30"
    assert to_server.header("cache-control") == "private, max-age=30"
    assert to_client.header("expires") is None
    assert "no-store" in (document.header("cache-control") or "")


def test_a_key_in_a_header_that_wsgi_would_fold_is_no_key(world):
    key = ("X_Environment_Key", world.environment.api_key)

    with running_server() as server:
        answer = server.ask(get("flags/", key))

    assert answer.status == 403


def test_a_browser_may_read_what_is_refused_before_either_door(world):
    key = ("X-Environment-Key", world.environment.api_key)
    too_large = json.dumps("x" * settings.MAX_REQUEST_BODY_BYTES).encode()

    with running_server() as server:
        answers = [
            server.ask(get("flags/", key, key, ORIGIN)),
            server.ask(Exchange("POST", f"{API}/projects/", (ORIGIN,), too_large)),
        ]

    assert [answer.status for answer in answers] == [400, 413]
    assert [answer.header("access-control-allow-origin") for answer in answers] == ["*", "*"]


def test_threads_keep_their_database_connection(world, monkeypatch):
    monkeypatch.setitem(connections["default"].settings_dict, "CONN_MAX_AGE", 60)
    backends = set()

    def noting_backend(environ, start_response):
        response = WSGIHandler()(environ, start_response)
        if connections["default"].connection:
            backends.add(connections["default"].connection.get_backend_pid())
        return response

    listing = get("projects/", ("Authorization", f"Token {world.token}"))
    with running_server(noting_backend) as server:
        statuses = [server.ask(listing).status for _ in range(5)]

    assert statuses == [200] * 5
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
