"""What only old clients ask for."""

import pytest

from documents.tests.factories import make_feature, make_segment, override_for_segment
from environments.models import Environment
from identities.models import Identity
from sdk.tests.answers import flag_of, names_in
from segments.models import Segment


def test_the_flags_of_an_identity(project, environment, sdk_client):
    feature = make_feature(project, "feature", value="default")
    override_for_segment(feature, environment, make_segment(project), value="for pros")
    sdk_client.post("/api/v1/identities/kim/traits/plan", {"trait_value": "pro"}, "json")

    flags = sdk_client.get("/api/v1/flags/kim").json()

    assert flag_of(flags, "feature")["feature_state_value"] == "for pros"


def test_asking_for_flags_or_the_identity_stores_it(environment, sdk_client):
    sdk_client.get("/api/v1/flags/kim")
    sdk_client.get("/api/v1/identities/lee/")

    assert set(Identity.objects.values_list("identifier", flat=True)) == {"kim", "lee"}


def test_an_identity_with_its_segments(project, environment, sdk_client):
    make_feature(project, "feature")
    pros = make_segment(project, "pros")
    Segment.objects.filter(pk=pros.pk).update(description="They pay")
    make_segment(project, "others", value="free")
    sdk_client.post("/api/v1/identities/kim/traits/plan", {"trait_value": "pro"}, "json")

    answer = sdk_client.get("/api/v1/identities/kim/").json()

    assert set(answer) == {"flags", "traits", "segments"}
    assert names_in(answer) == ["feature"]
    assert answer["traits"] == [{"id": None, "trait_key": "plan", "trait_value": "pro", "transient": False}]
    assert answer["segments"] == [{"id": pros.pk, "name": "pros", "description": "They pay"}]


def test_sensitive_data_is_blanked_here_too(project, environment, sdk_client):
    make_feature(project, "feature", description="secret plans")
    everyone = make_segment(project, operator="IS_NOT_SET", value=None)
    Segment.objects.filter(pk=everyone.pk).update(description="They pay nothing")
    Environment.objects.update(hide_sensitive_data=True)

    answer = sdk_client.get("/api/v1/identities/kim/").json()

    assert answer["traits"] == []
    assert answer["segments"] == [{"id": everyone.pk, "name": everyone.name, "description": None}]
    assert flag_of(answer, "feature")["feature"]["description"] is None


def test_a_trait_of_an_identity(environment, sdk_client):
    response = sdk_client.post("/api/v1/identities/kim/traits/plan", {"trait_value": 1.0}, "json")

    assert response.status_code == 200
    assert response.json() == {"id": None, "trait_key": "plan", "trait_value": 1.0, "transient": False}
    assert Identity.objects.get().traits == {"plan": 1.0}


@pytest.mark.parametrize("body", [{}, {"trait_value": None}])
def test_a_trait_without_a_value_is_refused(environment, sdk_client, body):
    response = sdk_client.post("/api/v1/identities/kim/traits/plan", body, "json")

    assert (response.status_code, response.json()) == (400, {"detail": "Trait value not provided"})
    assert not Identity.objects.exists()


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/v1/flags/%00", "identifier"),
        ("/api/v1/flags/%20", "identifier"),
        ("/api/v1/identities/%00/", "identifier"),
        (f"/api/v1/identities/{'x' * 2001}/", "identifier"),
    ],
)
def test_an_identifier_that_cannot_be_is_refused(environment, sdk_client, path, field):
    response = sdk_client.get(path)

    assert response.status_code == 400
    assert list(response.json()) == [field]


def test_a_key_that_cannot_be_is_refused(environment, sdk_client):
    response = sdk_client.post(f"/api/v1/identities/kim/traits/{'k' * 201}", {"trait_value": 1}, "json")

    assert response.json() == {"trait_key": ["Ensure this field has no more than 200 characters."]}


def test_the_values_a_feature_may_have(project, environment, sdk_client):
    feature = make_feature(project, value="control", variants={"a": ("A", 10), "b": (2, 20)})
    standard = make_feature(project, value="only")

    answers = [
        sdk_client.get(f"/api/v1/flags/{each.pk}/multivariate-options/").json()
        for each in (feature, standard)
    ]

    assert answers == [
        {"control_value": "control", "options": [{"value": "A"}, {"value": 2}]},
        {"control_value": "only", "options": []},
    ]


def test_a_feature_of_elsewhere_is_not_found(project, environment, sdk_client, stranger):
    other = type(project).objects.create(organisation=stranger.organisations.get(), name="Other")
    Environment.objects.create(project=other, name="Production")
    feature = make_feature(other)

    for feature_id in (feature.pk, 2**31, 0):
        response = sdk_client.get(f"/api/v1/flags/{feature_id}/multivariate-options/")
        assert (response.status_code, response.json()) == (404, {"detail": "Given feature not found"})
