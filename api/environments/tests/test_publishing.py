"""Publishing by hand, and noticing that publishing has been switched off."""

import pytest
from django.core.management import CommandError, call_command
from django.core.management.base import SystemCheckError
from django.db import connection

from environments.models import Environment, EnvironmentRevision
from environments.publishing import silent_triggers
from projects.models import Project

pytestmark = pytest.mark.django_db(transaction=True)


def named(environment: Environment) -> tuple[int, object]:
    revision = EnvironmentRevision.objects.get(environment_id=environment.pk)
    return revision.revision, revision.nonce


@pytest.fixture
def neighbour(project) -> Environment:
    return Environment.objects.create(project=project, name="Staging")


@pytest.fixture
def run_sql():
    """Run statements; triggers that they switch off are on again afterwards."""

    def run(*statements: str) -> None:
        with connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    yield run
    for table in ("features_feature", "environments_touch"):
        run(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def test_publish_all_raises_every_environment_with_a_new_nonce(environment, neighbour, capsys):
    before = [named(environment), named(neighbour)]

    call_command("publish", "--all")

    after = [named(environment), named(neighbour)]
    assert [number for number, _ in after] == [number + 1 for number, _ in before]
    assert not {nonce for _, nonce in after} & {nonce for _, nonce in before}
    assert capsys.readouterr().out == "Published 2 environments.\n"


def test_publish_all_reaches_what_was_restored_without_its_revision_or_marked_as_deleted(
    environment, neighbour
):
    EnvironmentRevision.objects.filter(environment_id=environment.pk).delete()
    EnvironmentRevision.objects.filter(environment_id=neighbour.pk).update(gone=True)
    before = named(neighbour)

    call_command("publish", "--all")

    assert named(environment)[0] == 1
    assert named(neighbour)[0] == before[0] + 1
    assert not EnvironmentRevision.objects.filter(gone=True).exists()


def test_publish_raises_only_the_environments_that_are_named(environment, neighbour, capsys):
    before, neighbour_before = named(environment), named(neighbour)

    call_command("publish", environment.api_key)

    assert named(environment)[0] == before[0] + 1
    assert named(neighbour) == neighbour_before
    assert capsys.readouterr().out == "Published 1 environment.\n"


@pytest.mark.parametrize("arguments", [[], ["--all", "some-key"], ["no-such-key"]])
def test_publish_refuses_what_it_cannot_mean(environment, arguments):
    before = named(environment)

    with pytest.raises(CommandError):
        call_command("publish", *arguments)

    assert named(environment) == before


def test_all_triggers_stand_in_a_migrated_database():
    assert silent_triggers() == []
    call_command("check", "--database", "default")


def test_a_trigger_that_is_switched_off_is_named_by_the_system_check(run_sql):
    run_sql("ALTER TABLE features_feature DISABLE TRIGGER USER")

    assert {name.split(".")[0] for name in silent_triggers()} == {"features_feature"}
    with pytest.raises(SystemCheckError, match=r"features_feature\.pgtrigger_publish_update\S* is missing"):
        call_command("check", "--database", "default")


def test_a_trigger_that_fires_only_for_replicas_counts_as_switched_off(run_sql):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tgname FROM pg_trigger WHERE tgrelid = 'features_feature'::regclass AND NOT tgisinternal"
        )
        names = [name for (name,) in cursor.fetchall()]
    run_sql(*(f"ALTER TABLE features_feature ENABLE REPLICA TRIGGER {name}" for name in names))

    assert silent_triggers() == sorted(f"features_feature.{name}" for name in names)


def test_publish_says_so_when_nothing_would_raise_the_revisions(environment, run_sql):
    run_sql("ALTER TABLE environments_touch DISABLE TRIGGER USER")
    before = named(environment)

    with pytest.raises(CommandError, match="missing or switched off"):
        call_command("publish", "--all")

    assert named(environment) == before


def test_a_change_of_a_server_side_key_publishes_its_environment(environment):
    key = environment.server_side_keys.create(name="server")
    created = named(environment)[0]

    key.active = False
    key.save()
    revoked = named(environment)[0]
    key.name = "renamed"
    key.save()
    renamed = named(environment)[0]
    key.delete()

    assert [revoked, renamed, named(environment)[0]] == [created + 1, created + 1, created + 2]


def test_a_deleted_project_publishes_its_environments(environment):
    before = named(environment)[0]

    Project.objects.get(pk=environment.project_id).delete()

    assert named(environment)[0] > before
