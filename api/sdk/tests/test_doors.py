"""Every request is answered alike by Django and by the server whose lane stands before it: to the byte."""

import gzip
import json
from typing import Any

import pytest
from django.conf import settings as django_settings

from environments.models import Environment
from features.models import Feature, FeatureState
from sdk.live import LiveSnapshots
from sdk.store import snapshots
from sdk.tests.doors import Answer, Asked, through_both

pytestmark = pytest.mark.django_db(transaction=True)

FLAGS = "/api/v1/flags/"
DOCUMENT = "/api/v1/environment-document/"
ORIGIN = {"Origin": "https://shop.example"}
PREFLIGHT = {
    **ORIGIN,
    "Access-Control-Request-Method": "GET",
    "Access-Control-Request-Headers": "x-environment-key, if-none-match",
}
LONG_AGO = "Thu, 01 Jan 2015 00:00:00 GMT"
FAR_FUTURE = "Fri, 01 Jan 2100 00:00:00 GMT"


@pytest.fixture
def live(tmp_path) -> LiveSnapshots:
    return LiveSnapshots(snapshots, folder=tmp_path)


@pytest.fixture
def keys(project, environment) -> dict[str, str]:
    def make(name: str, value: str, **more: bool) -> None:
        Feature.objects.create(project=project, name=name, initial_value=value, **more)

    make("colour", "blue")
    make("naïve ✓", "yes")
    make("secret", "for servers", is_server_key_only=True)
    stopped = Environment.objects.create(project=project, name="Gone")
    stopped_key = stopped.api_key
    stopped.delete()
    return {
        "client": environment.api_key,
        "server": environment.server_side_keys.create(name="one").key,
        "inactive": environment.server_side_keys.create(name="two", active=False).key,
        "deleted": stopped_key,
        "unknown": "nobody",
        "none": "",
        "odd": "\xff\xfe",
        "long": "x" * 5000,
        "unknown server": "ser.nobody",
    }


KEYS = ["client", "server", "inactive", "deleted", "unknown", "none", "odd", "long", "unknown server"]

# What is asked beside the key, and whether the lane answers it where the key works.
ASKED = [
    (Asked(FLAGS), True),
    (Asked("/api/v1/flags"), True),
    (Asked("/api/v1/%66lags/"), True),
    (Asked(f"{FLAGS}?feature=colour"), True),
    (Asked(f"{FLAGS}?feature=COLOUR&x=1"), True),
    (Asked(f"{FLAGS}?feature="), True),
    (Asked(f"{FLAGS}?feature=secret"), True),
    (Asked(f"{FLAGS}?feature=nothing"), True),
    (Asked(f"{FLAGS}?feature=na%C3%AFve%20%E2%9C%93"), True),
    (Asked(f"{FLAGS}?feature=%ff%00"), True),
    (Asked(f"{FLAGS}?format=xml"), True),
    (Asked(f"{FLAGS}?{'a&' * 1500}"), False),
    (Asked(FLAGS, headers={"Accept": "text/html", "Authorization": "Token x"}), True),
    (Asked(FLAGS, headers=ORIGIN), True),
    (Asked(FLAGS, headers={"Origin": "null"}), True),
    (Asked(FLAGS, headers={"If-None-Match": '"other"'}), True),
    (Asked(FLAGS, headers={"If-None-Match": "*"}), True),
    (Asked(FLAGS, headers={"If-None-Match": "\xff ,,"}), True),
    (Asked(FLAGS, headers={"X-Burgee-Min-Revision": "1"}), True),
    (Asked(FLAGS, headers={"X-Burgee-Min-Revision": "-1"}), False),
    (Asked(FLAGS, headers={"X-Burgee-Min-Revision": "9" * 5000}), False),
    (Asked(FLAGS, headers={"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"}), True),
    (Asked(FLAGS, headers={"Cookie": "sessionid=x"}), False),
    (Asked(FLAGS, headers={"Cookie": "theme=dark"}), True),
    (Asked(FLAGS, headers={"Accept-Encoding": "br, gzip"}), True),
    (Asked(FLAGS, headers={"Accept-Encoding": "gzip;q=0, *"}), True),
    (Asked(FLAGS, headers={"Content-Length": "0"}), True),
    (Asked(f"{FLAGS}?feature=colour", headers={"Accept-Encoding": "gzip"}), True),
    (Asked(FLAGS, headers={"Accept-Encoding": "gzip", "If-None-Match": "*"}), True),
    (Asked(FLAGS, headers={"Host": "a b"}), False),
    (Asked(FLAGS, scheme="https"), True),
    (Asked(FLAGS, body=b"{}"), False),
    (Asked(FLAGS, "HEAD"), True),
    (Asked(FLAGS, "HEAD", {"Accept-Encoding": "gzip"}), True),
    (Asked(FLAGS, "OPTIONS"), False),
    (Asked(FLAGS, "OPTIONS", {**ORIGIN, "Access-Control-Request-Method": "GET"}), True),
    (Asked(FLAGS, "OPTIONS", {**PREFLIGHT, "Origin": "null"}), True),
    (Asked(FLAGS, "OPTIONS", {**PREFLIGHT, "Origin": f"https://{'x' * 5000}"}), False),
    (Asked(DOCUMENT, "OPTIONS", PREFLIGHT), True),
    (Asked(FLAGS, "POST", {"Content-Type": "application/json"}, b"{}"), False),
    (Asked(FLAGS, "DELETE"), False),
    (Asked(DOCUMENT), True),
    (Asked("/api/v1/environment-document"), True),
    (Asked(f"{DOCUMENT}?page_id=2"), True),
    (Asked(DOCUMENT, headers=ORIGIN), True),
    (Asked(DOCUMENT, headers={"If-Modified-Since": LONG_AGO}), True),
    (Asked(DOCUMENT, headers={"If-Modified-Since": FAR_FUTURE}), True),
    (Asked(DOCUMENT, headers={"If-Modified-Since": "\xff"}), True),
    (Asked(DOCUMENT, headers={"If-Modified-Since": FAR_FUTURE, "If-None-Match": '"x"'}), True),
    (Asked(DOCUMENT, headers={"If-None-Match": "*"}), True),
    (Asked(DOCUMENT, "HEAD"), True),
    (Asked(DOCUMENT, headers={"Accept-Encoding": "gzip"}), True),
    (Asked(DOCUMENT, "POST"), False),
    (Asked("/api/v1/identities/"), False),
    (Asked("/api/v1/flags//"), False),
]

