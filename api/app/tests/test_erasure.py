"""People who are to be forgotten are, wherever their identifier was kept."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from analytics.models import IdentityEvaluationBucket
from audit.models import AuditRecord, RowChange
from environments.models import Environment
from features.models import FeatureState
from identities.models import Identity
from organisations.models import Organisation
from projects.models import Project

KIM = "kim@example.org"


@pytest.fixture
def staging(project) -> Environment:
    return Environment.objects.create(project=project, name="Staging")


@pytest.fixture
def elsewhere(organisation) -> Environment:
    other = Project.objects.create(organisation=organisation, name="Other")
    return Environment.objects.create(project=other, name="Production")


@pytest.fixture
def known(admin_client, environment, staging, elsewhere, feature) -> None:
    """Kim is known in three environments, and has an override, and another name than once, in the first."""
    environment_of_another_organisation = Environment.objects.create(
        project=Project.objects.create(organisation=Organisation.objects.create(name="Other"), name="Other"),
        name="Production",
    )
    Identity.objects.create(environment=environment_of_another_organisation, identifier=KIM)
    environment.webhooks.create(url="http://127.0.0.1:1/hook")
    for each in (staging, elsewhere):
        admin_client.post(f"/api/v1/environments/{each.api_key}/identities/", {"identifier": KIM})
        IdentityEvaluationBucket.objects.create(
            environment_id=each.pk,
            feature_name="new_checkout",
            identity_identifier=KIM,
            enabled_when_evaluated=True,
            started_at=timezone.now(),
            total_count=3,
        )
    url = f"/api/v1/environments/{environment.api_key}/identities/"
    made = admin_client.post(url, {"identifier": "k.once"}).json()
    admin_client.put(f"{url}{made['id']}/", {"identifier": KIM})
    admin_client.post(f"{url}{made['id']}/featurestates/", {"feature": feature.pk, "enabled": True})
    admin_client.post(url, {"identifier": f"not {KIM}"})


def traces(text: str) -> dict[str, int]:
    """Return how many rows have a text in them, of the tables of the database that have any."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relkind IN ('r', 'p') AND NOT relispartition"
        )
        found = {}
        for (table,) in cursor.fetchall():
            cursor.execute(
                f'SELECT count(*) FROM "{table}" AS t WHERE t::text LIKE %s',
                [f"%{text}%"],
            )
            found[table] = cursor.fetchone()[0]
    return {table: number for table, number in found.items() if number}


def erase(client: Any, place: Any, **more: Any) -> Any:
    kind = "projects" if isinstance(place, Project) else "organisations"
    return client.post(f"/api/v1/{kind}/{place.pk}/erase-identifier/", {"identifier": KIM, **more})


def test_a_project_forgets_somebody_without_a_trace(
    admin_client, known, project, environment, staging, elsewhere, feature
):
    staging.delete()

    foretold = erase(admin_client, project, dry_run=True)
    kept = Identity.objects.filter(identifier=KIM).count()
    assert "webhooks_event" in traces(KIM)
    erased = erase(admin_client, project)

    assert kept == 4
    assert erased.status_code == 200
    assert erased.json()["identities"] == 2
    assert {**foretold.json(), "audit_entries": 0} == {**erased.json(), "audit_entries": 0}
    assert (erased.json()["overrides"], erased.json()["evaluations"]) == (1, 1)
    assert list(
        Identity.objects.filter(environment__project=project).values_list("identifier", flat=True)
    ) == [f"not {KIM}"]
    assert not FeatureState.all_objects.filter(identity__isnull=False).exists()
    assert traces("k.once") == {}
    # Of Kim elsewhere, and of whoever has a longer name.
    assert traces(KIM) == {
        "identities_identity": 2 + 1,
        "audit_rowchange": 1 + 1,
        "analytics_identityevaluationbucket": 1,
    }


def test_the_log_says_that_it_was_done_and_not_to_whom(admin_client, admin, known, project):
    erase(admin_client, project)

    record = AuditRecord.objects.latest("pk")
    deletion = RowChange.objects.filter(table_name="identities_identity", operation="DELETE").latest("pk")
    override = AuditRecord.objects.get(log__contains="override created")
    assert record.log == "An identifier was erased from project: Web shop (2 identities)"
    assert (record.author, record.project, record.related_object_id) == (admin, project, None)
    assert (deletion.name, (deletion.before or {})["identifier"]) == ("[erased]", "[erased]")
    assert override.log.endswith("and identity '[erased]'")


def test_an_organisation_forgets_somebody_in_all_of_its_projects(admin_client, known, organisation):
    erased = erase(admin_client, organisation)

    assert (erased.json()["identities"], erased.json()["evaluations"]) == (3, 2)
    assert Identity.objects.filter(identifier=KIM).count() == 1


def test_only_administrators_have_somebody_forgotten(
    client_of, member, stranger, known, organisation, project
):
    statuses = [
        erase(client_of(user), place).status_code
        for user in (member, stranger)
        for place in (organisation, project)
    ]

    assert set(statuses) == {403}
    assert Identity.objects.filter(identifier=KIM).count() == 4


def test_the_command_counts_unless_it_is_told_to_erase(known, organisation):
    def run(*arguments: str) -> str:
        output = StringIO()
        call_command(
            "eraseidentifier", KIM, "--organisation", str(organisation.pk), *arguments, stdout=output
        )
        return output.getvalue()

    counted, left, erased = run(), Identity.objects.filter(identifier=KIM).count(), run("--erase")

    assert counted.startswith("identities: 3\noverrides: 1\nevaluations: 2\n")
    assert counted.endswith("Nothing is erased without --erase.\n")
    assert left == 4
    assert erased.endswith("Erased.\n")
    assert Identity.objects.filter(identifier=KIM).count() == 1


def test_the_log_still_refuses_every_other_change(admin_client, known, project):
    erase(admin_client, project)

    for model in (AuditRecord, RowChange):
        with pytest.raises(DatabaseError), transaction.atomic():
            model.objects.update(**{"log" if model is AuditRecord else "name": "x"})
