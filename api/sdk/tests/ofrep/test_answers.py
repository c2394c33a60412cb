"""Both endpoints of OFREP: keys, paths, ETags, what is hidden, where changes are told of."""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from documents.tests.factories import make_feature, make_segment, override_for_segment
from environments.models import Environment
from sdk.tests.ofrep.conftest import FLAGS

BOTH = [FLAGS, f"{FLAGS}/new_checkout"]


def client_with(**headers: str) -> APIClient:
    return APIClient(headers={name.replace("_", "-"): value for name, value in headers.items()})


def error(code: str, details: str, key: str | None = None) -> dict:
    return {**({"key": key} if key else {}), "errorCode": code, "errorDetails": details, "metadata": {}}


@pytest.fixture
def key(environment, feature) -> str:
    return environment.api_key


@pytest.mark.parametrize("path", BOTH)
@pytest.mark.parametrize(
    ("name", "scheme"),
    [
        ("X_API_Key", ""),
        ("X_Environment_Key", ""),
        ("Authorization", "Bearer "),
        ("Authorization", "bearer  "),
    ],
)
def test_the_key_may_stand_in_any_of_three_headers(key, path, name, scheme):
    assert client_with(**{name: f"{scheme}{key}"}).post(path).status_code == 200


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"X_Environment_Key": "{key}", "X_API_Key": "other", "Authorization": "Bearer other"}, 200),
        ({"X_API_Key": "{key}", "Authorization": "Bearer other"}, 200),
        ({"X_API_Key": "{key}", "Authorization": "Basic eDp5"}, 200),
        ({"X_API_Key": "", "Authorization": "Bearer {key}"}, 200),
        ({"X_Environment_Key": "other", "X_API_Key": "{key}"}, 401),
        ({"X_API_Key": "other", "Authorization": "Bearer {key}"}, 401),
        ({"Authorization": "Token {key}"}, 401),
        ({"Authorization": "{key}"}, 401),
        ({"Authorization": "Bearer"}, 401),
    ],
)
def test_of_several_keys_the_first_counts(key, headers, status):
    client = client_with(**{name: value.format(key=key) for name, value in headers.items()})

    assert client.post(FLAGS).status_code == status


@pytest.mark.parametrize("path", BOTH)
@pytest.mark.parametrize("given", [None, "unknown", "ser.unknown", "x" * 5000, "\xe9\xff"])
def test_a_key_that_opens_nothing_is_401_with_a_body(db, path, given):
    client = APIClient() if given is None else APIClient(HTTP_X_API_KEY=given)

    response = client.post(path)

    details = "Invalid or missing Environment " + ("key" if given is None else "Key")
    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert response["Content-Type"] == "application/json"
    assert response.json() == error("GENERAL", details, "new_checkout" if path != FLAGS else None)


def test_keys_of_servers_work_while_they_are_valid(environment, feature):
    keys = {
        "valid": environment.server_side_keys.create(name="a"),
        "off": environment.server_side_keys.create(name="b", active=False),
        "old": environment.server_side_keys.create(name="c", expires_at=timezone.now() - timedelta(days=1)),
    }

    statuses = {name: client_with(X_API_Key=key.key).post(FLAGS).status_code for name, key in keys.items()}

    assert statuses == {"valid": 200, "off": 401, "old": 401}


@pytest.mark.parametrize("path", BOTH)
def test_an_organisation_that_gets_no_flags_is_403(organisation, sdk_client, path):
    organisation.stop_serving_flags = True
    organisation.save()

    response = sdk_client.post(path)

    assert response.status_code == 403
    assert "WWW-Authenticate" not in response
    assert response.json()["errorDetails"] == "Organisation is disabled from serving flags."


def test_all_flags_in_the_order_of_features(project, environment, evaluate_all):
    features = [make_feature(project, name, enabled=True) for name in ("b", "a", "c")]

    content = evaluate_all("kim").json()

    assert [(flag["key"], flag["metadata"]["featureId"]) for flag in content["flags"]] == [
        (feature.name, feature.pk) for feature in features
    ]


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize(
    ("name", "quoted"),
    [
        ("new_checkout", "new_checkout"),
        ("a/b", "a/b"),
        ("a/b", "a%2Fb"),
        ("with blanks", "with%20blanks"),
        ("naïve ✓?", "na%C3%AFve%20%E2%9C%93%3F"),
        ("50%", "50%25"),
        ("line\nbreak", "line%0Abreak"),
        ("+", "+"),
    ],
)
def test_a_flag_is_found_by_its_exact_name(project, environment, sdk_client, slash, name, quoted):
    make_feature(project, name, value="found", enabled=True)

    response = sdk_client.post(f"{FLAGS}/{quoted}{slash}")

    assert (response.status_code, response.json()["key"], response.json()["value"]) == (200, name, "found")


