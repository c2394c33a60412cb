"""What scripts written for Flagsmith's edge store find here."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from features.models import Feature, FeatureState, MultivariateOption
from features.services.feature_states import create_feature_state
from identities.models import Identity


@pytest.fixture
def url(environment) -> str:
    key = environment.api_key
    return f"/api/v1/environments/environments/{key}/edge-identities-featurestates"


def body(**more: Any) -> dict[str, Any]:
    return {"identifier": "a@b", "feature": "new_checkout", **more}


class TestOverridesByIdentifier:
    def test_make_the_identity_change_and_go(self, admin_client, sdk_client, environment, feature, url):
        made = admin_client.put(url, body(enabled=True, feature_state_value="x"))
        changed = admin_client.put(url, body(feature=feature.pk, feature_state_value=7))
        served = sdk_client.get("/api/v1/identities/", {"identifier": "a@b"}).json()["flags"]
        deleted = admin_client.delete(url, body())
        again = admin_client.delete(url, body())
        of_nobody = admin_client.delete(url, {**body(), "identifier": "nobody"})

        assert [each.status_code for each in (made, changed, deleted, again, of_nobody)] == [
            200,
            200,
            204,
            204,
            204,
        ]
        assert Identity.objects.get().identifier == "a@b"
        assert made.json() == {
            "featurestate_uuid": made.json()["featurestate_uuid"],
            "identity_uuid": made.json()["identity_uuid"],
            "feature": feature.pk,
            "enabled": True,
            "feature_state_value": "x",
            "multivariate_feature_state_values": [],
        }
        assert changed.json() == {**made.json(), "enabled": False, "feature_state_value": 7}
        assert [each["feature_state_value"] for each in served] == [7]
        assert not FeatureState.objects.filter(identity__isnull=False, deleted_at=None).exists()

    def test_carry_shares_of_variants(self, admin_client, project, url):
        colour = Feature.objects.create(project=project, name="colour")
        option = MultivariateOption.objects.create(feature=colour, string_value="green")
        share = {"multivariate_feature_option": option.pk, "percentage_allocation": 100.0}

        made = admin_client.put(url, body(feature="colour", multivariate_feature_state_values=[share]))

        (shown,) = made.json()["multivariate_feature_state_values"]
        assert {**shown, "id": None} == {**share, "id": None}

    @pytest.mark.parametrize(
        ("sent", "field"),
        [
            ({"feature": "unknown"}, "feature"),
            ({"feature": 2**40}, "feature"),
            ({"feature": None}, "feature"),
            ({"identifier": ""}, "identifier"),
            ({"feature_state_value": "x" * 20_001}, "feature_state_value"),
        ],
    )
    def test_refuse_what_makes_no_sense(self, admin_client, feature, url, sent, field):
        refused = admin_client.put(url, {**body(), **sent})

        assert (refused.status_code, list(refused.json())) == (400, [field])
        assert not Identity.objects.exists()


class TestOverridesOfAFeature:
    def test_are_listed_with_identifiers_in_a_fixed_number_of_queries(
        self, admin_client, project, environment, feature
    ):
        other = Feature.objects.create(project=project, name="other")
        url = f"/api/v1/environments/{environment.api_key}/edge-identity-overrides"

        def override(identifier: str, of: Feature) -> None:
            identity = Identity.objects.create(environment=environment, identifier=identifier)
            create_feature_state(
                feature_id=of.pk,
                environment_id=environment.pk,
                identity_id=identity.pk,
                author=None,
                enabled=True,
            )

        def queries() -> int:
            with CaptureQueriesContext(connection) as captured:
                admin_client.get(url, {"feature": feature.pk})
            return len(captured)

        override("kim", feature)
        override("noor", other)
        of_one = queries()
        (only,) = admin_client.get(url, {"feature": feature.pk}).json()["results"]
        for number in range(4):
            override(f"more {number}", feature)

        assert only["identifier"] == "kim"
        assert only["identity_uuid"] == only["feature_state"]["identity_uuid"]
        assert (only["feature_state"]["feature"], only["feature_state"]["enabled"]) == (feature.pk, True)
        assert queries() == of_one
        assert admin_client.get(url).json()["count"] == 6


def test_the_edge_store_itself_is_refused(admin_client, client_of, stranger, environment):
    url = f"/api/v1/environments/{environment.api_key}/edge-identities/"
    refusal = {"detail": "Dynamo DB is not enabled for this project"}

    answers = [admin_client.get(url), admin_client.post(url), admin_client.get(f"{url}some-uuid/")]

    assert [(each.status_code, each.json()) for each in answers] == [(400, refusal)] * 3
    assert client_of(stranger).get(url).status_code == 403
