"""Limits on the whole management API, where they are switched on."""

from uuid import uuid4

import pytest
from rest_framework.views import APIView

from core.throttling import MasterAPIKeyUserRateThrottle, UserRateThrottle
from permissions.actors import Machine

pytestmark = pytest.mark.django_db


@pytest.fixture
def set_rates(settings, monkeypatch):
    """Return a function that sets the rates, as the environment does before anything is imported."""

    def with_rates(**rates: str) -> None:
        rest_framework = settings.REST_FRAMEWORK
        rates = {**rest_framework["DEFAULT_THROTTLE_RATES"], **rates}
        settings.REST_FRAMEWORK = {**rest_framework, "DEFAULT_THROTTLE_RATES": rates}
        monkeypatch.setattr(APIView, "throttle_classes", [UserRateThrottle, MasterAPIKeyUserRateThrottle])

    return with_rates


def test_a_user_is_limited_in_the_whole_management_api_and_their_neighbours_are_not(
    set_rates, admin, member, client_of
):
    set_rates(user="2/min")

    responses = [client_of(admin).get("/api/v1/organisations/") for _ in range(3)]
    neighbours = client_of(member).get("/api/v1/organisations/")

    assert [each.status_code for each in responses] == [200, 200, 429]
    assert 0 < int(responses[-1]["Retry-After"]) <= 60
    assert neighbours.status_code == 200


def test_master_keys_have_a_limit_of_their_own(set_rates, organisation, client_of):
    set_rates(user="1/min", master_api_key="2/min")
    machines = [
        Machine(key_id=uuid4(), name=name, organisation_id=organisation.pk, is_admin=True) for name in "ab"
    ]

    statuses = [
        [client_of(machine).get("/api/v1/projects/").status_code for _ in range(3)] for machine in machines
    ]

    assert statuses == [[200, 200, 429]] * 2