def test_a_name_may_end_with_a_slash(project, environment, evaluate):
    make_feature(project, "a", value="without", enabled=True)
    make_feature(project, "a/", value="with", enabled=True)

    assert [evaluate(name).json()["value"] for name in ("a", "a/")] == ["without", "with"]


@pytest.mark.parametrize("name", ["unknown", "NEW_CHECKOUT", "new_checkout%20", "new", "%FF", "%00"])
def test_an_unknown_name_is_404(feature, evaluate, name):
    response = evaluate(name, "kim")

    assert response.status_code == 404
    assert response.json()["errorCode"] == "FLAG_NOT_FOUND"
    assert set(response.json()) == {"key", "errorCode", "errorDetails", "metadata"}
    assert "X-Burgee-Revision" in response


def test_all_flags_with_and_without_a_slash(feature, sdk_client):
    assert sdk_client.post(f"{FLAGS}/").json() == sdk_client.post(FLAGS).json()


def test_what_is_for_servers_only_is_not_found_by_clients(
    project, environment, evaluate, evaluate_all, server_sdk_client
):
    make_feature(project, "secret", enabled=True, is_server_key_only=True)
    server = {"client": server_sdk_client}

    assert [evaluate("secret").status_code, evaluate("secret", **server).status_code] == [404, 200]
    assert [len(evaluate_all(**more).json()["flags"]) for more in ({}, server)] == [0, 1]


def test_disabled_flags_are_not_found_where_they_are_hidden(project, environment, evaluate, evaluate_all):
    environment.hide_disabled_flags = True
    environment.save()
    make_feature(project, "off", enabled=False)
    make_feature(project, "on", enabled=True)

    assert evaluate("off", "kim").status_code == 404
    assert [flag["key"] for flag in evaluate_all("kim").json()["flags"]] == ["on"]


@pytest.mark.parametrize("path", BOTH)
def test_an_etag_is_304_for_the_same_context_alone(project, stored, sdk_client, path):
    make_feature(project, "new_checkout", value="blue", enabled=True, variants={"green": ("green", 100)})
    kim = {"context": {"targetingKey": "kim"}}
    first = sdk_client.post(path, kim, "json")

    known = {"HTTP_IF_NONE_MATCH": first["ETag"]}
    same, other = (sdk_client.post(path, context, "json", **known) for context in (kim, {}))

    assert first["ETag"].startswith('"')
    assert (same.status_code, same.content, same["ETag"]) == (304, b"", first["ETag"])
    assert "Content-Type" not in same
    assert other.status_code == 200
    assert other["ETag"] != first["ETag"]


@pytest.mark.parametrize("path", BOTH)
@pytest.mark.parametrize(
    ("given", "status"),
    [
        ('"{tag}"', 304),
        ('W/"{tag}"', 304),
        ("{tag}", 304),
        ("*", 304),
        ('"x", W/"{tag}"', 304),
        ('"x" , {tag}', 304),
        ('W/"{tag}-gzip"', 304),
        ('"x"', 200),
        ("", 200),
        ('W/"', 200),
        ("{tag}x", 200),
        (",,\xff", 200),
    ],
)
def test_a_tag_may_be_weak_or_bare_or_one_of_many(feature, sdk_client, path, given, status):
    tag = sdk_client.post(path)["ETag"].strip('"')

    response = sdk_client.post(path, HTTP_IF_NONE_MATCH=given.format(tag=tag))

    assert response.status_code == status


def test_an_etag_changes_with_a_flag_and_with_stored_traits(project, environment, stored, evaluate_all):
    flag = make_feature(project, "flag", enabled=True, value="no")
    override_for_segment(flag, environment, make_segment(project, property="plan", value="pro"), value="yes")
    first = evaluate_all("kim")["ETag"]

    stored.traits = {"plan": "pro"}
    stored.save()
    with_trait = evaluate_all("kim")["ETag"]
    flag.feature_states.filter(feature_segment=None).update(enabled=False)

    assert len({first, with_trait, evaluate_all("lee")["ETag"]}) == 3


