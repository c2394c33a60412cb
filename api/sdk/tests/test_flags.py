"""`flags/`: what everyone is served."""

import pytest

from documents.tests.factories import (
    default_state,
    make_feature,
    make_segment,
    override_for_identity,
    override_for_segment,
)
from environments.models import Environment, EnvironmentRevision
from features.models import Feature
from projects.models import Project
from sdk.tests.answers import flag_of, names_in

NOT_FOUND = {"detail": "Given feature not found"}


def flags(client, **query):
    return client.get("/api/v1/flags/", query)


def test_a_flag_in_full(project, environment, sdk_client):
    feature = make_feature(project, "new_checkout", value="blue", enabled=True, description="The new one")

    response = flags(sdk_client)

    assert response.json() == [
        {
            "id": default_state(feature, environment).pk,
            "feature": {
                "id": feature.pk,
                "name": "new_checkout",
                "created_date": feature.created_date.isoformat().replace("+00:00", "Z"),
                "description": "The new one",
                "initial_value": "blue",
                "default_enabled": True,
                "type": "STANDARD",
            },
            "feature_state_value": "blue",
            "environment": environment.pk,
            "identity": None,
            "feature_segment": None,
            "enabled": True,
        }
    ]
    assert response["Content-Type"] == "application/json"


def test_flags_come_in_the_order_of_their_features(project, environment, sdk_client):
    first, second, third = (make_feature(project, name) for name in "cab")
    # A state that is made anew has a later id.
    default_state(first, environment).delete()
    first.feature_states.create(environment=environment)

    assert names_in(flags(sdk_client).json()) == [first.name, second.name, third.name]


def test_a_multivariate_feature_serves_its_control_value(project, environment, sdk_client):
    make_feature(project, "mv", value="control value", variants={"a": ("A", 100)})

    flag = flag_of(flags(sdk_client).json(), "mv")

    assert (flag["feature_state_value"], flag["feature"]["type"]) == ("control value", "MULTIVARIATE")
    assert "variant" not in flag


def test_no_segment_and_no_identity_counts(project, environment, sdk_client):
    feature = make_feature(project, "feature", value="default")
    everyone = make_segment(project, property="plan", operator="IS_NOT_SET", value=None)
    override_for_segment(feature, environment, everyone, value="override")
    override_for_identity(feature, environment, "", value="override")

    assert flag_of(flags(sdk_client).json(), "feature")["feature_state_value"] == "default"


@pytest.mark.parametrize("query", ["New_Checkout", "NEW_CHECKOUT", "new_checkout"])
def test_one_flag_is_found_in_any_letter_case(feature, sdk_client, query):
    response = flags(sdk_client, feature=query)

    assert response.status_code == 200
    assert response.json()["feature"]["name"] == "new_checkout"
    assert response["x-flagsmith-document-updated-at"]


@pytest.mark.parametrize("query", ["unknown", "new_checkout ", "new%", "\0", "\U0001f600", "x" * 3000])
def test_an_unknown_feature_is_not_found(feature, sdk_client, query):
    response = flags(sdk_client, feature=query)

    assert (response.status_code, response.json()) == (404, NOT_FOUND)


def test_a_query_that_is_no_utf8_finds_nothing(feature, sdk_client):
    assert sdk_client.get("/api/v1/flags/?feature=%FF").json() == NOT_FOUND


def test_a_thousand_parameters_are_enough(feature, sdk_client):
    answers = [sdk_client.get(f"/api/v1/flags/?{'&'.join(['a=1'] * number)}") for number in (1000, 1001)]

    assert [answer.status_code for answer in answers] == [200, 400]
    assert list(answers[1].json()) == ["detail"]


def test_an_empty_name_is_no_name(feature, sdk_client):
    assert names_in(flags(sdk_client, feature="").json()) == ["new_checkout"]


def test_an_archived_feature_is_still_served(project, environment, sdk_client):
    make_feature(project, "old", is_archived=True)

    assert names_in(flags(sdk_client).json()) == ["old"]


