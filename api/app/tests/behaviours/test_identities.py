"""Identities, their traits and overrides: what is easy to get wrong."""

from typing import Any

import pytest
from django.db import connection

from audit.models import AuditRecord
from environments.models import Environment
from features.models import FeatureState
from identities.batches import TraitChanges
from identities.models import Identity, TraitKey
from identities.services import store_traits


def make(environment: Environment, identifier: str, **traits: Any) -> Identity:
    store_traits([TraitChanges(environment.pk, identifier, traits)])
    return Identity.objects.get(environment=environment, identifier=identifier)


def url(environment: Environment, identity: Identity | None = None, rest: str = "") -> str:
    one = f"{identity.pk}/" if identity else ""
    return f"/api/v1/environments/{environment.api_key}/identities/{one}{rest}"


@pytest.fixture
def staging(project) -> Environment:
    return Environment.objects.create(project=project, name="Staging")


def test_a_second_override_of_a_feature_is_refused_and_deleting_its_identity_says_nothing_of_it(
    admin_client, environment, feature
):
    kim = make(environment, "kim", plan="pro")
    overrides = url(environment, kim, "featurestates/")

    first = admin_client.post(overrides, {"feature": feature.pk, "enabled": True})
    second = admin_client.post(overrides, {"feature": feature.pk, "enabled": False})
    said = list(AuditRecord.objects.values_list("log", flat=True))
    deleted = admin_client.delete(url(environment, kim))

    assert [first.status_code, second.status_code, deleted.status_code] == [201, 400, 204]
    assert said[0] == "Identity override created for feature 'new_checkout' and identity 'kim'"
    assert not FeatureState.all_objects.filter(identity__isnull=False).exists()
    assert list(AuditRecord.objects.values_list("log", flat=True)) == said


def test_a_deleted_features_overrides_vanish_from_every_list(admin_client, project, environment, feature):
    kim = make(environment, "kim")
    admin_client.post(url(environment, kim, "featurestates/"), {"feature": feature.pk, "enabled": True})
    key = environment.api_key
    lists = [
        url(environment, kim, "featurestates/"),
        url(environment, kim, "featurestates/all/"),
        f"/api/v1/environments/{key}/edge-identity-overrides",
        f"/api/v1/environments/{key}/featurestates/?anyIdentity=1",
    ]

    def lengths() -> list[int]:
        answers = [admin_client.get(each).json() for each in lists]
        return [len(answer if isinstance(answer, list) else answer["results"]) for answer in answers]

    before = lengths()
    admin_client.delete(f"/api/v1/projects/{project.pk}/features/{feature.pk}/")

    assert before == [1, 1, 1, 1]
    assert lengths() == [0, 0, 0, 0]


def test_a_quoted_search_is_exact_and_an_identifier_taken_once(admin_client, environment):
    for identifier in ("kim", "Kim", "kimberly"):
        make(environment, identifier)

    def found(text: str) -> list[str]:
        results = admin_client.get(url(environment), {"q": text}).json()["results"]
        return [each["identifier"] for each in results]

    again = admin_client.post(url(environment), {"identifier": "kim"})

    assert (found('"kim"'), found("KIM")) == (["kim"], ["kim", "Kim", "kimberly"])
    assert again.status_code == 400
    assert again.json() == {
        "identifier": ["Identity with identifier 'kim' already exists in this environment"]
    }


def test_traits_go_from_one_identity_from_all_or_from_one_environment(admin_client, environment, staging):
    kim, noor = make(environment, "kim", plan="pro", age=1), make(environment, "noor", plan="pro", age=1)
    elsewhere = make(staging, "kim", plan="pro", age=1)

    def trait(key: str) -> str:
        return url(environment, kim, f"traits/{TraitKey.objects.get(environment=environment, key=key).pk}/")

    admin_client.delete(f"{trait('plan')}?deleteAllMatchingTraits=false")
    of_one = [each.traits for each in Identity.objects.order_by("pk")]
    admin_client.delete(f"{trait('age')}?deleteAllMatchingTraits=true")
    admin_client.post(f"/api/v1/environments/{environment.api_key}/delete-traits/", {"key": "plan"})

    assert of_one == [{"age": 1}, {"plan": "pro", "age": 1}, {"plan": "pro", "age": 1}]
    for each in (kim, noor, elsewhere):
        each.refresh_from_db()
    assert [kim.traits, noor.traits, elsewhere.traits] == [{}, {}, {"plan": "pro", "age": 1}]


def test_a_trait_that_is_set_to_what_it_is_writes_nothing(admin_client, sdk_client, environment):
    kim = make(environment, "kim", plan="pro")
    url_of_trait = url(environment, kim, f"traits/{TraitKey.objects.get(key='plan').pk}/")

    def version() -> str:
        with connection.cursor() as cursor:
            cursor.execute("SELECT ctid::text FROM identities_identity WHERE id = %s", [kim.pk])
            return str(cursor.fetchone()[0])

    before = version()
    put = admin_client.put(url_of_trait, {"trait_key": "plan", "string_value": "pro"})
    sdk_client.post(
        "/api/v1/identities/", {"identifier": "kim", "traits": [{"trait_key": "plan", "trait_value": "pro"}]}
    )

    assert put.status_code == 200
    assert version() == before


def test_overrides_by_identifier_are_not_patched(admin_client, environment, feature):
    path = f"/api/v1/environments/environments/{environment.api_key}/edge-identities-featurestates"

    assert admin_client.patch(path, {"identifier": "kim", "feature": feature.pk}).status_code == 405
    assert admin_client.get(path).status_code == 405
