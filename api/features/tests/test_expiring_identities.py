"""Identities that nobody asks for any more go, if the installation says so."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from audit.models import RowChange
from core.causes import working_as
from environments.models import Environment, EnvironmentRevision
from features.services.feature_states import create_feature_state, remove_feature_state
from identities import expiry
from identities.models import Identity
from identities.selectors import number_of_identities
from identities.tasks import expire_identities


def seen(environment: Environment, identifier: str, *, days_ago: int) -> Identity:
    last_seen = (timezone.now() - timedelta(days=days_ago)).date()
    return Identity.objects.create(environment=environment, identifier=identifier, last_seen=last_seen)


def expire(*arguments: str) -> str:
    output = StringIO()
    call_command("expireidentities", *arguments, stdout=output)
    return output.getvalue()


@pytest.fixture
def crowd(environment, feature) -> None:
    for number in range(5):
        seen(environment, f"old {number}", days_ago=31)
    seen(environment, "recent", days_ago=30)
    for identifier in ("overrides", "no longer overrides"):
        override = create_feature_state(
            feature_id=feature.pk,
            environment_id=environment.pk,
            identity_id=seen(environment, identifier, days_ago=400).pk,
            author=None,
        )
    remove_feature_state(override, author=None)


def left() -> list[str]:
    return list(Identity.objects.values_list("identifier", flat=True))


def test_are_counted_before_anything_goes_and_deleted_in_batches(
    crowd, environment, monkeypatch, project, settings
):
    monkeypatch.setattr(expiry, "BATCH", 2)
    elsewhere = Environment.objects.create(project=project, name="Staging")
    seen(elsewhere, "elsewhere", days_ago=400)

    counted = expire("--days", "30", "--environment", environment.api_key)
    everybody = len(left())
    with working_as("tests"):
        deleted = expire("--days", "30", "--environment", environment.api_key, "--delete")

    assert counted.startswith("6 identities would go.")
    assert everybody == 9
    assert deleted == "Deleted 6 identities.\n"
    assert left() == ["recent", "overrides", "elsewhere"]
    assert number_of_identities(environment) == 2
    # The history would keep the names that are to go.
    assert not RowChange.objects.filter(table_name="identities_identity", operation="DELETE").exists()


def test_publish_nothing_when_they_go(environment, feature):
    seen(environment, "old", days_ago=31)
    before = list(EnvironmentRevision.objects.values_list("revision", flat=True))

    assert list(expiry.delete_expired_identities(30)) == [1]
    assert list(EnvironmentRevision.objects.values_list("revision", flat=True)) == before


def test_stay_unless_the_installation_says_after_how_many_days(crowd, settings):
    everybody = left()

    expire_identities()
    with pytest.raises(CommandError, match="--days"):
        expire()

    assert left() == everybody
    settings.IDENTITY_TTL_DAYS = 30
    expire_identities()
    assert left() == ["recent", "overrides"]