@pytest.mark.parametrize(
    ("of_environment", "of_project", "hidden"),
    [(None, False, False), (None, True, True), (True, False, True), (False, True, False)],
)
def test_disabled_flags_are_hidden_as_the_environment_or_else_the_project_says(
    project, environment, sdk_client, server_sdk_client, of_environment, of_project, hidden
):
    make_feature(project, "on", enabled=True)
    make_feature(project, "off")
    Environment.objects.update(hide_disabled_flags=of_environment)
    Project.objects.update(hide_disabled_flags=of_project)

    shown = ["on"] if hidden else ["on", "off"]
    for client in (sdk_client, server_sdk_client):
        assert names_in(flags(client).json()) == shown
        assert flags(client, feature="off").status_code == (404 if hidden else 200)


def test_hiding_disabled_flags_and_server_only_ones_hold_together(
    project, environment, sdk_client, server_sdk_client
):
    make_feature(project, "on", enabled=True)
    make_feature(project, "off")
    make_feature(project, "server_on", enabled=True, is_server_key_only=True)
    make_feature(project, "server_off", is_server_key_only=True)
    Environment.objects.update(hide_disabled_flags=True)

    for path in ("/api/v1/flags/", "/api/v1/identities/?identifier=kim", "/api/v1/flags/kim"):
        assert names_in(sdk_client.get(path).json()) == ["on"]
        assert names_in(server_sdk_client.get(path).json()) == ["on", "server_on"]


def test_sensitive_data_is_blanked_and_keys_stay(project, environment, sdk_client):
    make_feature(project, "feature", value="blue", enabled=True, description="secret plans")
    Environment.objects.update(hide_sensitive_data=True)

    (flag,) = flags(sdk_client).json()

    assert flag == {
        "id": None,
        "feature": {
            "id": Feature.objects.get().pk,
            "name": "feature",
            "created_date": None,
            "description": None,
            "initial_value": None,
            "default_enabled": None,
            "type": "STANDARD",
        },
        "feature_state_value": "blue",
        "environment": None,
        "identity": None,
        "feature_segment": None,
        "enabled": True,
    }


def test_both_spellings_of_the_path_are_served(feature, sdk_client):
    assert sdk_client.get("/api/v1/flags").json() == sdk_client.get("/api/v1/flags/").json()


@pytest.mark.parametrize("method", ["post", "put", "patch", "delete"])
def test_flags_are_only_read(feature, sdk_client, method):
    response = getattr(sdk_client, method)("/api/v1/flags/")

    assert response.status_code == 405
    assert response.json() == {"detail": f'Method "{method.upper()}" not allowed.'}


def test_head_is_get_without_a_body(feature, sdk_client):
    response = sdk_client.head("/api/v1/flags/")

    assert response.status_code == 200
    assert response["x-flagsmith-document-updated-at"]


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "*/*", "", "nonsense"])
def test_an_answer_is_json_whatever_is_accepted(feature, sdk_client, accept):
    response = sdk_client.get("/api/v1/flags/?format=xml", HTTP_ACCEPT=accept)

    assert (response.status_code, response["Content-Type"]) == (200, "application/json")


def test_nobody_else_keeps_an_answer(feature, sdk_client):
    response = flags(sdk_client)

    assert "X-Environment-Key" in response["Vary"]
    assert {"max-age=0", "no-cache", "no-store", "must-revalidate", "private"} <= set(
        response["Cache-Control"].split(", ")
    )
    assert response["Flagsmith-Version"]


@pytest.mark.django_db(transaction=True)
def test_the_header_says_when_the_environment_changed(environment, feature, sdk_client):
    revision = EnvironmentRevision.objects.get(environment_id=environment.pk)

    seconds = flags(sdk_client)["x-flagsmith-document-updated-at"]

    whole, fraction = seconds.split(".")
    assert int(whole) == int(revision.updated_at.timestamp())
    assert int(fraction.ljust(6, "0")) == revision.updated_at.microsecond


@pytest.mark.django_db(transaction=True)
def test_the_header_has_a_fraction_even_for_a_whole_second(environment, feature, sdk_client):
    revision = EnvironmentRevision.objects.get(environment_id=environment.pk)
    whole = revision.updated_at.replace(microsecond=0)
    EnvironmentRevision.objects.update(updated_at=whole)

    assert flags(sdk_client)["x-flagsmith-document-updated-at"] == f"{int(whole.timestamp())}.0"