@pytest.mark.django_db(transaction=True)
def test_the_version_is_when_the_environment_changed(feature, sdk_client):
    for path in BOTH:
        response = sdk_client.post(path)
        updated_at = response["x-flagsmith-document-updated-at"]

        assert updated_at == sdk_client.get("/api/v1/flags/")["x-flagsmith-document-updated-at"]
        assert int(response["X-Burgee-Revision"]) > 0
        if path == FLAGS:
            assert response.json()["metadata"] == {"version": updated_at}


@pytest.mark.parametrize("kind", ["client", "server"])
def test_the_stream_is_named_by_the_key_that_all_may_see(project, sdk_client, server_sdk_client, kind):
    Environment.objects.update(api_key="key/with blanks")
    client = server_sdk_client if kind == "server" else APIClient(HTTP_X_API_KEY="key/with blanks")
    project.enable_realtime_updates = True
    project.save()

    content = client.post(FLAGS).json()

    assert content["eventStreams"] == [
        {
            "type": "sse",
            "endpoint": {"requestUri": "/ofrep/v1/events/key%2Fwith%20blanks"},
            "inactivityDelaySec": 120,
        }
    ]


def test_a_project_without_streams_names_none(project, feature, evaluate, evaluate_all):
    project.enable_realtime_updates = False
    project.save()

    assert "eventStreams" not in evaluate_all().json()
    assert "eventStreams" not in evaluate("new_checkout").json()


@pytest.mark.parametrize("method", ["get", "put", "patch", "delete", "head"])
@pytest.mark.parametrize("path", BOTH)
def test_other_methods_are_405(feature, sdk_client, method, path):
    response = getattr(sdk_client, method)(path)

    assert (response.status_code, response["Allow"]) == (405, "POST, OPTIONS")
    if method != "head":
        assert response.json()["errorCode"] == "GENERAL"


@pytest.mark.parametrize("query", ["flagConfigEtag=%22x%22&flagConfigLastModified=1769940000", "a=%FF%00"])
def test_hints_change_nothing(feature, sdk_client, query):
    assert sdk_client.post(f"{FLAGS}?{query}").json() == sdk_client.post(FLAGS).json()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("path", BOTH)
def test_a_revision_that_is_not_there_yet_is_503(feature, sdk_client, path):
    reached = sdk_client.post(path)["X-Burgee-Revision"]

    statuses = [
        sdk_client.post(path, HTTP_X_BURGEE_MIN_REVISION=wanted).status_code for wanted in (reached, "x")
    ]
    late = sdk_client.post(path, HTTP_X_BURGEE_MIN_REVISION="1000")

    assert statuses == [200, 400]
    assert (late.status_code, late["Retry-After"]) == (503, "1")
    assert late.json()["errorCode"] == "GENERAL"


@pytest.mark.django_db(transaction=True)
def test_only_a_targeting_key_is_looked_up(feature, evaluate_all, django_assert_num_queries):
    evaluate_all("kim")
    of_key_and_revision = 2

    for targeting_key, lookups in (("kim", 1), (None, 0)):
        with django_assert_num_queries(of_key_and_revision + lookups):
            evaluate_all(targeting_key, plan="pro")


def test_browsers_may_send_and_read_what_providers_need(db, client):
    asks = {
        "HTTP_ORIGIN": "https://shop.example.org",
        "HTTP_ACCESS_CONTROL_REQUEST_METHOD": "POST",
        "HTTP_ACCESS_CONTROL_REQUEST_HEADERS": "x-api-key,authorization,content-type,if-none-match",
    }

    preflight = client.options(FLAGS, **asks)
    answer = client.post(FLAGS, HTTP_ORIGIN="https://shop.example.org")

    assert preflight.status_code == 200
    allowed = preflight["Access-Control-Allow-Headers"].split(", ")
    assert {"x-api-key", "authorization", "content-type", "if-none-match"} <= set(allowed)
    assert "etag" in answer["Access-Control-Expose-Headers"]
    assert answer["Access-Control-Allow-Origin"] == "*"