SETTINGS: dict[str, dict[str, Any]] = {
    "as they are": {},
    "hosts": {"ALLOWED_HOSTS": ["other.example"]},
    "this host": {"ALLOWED_HOSTS": ["flags.example"]},
    "forwarded host": {"ALLOWED_HOSTS": ["evil.example"], "USE_X_FORWARDED_HOST": True},
    "ssl": {"SECURE_SSL_REDIRECT": True},
    "ssl behind a proxy": {
        "SECURE_SSL_REDIRECT": True,
        "SECURE_PROXY_SSL_HEADER": ("HTTP_X_FORWARDED_PROTO", "https"),
        "SECURE_HSTS_SECONDS": 60,
    },
    "origins": {"CORS_ALLOW_ALL_ORIGINS": False, "CORS_ALLOWED_ORIGINS": ["https://shop.example"]},
    "other origins": {"CORS_ALLOW_ALL_ORIGINS": False, "CORS_ALLOWED_ORIGINS": ["https://x.example"]},
    "credentials": {"CORS_ALLOW_CREDENTIALS": True},
    "gzip": {
        "ENABLE_GZIP_COMPRESSION": True,
        "MIDDLEWARE": [
            django_settings.MIDDLEWARE[0],
            "django.middleware.gzip.GZipMiddleware",
            *django_settings.MIDDLEWARE[1:],
        ],
    },
    "caches": {"FLAGS_MAX_AGE_SECONDS": 30},
}


def with_key(asked: Asked, key: str) -> Asked:
    headers = {**asked.headers, "X-Environment-Key": key}
    return Asked(asked.path, asked.method, headers, asked.body, asked.scheme)


def compare(live: LiveSnapshots, asked: list[Asked]) -> list[bool]:
    """Assert that all doors agree; return which requests the lane has answered."""
    answers = through_both(live, asked)
    for each, (alone, beside, server, _) in zip(asked, answers, strict=True):
        assert server == beside, each
        assert server == alone, each
    return [in_lane for *_, in_lane in answers]


@pytest.mark.parametrize("kind", KEYS)
def test_all_doors_answer_alike(live, keys, kind):
    in_lane = compare(live, [with_key(asked, keys[kind]) for asked, _ in ASKED])

    if kind == "server":
        assert in_lane == [expected for _, expected in ASKED]


@pytest.mark.parametrize("name", SETTINGS)
def test_settings_hold_at_all_doors(live, keys, settings, name):
    for setting, value in SETTINGS[name].items():
        setattr(settings, setting, value)

    compare(live, [with_key(asked, keys["server"]) for asked, _ in ASKED])


