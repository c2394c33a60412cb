"""What an identity is served, as people are shown it, and copying its overrides from another one."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import AuditRecord
from environments.models import Environment
from features.models import Feature, FeatureSegment, FeatureState, MultivariateOption
from features.services.allocations import Allocation
from features.services.feature_states import create_feature_state
from identities.models import Identity
from segments.models import Condition, Operator, RuleType, Segment, SegmentRule


def overrides_url(identity: Identity, action: str = "") -> str:
    key = identity.environment.api_key
    return f"/api/v1/environments/{key}/identities/{identity.pk}/featurestates/{action}"


def make_segment(project: Any, name: str, operator: str = Operator.EQUAL, **condition: Any) -> Segment:
    segment = Segment.objects.create(project=project, name=name, feature=condition.pop("feature", None))
    top = SegmentRule.objects.create(segment=segment, type=RuleType.ALL)
    rule = SegmentRule.objects.create(segment=segment, parent=top, type=RuleType.ANY)
    Condition.objects.create(rule=rule, operator=operator, **condition)
    return segment


@pytest.fixture
def kim(environment) -> Identity:
    return Identity.objects.create(environment=environment, identifier="kim", traits={"plan": "pro"})


@pytest.fixture
def noor(environment) -> Identity:
    return Identity.objects.create(environment=environment, identifier="noor", traits={"plan": "free"})


@pytest.fixture
def pro(project) -> Segment:
    return make_segment(project, "pro", property="plan", value="pro")


@pytest.fixture
def colour(project, environment) -> Feature:
    """Green for everyone who draws a variant, and nobody keeps the control value."""
    feature = Feature.objects.create(project=project, name="colour", initial_value="blue")
    MultivariateOption.objects.create(
        feature=feature, string_value="green", default_percentage_allocation=100
    )
    return feature


def override(feature: Feature, identity: Identity, **changes: Any) -> FeatureState:
    return create_feature_state(
        feature_id=feature.pk,
        environment_id=identity.environment_id,
        identity_id=identity.pk,
        author=None,
        **changes,
    )


class TestAllFlags:
    def test_are_what_the_identity_gets_and_why(
        self, admin_client, sdk_client, project, environment, feature, colour, pro, kim
    ):
        for_pro = Feature.objects.create(project=project, name="for_pro")
        create_feature_state(
            feature_id=for_pro.pk, environment_id=environment.pk, segment_id=pro.pk, author=None, enabled=True
        )
        override(feature, kim, value=5)

        flags = admin_client.get(overrides_url(kim, "all/")).json()

        segment = {"id": pro.pk, "name": "pro"}
        weight = {"multivariate_feature_option": {"value": "green"}, "percentage_allocation": 100.0}
        assert flags == [
            {
                "feature": {"id": each.pk, "name": each.name, "type": type_},
                "enabled": enabled,
                "feature_state_value": value,
                "overridden_by": by,
                "segment": by_segment,
                "unmet_prerequisite": None,
                "multivariate_feature_state_values": weights,
            }
            for each, type_, enabled, value, by, by_segment, weights in [
                (feature, "STANDARD", False, 5, "IDENTITY", None, []),
                (colour, "MULTIVARIATE", False, "green", None, None, [weight]),
                (for_pro, "STANDARD", True, None, "SEGMENT", segment, []),
            ]
        ]
        served = sdk_client.get("/api/v1/identities/", {"identifier": "kim"}).json()["flags"]
        assert [(each["feature"]["name"], each["feature_state_value"]) for each in served] == [
            (each["feature"]["name"], each["feature_state_value"]) for each in flags
        ]

    def test_cost_the_same_however_many_there_are(
        self, admin_client, project, environment, feature, kim, noor
    ):
        def queries() -> int:
            with CaptureQueriesContext(connection) as captured:
                admin_client.get(overrides_url(kim, "all/"))
            return len(captured)

        override(feature, kim)
        of_few = queries()
        for number in range(5):
            more = Feature.objects.create(project=project, name=f"more_{number}")
            override(more, kim)
            override(more, noor)

        assert queries() == of_few

    def test_of_an_identity_elsewhere_are_not_found(self, admin_client, project, kim):
        staging = Environment.objects.create(project=project, name="Staging")

        response = admin_client.get(
            f"/api/v1/environments/{staging.api_key}/identities/{kim.pk}/featurestates/all/"
        )

        assert response.status_code == 404


class TestCopies:
    def test_make_the_overrides_equal_shares_of_variants_included(
        self, admin_client, project, feature, colour, kim, noor
    ):
        option = colour.multivariate_options.get()
        only_kim = Feature.objects.create(project=project, name="only_kim")
        override(feature, noor, value="theirs", enabled=True)
        override(colour, noor, value="grey", allocations=(Allocation(option.pk, 25),))
        override(only_kim, kim)
        override(feature, kim, value="mine")
        records = AuditRecord.objects.count()

        answer = admin_client.post(
            overrides_url(kim, "clone-from-given-identity/"), {"source_identity_id": noor.pk}
        )

        def described(identity: Identity) -> list[Any]:
            results = admin_client.get(overrides_url(identity)).json()["results"]
            return [
                (
                    each["feature"],
                    each["enabled"],
                    each["feature_state_value"],
                    [
                        (share["multivariate_feature_option"], share["percentage_allocation"])
                        for share in each["multivariate_feature_state_values"]
                    ],
                )
                for each in sorted(results, key=lambda each: each["feature"])
            ]

        assert answer.status_code == 200
        assert answer.json() == admin_client.get(overrides_url(kim, "all/")).json()
        assert described(kim) == described(noor)
        assert described(kim) == [
            (feature.pk, True, "theirs", []),
            (colour.pk, False, "grey", [(option.pk, 25.0)]),
        ]
        # Of the override that came, of the one that went, and of what changed of the third.
        assert AuditRecord.objects.count() == records + 4
        admin_client.post(overrides_url(kim, "clone-from-given-identity/"), {"source_identity_id": noor.pk})
        assert AuditRecord.objects.count() == records + 4

    def test_are_of_identities_of_the_same_environment_only(self, admin_client, project, feature, kim):
        staging = Environment.objects.create(project=project, name="Staging")
        elsewhere = Identity.objects.create(environment=staging, identifier="kim")
        override(feature, kim)

        answers = [
            admin_client.post(
                overrides_url(kim, "clone-from-given-identity/"), {"source_identity_id": wanted}
            )
            for wanted in (elsewhere.pk, 2**62, "x")
        ]

        assert [each.status_code for each in answers] == [404, 404, 400]
        assert FeatureState.objects.filter(identity=kim, deleted_at=None).count() == 1


class TestSegmentsOfAnIdentity:
    def names(self, client: Any, project: Any, identity_id: object, **query: Any) -> list[str]:
        answer = client.get(f"/api/v1/projects/{project.pk}/segments/", {"identity": identity_id, **query})
        return [each["name"] for each in answer.json()["results"]]

    def test_are_those_matched_right_now_by_stored_traits(
        self, admin_client, project, environment, feature, pro, kim, noor
    ):
        make_segment(project, "kims", property="$.identity.identifier", value="kim")
        make_segment(project, "of the feature", property="plan", value="pro", feature=feature)
        make_segment(project, "half", Operator.PERCENTAGE_SPLIT, property="", value="0")

        before = [self.names(admin_client, project, each.pk) for each in (kim, noor)]
        Identity.objects.filter(pk=noor.pk).update(traits={"plan": "pro"})

        assert before == [["pro", "kims", "of the feature"], []]
        assert self.names(admin_client, project, noor.pk) == ["pro", "of the feature"]
        assert self.names(admin_client, project, kim.pk, q="KIM") == ["kims"]
        assert self.names(admin_client, project, kim.pk, include_feature_specific="false") == ["pro", "kims"]

    def test_of_another_projects_identity_are_none(self, admin_client, organisation, project, pro):
        other = organisation.projects.create(name="Other")
        stranger = Identity.objects.create(
            environment=Environment.objects.create(project=other, name="Production"),
            identifier="kim",
            traits={"plan": "pro"},
        )
        url = f"/api/v1/projects/{project.pk}/segments/"

        assert self.names(admin_client, project, stranger.pk) == []
        assert self.names(admin_client, project, 2**62) == []
        assert admin_client.get(url, {"identity": "kim"}).status_code == 400
        assert self.names(admin_client, project, "") == ["pro"]


def test_a_deleted_segments_override_is_not_served(admin_client, environment, feature, pro, kim):
    create_feature_state(
        feature_id=feature.pk, environment_id=environment.pk, segment_id=pro.pk, author=None, enabled=True
    )
    FeatureSegment.objects.get().delete()

    (flag,) = admin_client.get(overrides_url(kim, "all/")).json()

    assert (flag["enabled"], flag["overridden_by"], flag["segment"]) == (False, None, None)
