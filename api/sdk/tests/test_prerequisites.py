"""Prerequisites, seen through every door by which flags are read."""

from typing import Any

import pytest
from django.db import connection
from flagsmith import Flagsmith

from documents.tests.factories import make_feature, make_segment, override_for_identity, override_for_segment
from features.models import FeatureState, Prerequisite
from identities.models import Identity
from sdk.tests.answers import flag_of
from sdk.tests.test_agreement import GivenDocument


@pytest.fixture
def checkout(project, environment) -> Any:
    """`checkout` is on, and needs `payments`, which is on for who has the plan "pro". Tim has his own."""
    payments = make_feature(project, "payments")
    override_for_segment(payments, environment, make_segment(project))
    checkout = make_feature(project, "checkout", enabled=True, value="blue")
    override_for_identity(checkout, environment, "tim", value="own")
    Prerequisite.objects.create(environment=environment, feature=checkout, required_feature=payments)
    return checkout


def test_what_needs_a_flag_that_is_off_is_off_at_every_door(
    checkout, environment, sdk_client, server_sdk_client, admin_client, identify
):
    flag = flag_of(sdk_client.get("/api/v1/flags/").json(), "checkout")
    document = server_sdk_client.get("/api/v1/environment-document/").json()
    local = Flagsmith(offline_mode=True, offline_handler=GivenDocument(document))

    state = FeatureState.objects.get(feature=checkout, identity=None)
    assert (flag["id"], flag["enabled"], flag["feature_state_value"]) == (state.pk, False, "blue")
    assert not local.get_environment_flags().is_feature_enabled("checkout")
    for identifier, plan, enabled, value in [
        ("ada", "pro", True, "blue"),
        ("noor", "free", False, "blue"),
        ("tim", "free", True, "own"),
    ]:
        remote = flag_of(identify(identifier, plan=plan), "checkout")
        assert (remote["enabled"], remote["feature_state_value"]) == (enabled, value), identifier
        flags = local.get_identity_flags(identifier, {"plan": plan})
        flags.all_flags()  # else the SDK looks at one flag alone, which can't read others
        here = flags.get_flag("checkout")
        assert (here.enabled, here.value) == (enabled, value), identifier
        context = {"context": {"targetingKey": identifier, "plan": plan}}
        ofrep = sdk_client.post("/ofrep/v1/evaluate/flags/checkout", context, "json").json()
        assert ofrep["reason"] == ("TARGETING_MATCH" if enabled else "DISABLED")
        assert ofrep["metadata"].get("unmetPrerequisite") == (None if enabled else "payments")
        alone = sdk_client.get("/api/v1/identities/", {"identifier": identifier, "feature": "checkout"})
        assert alone.json()["enabled"] is enabled

    noor = Identity.objects.get(identifier="noor")
    path = f"/api/v1/environments/{environment.api_key}/identities/{noor.pk}/featurestates/all/"
    shown = flag_of(admin_client.get(path).json(), "checkout")
    assert (shown["enabled"], shown["unmet_prerequisite"], shown["overridden_by"], shown["segment"]) == (
        False,
        "payments",
        None,
        None,
    )
    old = sdk_client.get("/api/v1/identities/noor/").json()
    assert old["segments"] == []
    assert not flag_of(old, "checkout")["enabled"]


def test_a_prerequisite_that_comes_or_goes_is_published_at_once(
    checkout, environment, sdk_client, admin_client
):
    connection.check_constraints()  # as a commit does
    before = sdk_client.get("/api/v1/flags/")
    one = f"/api/v1/environments/{environment.api_key}/prerequisites/{Prerequisite.objects.get().pk}/"

    admin_client.patch(one, {"enabled": False}, "json")
    connection.check_constraints()
    between = sdk_client.get("/api/v1/flags/")
    admin_client.delete(one)
    connection.check_constraints()
    after = sdk_client.get("/api/v1/flags/")

    assert [flag_of(each.json(), "checkout")["enabled"] for each in (before, between, after)] == [
        False,
        True,
        True,
    ]
    assert len({each["ETag"] for each in (before, between, after)}) == 3