def test_environments_that_hide_or_serve_nothing_are_answered_alike(live, keys, environment, organisation):
    environment.hide_sensitive_data = environment.hide_disabled_flags = True
    environment.save()
    asked = [with_key(Asked(path), keys["server"]) for path in (FLAGS, f"{FLAGS}?feature=colour", DOCUMENT)]
    compare(live, asked)

    organisation.stop_serving_flags = True
    organisation.save()

    (answer, *_), *_ = through_both(live, asked)
    assert answer.status == 403
    compare(live, asked)


@pytest.mark.parametrize("path", [FLAGS, f"{FLAGS}?feature=colour", DOCUMENT])
def test_an_etag_is_304_until_something_changes(live, keys, environment, path):
    asked = with_key(Asked(path), keys["server"])
    ((first, *_),) = through_both(live, [asked])
    again = with_key(Asked(path, headers={"If-None-Match": f'"x", W/{first["etag"]}'}), keys["server"])
    ((_, _, known, in_lane),) = through_both(live, [again])
    compare(live, [again])

    FeatureState.objects.filter(environment=environment).update(enabled=True)

    ((_, _, changed, _),) = through_both(live, [again])
    assert in_lane
    assert (known.status, known.body, known["etag"]) == (304, b"", first["etag"])
    assert "content-length" not in dict(known.headers)
    assert changed.status == 200
    assert changed["etag"] != first["etag"]
    assert int(changed["x-burgee-revision"]) == int(first["x-burgee-revision"]) + 1


def test_the_kinds_of_keys_have_etags_of_their_own(live, keys):
    (server, *_), (client, *_) = through_both(
        live, [with_key(Asked(FLAGS), keys["server"]), with_key(Asked(FLAGS), keys["client"])]
    )

    assert server["etag"] != client["etag"]
    assert [len(json.loads(each.body)) for each in (server, client)] == [3, 2]


def test_a_revision_that_nobody_has_yet_is_503_at_all_doors(live, keys):
    wants_more = Asked(FLAGS, headers={"X-Burgee-Min-Revision": "1000"})

    ((alone, beside, server, in_lane),) = through_both(live, [with_key(wants_more, keys["client"])])

    assert in_lane
    assert alone == beside == server
    assert (server.status, server["retry-after"]) == (503, "1")


@pytest.fixture
def compressing(settings):
    settings.ENABLE_GZIP_COMPRESSION = True


def ask(live: LiveSnapshots, key: str, path: str = FLAGS, **headers: str) -> Answer:
    asked = with_key(
        Asked(path, headers={name.replace("_", "-"): text for name, text in headers.items()}), key
    )
    ((*_, answer, in_lane),) = through_both(live, [asked])
    assert in_lane
    return answer


@pytest.mark.parametrize("path", [FLAGS, DOCUMENT])
def test_who_takes_gzip_is_sent_gzip(live, keys, compressing, path):
    plain, packed = (ask(live, keys["server"], path, **each) for each in ({}, {"Accept_Encoding": "gzip"}))

    assert gzip.decompress(packed.body) == plain.body
    assert packed["content-encoding"] == "gzip"
    assert packed["content-length"] == str(len(packed.body))
    assert packed["etag"] != plain["etag"]
    assert packed["vary"] == plain["vary"] == "X-Environment-Key, Accept-Encoding, origin"


def test_an_etag_is_304_in_whichever_encoding(live, keys, compressing):
    packed = ask(live, keys["client"], Accept_Encoding="gzip")

    again = ask(live, keys["client"], Accept_Encoding="gzip", If_None_Match=packed["etag"])
    plainly = ask(live, keys["client"], If_None_Match=packed["etag"])

    assert (again.status, again["etag"]) == (304, packed["etag"])
    assert plainly.status == 304


def test_nothing_is_compressed_unless_the_operator_wants_it(live, keys):
    answer = ask(live, keys["server"], Accept_Encoding="gzip")

    assert "content-encoding" not in dict(answer.headers)


def test_caches_may_keep_flags_where_the_operator_says_so(live, keys, settings):
    settings.FLAGS_MAX_AGE_SECONDS = 30

    assert ask(live, keys["client"])["cache-control"] == "public, max-age=30"
    assert ask(live, keys["server"])["cache-control"] == "private, max-age=30"
    assert "expires" not in dict(ask(live, keys["client"]).headers)
    assert "no-store" in ask(live, keys["server"], DOCUMENT)["cache-control"]
