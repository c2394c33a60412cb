"""Keys: who may read what, and how the others are turned away."""

from datetime import timedelta

import pytest
from django.utils import timezone
from rest_framework.authtoken.models import Token
from rest_framework.test import APIClient

from documents.tests.factories import make_feature
from environments.models import Environment
from sdk.tests.answers import names_in

ENDPOINTS = [
    ("get", "/api/v1/flags/"),
    ("get", "/api/v1/identities/?identifier=kim"),
    ("post", "/api/v1/identities/"),
    ("post", "/api/v1/bulk-identities/"),
    ("post", "/api/v1/traits/"),
    ("put", "/api/v1/traits/bulk/"),
    ("post", "/api/v1/traits/increment-value/"),
    ("get", "/api/v1/environment-document/"),
    ("get", "/api/v1/flags/kim"),
    ("get", "/api/v1/flags/1/multivariate-options/"),
    ("get", "/api/v1/identities/kim/"),
    ("post", "/api/v1/identities/kim/traits/plan"),
]
MISSING = {"detail": "Invalid or missing Environment key"}
UNKNOWN = {"detail": "Invalid or missing Environment Key"}
STOPPED = {"detail": "Organisation is disabled from serving flags."}


def with_key(key: str) -> APIClient:
    return APIClient(headers={"X-Environment-Key": key})


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_a_missing_key_is_403_and_never_401(db, method, path):
    response = getattr(APIClient(), method)(path)

    assert (response.status_code, response.json()) == (403, MISSING)
    assert "WWW-Authenticate" not in response


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
@pytest.mark.parametrize("key", ["ser.unknown", "ser." + "x" * 100, "ser.\x7f'--"])
def test_an_unknown_key_is_403_in_other_words(db, method, path, key):
    response = getattr(with_key(key), method)(path)

    assert (response.status_code, response.json()) == (403, UNKNOWN)


@pytest.mark.parametrize("key", ["unknown", "x" * 101, "\xe9\xff", "ser", "SER.x"])
def test_an_unknown_client_side_key_is_403(db, key):
    response = APIClient().get("/api/v1/flags/", HTTP_X_ENVIRONMENT_KEY=key)

    assert (response.status_code, response.json()) == (403, UNKNOWN)


def test_a_client_side_key_does_not_open_the_document(sdk_client):
    response = sdk_client.get("/api/v1/environment-document/")

    assert (response.status_code, response.json()) == (403, MISSING)


@pytest.mark.parametrize(
    "change",
    [{"active": False}, {"expires_at": timezone.now() - timedelta(seconds=1)}],
    ids=["switched off", "expired"],
)
def test_a_key_that_is_switched_off_or_expired_is_unknown(environment, change):
    key = environment.server_side_keys.create(name="server", **change)

    response = with_key(key.key).get("/api/v1/flags/")

    assert (response.status_code, response.json()) == (403, UNKNOWN)


def test_a_key_that_expires_later_still_works(environment):
    key = environment.server_side_keys.create(name="server", expires_at=timezone.now() + timedelta(hours=1))

    assert with_key(key.key).get("/api/v1/environment-document/").status_code == 200


@pytest.mark.parametrize("path", ["", "project", "project.organisation"])
def test_keys_of_what_is_deleted_are_unknown(environment, sdk_client, server_sdk_client, path):
    deleted = environment
    for part in path.split(".") if path else []:
        deleted = getattr(deleted, part)
    deleted.delete()

    answers = [client.get("/api/v1/flags/") for client in (sdk_client, server_sdk_client)]

    assert [(answer.status_code, answer.json()) for answer in answers] == [(403, UNKNOWN)] * 2


@pytest.mark.parametrize(("method", "path"), ENDPOINTS)
def test_an_organisation_may_stop_serving(organisation, server_sdk_client, method, path):
    organisation.stop_serving_flags = True
    organisation.save()

    response = getattr(server_sdk_client, method)(path)

    assert (response.status_code, response.json()) == (403, STOPPED)


def test_an_authorization_header_means_nothing(sdk_client, environment):
    sdk_client.credentials(HTTP_AUTHORIZATION="Token of nobody", HTTP_X_ENVIRONMENT_KEY=environment.api_key)

    assert sdk_client.get("/api/v1/flags/").status_code == 200


def test_a_token_of_a_user_is_no_key(admin, environment):
    token = Token.objects.create(user=admin)

    response = APIClient(headers={"Authorization": f"Token {token.key}"}).get("/api/v1/flags/")

    assert (response.status_code, response.json()) == (403, MISSING)


def test_only_servers_see_features_for_servers(project, environment, sdk_client, server_sdk_client):
    make_feature(project, "open")
    make_feature(project, "secret", is_server_key_only=True)

    for path in ("/api/v1/flags/", "/api/v1/identities/?identifier=kim", "/api/v1/flags/kim"):
        assert names_in(sdk_client.get(path).json()) == ["open"]
        assert names_in(server_sdk_client.get(path).json()) == ["open", "secret"]


@pytest.mark.parametrize(
    "path",
    [
        "/api/v1/flags/?feature=secret",
        "/api/v1/identities/?identifier=kim&feature=secret",
        "/api/v1/flags/{id}/multivariate-options/",
    ],
)
def test_a_feature_for_servers_is_not_found_with_a_client_side_key(
    project, environment, sdk_client, server_sdk_client, path
):
    path = path.format(id=make_feature(project, "secret", is_server_key_only=True).pk)

    assert sdk_client.get(path).status_code == 404
    assert sdk_client.get(path).json() == {"detail": "Given feature not found"}
    assert server_sdk_client.get(path).status_code == 200


def test_a_key_shows_its_own_environment_only(project, environment, sdk_client, server_sdk_client):
    other = Environment.objects.create(project=project, name="Staging")
    feature = make_feature(project, "feature", value="here")
    feature.feature_states.filter(environment=other).update(string_value="there")

    answers = {
        client: client.get("/api/v1/flags/").json()[0]["feature_state_value"]
        for client in (sdk_client, server_sdk_client, with_key(other.api_key))
    }

    assert list(answers.values()) == ["here", "here", "there"]
