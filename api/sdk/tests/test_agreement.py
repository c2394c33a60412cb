"""Remote and local evaluation agree: the official Python SDK, given our document, says what we answer."""

from typing import Any

import pytest
from flagsmith import Flagsmith
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from documents.tests.factories import make_feature, make_segment, override_for_identity, override_for_segment
from features.models import Feature, Prerequisite
from segments.models import Operator

TRAITS = st.dictionaries(
    st.sampled_from(["plan", "age", "beta", "version"]),
    st.one_of(
        st.booleans(),
        st.integers(-5, 50),
        st.sampled_from([0.5, 30.0, "30", "030", "pro", "free", "", "true", "1.2.3", "1.10.0"]),
    ),
)
IDENTITIES = st.lists(
    # Numbers, and identifiers that look like one, miss their overrides in local evaluation: quirk 31.
    st.tuples(st.text("abcxyz-@_. é", min_size=1, max_size=12).map(str.strip).filter(bool), TRAITS),
    min_size=10,
    max_size=60,
    unique_by=lambda identity: identity[0],
)
CONDITIONS = [
    ("plan", Operator.EQUAL, "pro"),
    ("plan", Operator.NOT_EQUAL, "pro"),
    ("age", Operator.GREATER_THAN, "29"),
    ("age", Operator.MODULO, "2|0"),
    ("beta", Operator.EQUAL, "true"),
    ("version", Operator.LESS_THAN, "1.10.0:semver"),
    ("plan", Operator.IN, "free,30"),
    ("plan", Operator.REGEX, "^[pf]r"),
    ("age", Operator.IS_NOT_SET, None),
    (None, Operator.PERCENTAGE_SPLIT, "40"),
    ("$.identity.identifier", Operator.CONTAINS, "x"),
]


class GivenDocument:
    """Hands the SDK a document that it would otherwise poll for."""

    def __init__(self, document: Any) -> None:
        self.document = document

    def get_environment(self) -> Any:
        return self.document


@pytest.fixture
def varied(project, environment) -> None:
    """An environment with every operator, every kind of value and override, and weights."""
    for number, (prop, operator, value) in enumerate(CONDITIONS):
        segment = make_segment(project, property=prop, operator=operator, value=value)
        other = make_segment(project, property="plan", value="pro")
        feature = make_feature(
            project,
            value=["text", "5", "true", "", None][number % 5],
            variants={"a": ("A", 20), "": (7, 30), "c": (False, 25)} if number % 2 else None,
        )
        override_for_segment(feature, environment, other, priority=1, enabled=False, value=number)
        override_for_segment(
            feature,
            environment,
            segment,
            priority=0,
            value="override",
            weights={"a": 50} if number % 4 == 1 else None,
        )
        override_for_identity(feature, environment, "axe", value="own")
        override_for_identity(feature, environment, "pinned", weights={"c": 100} if number % 2 else None)
    features = list(Feature.objects.order_by("pk"))
    for feature, required in zip(features[1::3], features[0::3], strict=False):
        Prerequisite.objects.create(environment=environment, feature=feature, required_feature=required)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(identities=IDENTITIES)
def test_local_and_remote_evaluation_agree(varied, server_sdk_client, identities):
    document = server_sdk_client.get("/api/v1/environment-document/").json()
    local = Flagsmith(offline_mode=True, offline_handler=GivenDocument(document))
    asked = [*identities, ("axe", {"plan": "pro"}), ("pinned", {})]
    body = {
        "data": [
            {
                "identifier": identifier,
                "transient": True,
                "traits": [{"trait_key": key, "trait_value": value} for key, value in traits.items()],
            }
            for identifier, traits in asked
        ]
    }

    remote = server_sdk_client.post("/api/v1/bulk-identities/", body, "json").json()

    for (identifier, traits), answer in zip(asked, remote, strict=True):
        flags = local.get_identity_flags(identifier, traits).all_flags()
        assert {flag.feature_name: (flag.enabled, flag.value, type(flag.value)) for flag in flags} == {
            flag["feature"]["name"]: (
                flag["enabled"],
                flag["feature_state_value"],
                type(flag["feature_state_value"]),
            )
            for flag in answer["flags"]
        }


def test_environment_flags_agree_too(varied, server_sdk_client):
    document = server_sdk_client.get("/api/v1/environment-document/").json()
    local = Flagsmith(offline_mode=True, offline_handler=GivenDocument(document))

    remote = server_sdk_client.get("/api/v1/flags/").json()

    assert {
        flag.feature_name: (flag.enabled, flag.value) for flag in local.get_environment_flags().all_flags()
    } == {flag["feature"]["name"]: (flag["enabled"], flag["feature_state_value"]) for flag in remote}
