"""What the history's triggers note of each change."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection, transaction
from django.db.models import Model
from django.db.utils import DatabaseError
from django.utils import timezone

from audit.models import AuditRecord, RelatedObjectType, RowChange
from audit.retention import forget_old_changes
from audit.services import record
from core import causes
from core.causes import Cause, caused_by, working_as
from environments.models import EnvironmentWebhook, PublishedRevision
from features.models import Feature, FeatureState
from identities.batches import TraitChanges
from identities.models import Identity
from identities.services import store_traits
from projects.models import Tag


def changes_of(row: Model, since: int = 0) -> list[Any]:
    rows = RowChange.objects.filter(table_name=row._meta.db_table, object_id=str(row.pk), pk__gt=since)
    return list(rows.order_by("pk"))


def delete_at_once(rows) -> None:
    """As if the transaction ended here."""
    rows.delete()
    connection.check_constraints()


def latest() -> int:
    newest = RowChange.objects.first()
    return newest.pk if newest else 0


def test_a_row_is_remembered_from_its_beginning_to_its_end(project):
    tag = Tag.objects.create(project=project, label="beta")
    pk = tag.pk
    Tag.objects.filter(pk=pk).update(label="gamma", color="#000000")
    tag.refresh_from_db()
    tag.save()
    tag.delete()
    tag.pk = pk

    created, updated, deleted = changes_of(tag)

    assert (created.operation, created.before, created.after["label"]) == ("INSERT", None, "beta")
    assert updated.before == {"label": "beta", "color": "#6837FC"}
    assert updated.after == {"label": "gamma", "color": "#000000"}
    assert (deleted.operation, deleted.before["label"], deleted.after) == ("DELETE", "gamma", None)
    assert {(each.name, each.object_uuid) for each in (updated, deleted)} == {("gamma", tag.uuid)}
    assert {(each.organisation_id, each.project_id, each.environment_id) for each in changes_of(tag)} == {
        (project.organisation_id, project.pk, None)
    }


def test_bulk_writes_raw_sql_and_cascades_are_remembered_row_by_row(environment, feature):
    other = Feature.objects.create(project=environment.project, name="other")
    before = latest()
    state, other_state = FeatureState.objects.order_by("pk")

    FeatureState.objects.update(enabled=True)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE features_featurestate SET string_value = 'red' WHERE id = %s", [state.pk])
    feature.delete()

    assert [each.after for each in changes_of(other_state, before)] == [{"enabled": True}]
    enabled, valued, gone = changes_of(state, before)
    assert (enabled.after, valued.before, valued.after) == (
        {"enabled": True},
        {"string_value": "blue"},
        {"string_value": "red"},
    )
    assert set(gone.after) == {"deleted_at"}
    assert gone.environment_id == environment.pk
    assert other.name in {each.name for each in changes_of(other_state, before)}


def test_what_was_rolled_back_was_never_there(project):
    with transaction.atomic():
        tag = Tag.objects.create(project=project, label="beta")
        transaction.set_rollback(True)

    assert changes_of(tag) == []


def test_secrets_are_remembered_without_what_they_are(environment):
    webhook = EnvironmentWebhook.objects.create(
        environment=environment, url="https://name:word@hooks.example.org/T01/B02", secret="first secret text"
    )
    webhook.secret = "second secret text"
    webhook.save()
    webhook.save()

    created, updated = changes_of(webhook)

    assert (created.name, set(created.concealed)) == ("hooks.example.org", {"url", "secret"})
    assert (updated.before, updated.after, updated.concealed) == (None, None, ["secret"])
    assert not {"url", "secret"} & created.after.keys()


def test_who_acts_is_remembered_and_nobody_after_that(environment, admin):
    cause = Cause(name="kim's \\ \"key\" 'x' 100% \0 \ud800", source="api", user_id=admin.pk, request_id="r1")
    key_id = uuid4()
    with caused_by(lambda: cause):
        tags = Tag.objects.bulk_create(Tag(project=environment.project, label=label) for label in "ab")
        list(Tag.objects.filter(label="a").iterator())
        with connection.cursor() as cursor:
            cursor.executemany(
                "UPDATE projects_tag SET label = %s WHERE id = %s", [("c%", tags[0].pk), ("d", tags[1].pk)]
            )
            cursor.execute("UPDATE projects_tag SET label = 'e%' WHERE label = 'd'")
            updated = cursor.rowcount
    with caused_by(lambda: Cause(name="ci", source="api", master_key_id=key_id)):
        Tag.objects.filter(pk=tags[0].pk).update(label="f")
    with working_as("tag_what_is_stale"):
        Tag.objects.filter(pk=tags[0].pk).update(label="g")

    rows = changes_of(tags[0])
    assert updated == 1
    assert {each.actor_name for each in rows[:2]} == {"kim's \\ \"key\" 'x' 100%  ?"}
    assert {(each.actor_id, each.source, each.request_id) for each in rows[:2]} == {(admin.pk, "api", "r1")}
    assert rows[1].after == {"label": "c%"}
    assert (rows[2].actor_id, rows[2].master_key_id, rows[2].actor_name) == (None, key_id, "ci")
    assert (rows[3].actor_name, rows[3].source) == ("tag_what_is_stale", "task")


def test_a_command_is_named_where_nobody_else_is(project, member, monkeypatch):
    monkeypatch.setattr(causes, "_of_process", None)
    causes.name_process("manage.py shell")

    tag = Tag.objects.create(project=project, label="a")
    with caused_by(lambda: None):  # a request whose caller isn't known
        Tag.objects.filter(pk=tag.pk).update(label="b")

    assert [(each.actor_name, each.source) for each in changes_of(tag)] == [
        ("manage.py shell", "command"),
        ("", ""),
    ]


@pytest.mark.django_db(transaction=True)
def test_who_acts_is_forgotten_with_the_statement_or_the_transaction(project):
    tag = Tag.objects.create(project=project, label="a")
    with working_as("somebody"), transaction.atomic():
        Tag.objects.filter(pk=tag.pk).update(label="b")
    Tag.objects.filter(pk=tag.pk).update(label="c")
    with working_as("somebody"):
        Tag.objects.filter(pk=tag.pk).update(label="d")
    with connection.cursor() as cursor:
        cursor.execute("UPDATE projects_tag SET label = 'e'")

    assert [each.actor_name for each in changes_of(tag)] == ["", "somebody", "", "somebody", ""]


def test_telling_who_acts_takes_no_query_of_its_own(project, django_assert_num_queries):
    with working_as("somebody"), django_assert_num_queries(2):
        Tag.objects.create(project=project, label="a")
        list(Tag.objects.all())


def test_identities_are_remembered_when_people_write_them_and_not_when_sdks_do(environment):
    store_traits([TraitChanges(environment.pk, "of an SDK", {"plan": "pro"})])
    with working_as("somebody"):
        identity = Identity.objects.create(environment=environment, identifier="by hand", traits={"age": 3})
        Identity.objects.filter(pk=identity.pk).update(identifier="renamed")
        Identity.objects.filter(identifier="renamed").delete()

    rows = RowChange.objects.filter(table_name="identities_identity").order_by("pk")

    assert [(each.operation, each.name) for each in rows] == [
        ("INSERT", "by hand"),
        ("UPDATE", "renamed"),
        ("DELETE", "renamed"),
    ]
    assert all("traits" not in (each.before or {}) | (each.after or {}) for each in rows)


@pytest.mark.django_db(transaction=True)
def test_a_transaction_says_which_revisions_it_became(environment, feature):
    published = PublishedRevision.objects.count()

    with transaction.atomic():
        Feature.objects.filter(pk=feature.pk).update(description="x")
        FeatureState.objects.filter(feature=feature).update(enabled=True)

    of_feature, of_state = changes_of(feature)[-1], changes_of(FeatureState.objects.get())[-1]
    assert PublishedRevision.objects.count() == published + 1
    named = PublishedRevision.objects.get(xid=of_feature.xid, transaction_at=of_feature.transaction_at)
    assert named.environment_id == environment.pk
    assert (of_state.xid, of_state.transaction_at) == (named.xid, named.transaction_at)


def test_what_stands_in_the_audit_log_stays_as_it_is(organisation, feature, admin):
    written = record(
        "Said",
        author=admin,
        related_object=feature,
        related_object_type=RelatedObjectType.FEATURE,
        organisation_id=organisation.pk,
    )
    for rows in (RowChange.objects.all(), AuditRecord.objects.filter(pk=written.pk)):
        column = "name" if rows.model is RowChange else "log"
        with pytest.raises(DatabaseError, match="can't be changed"), transaction.atomic():
            rows.update(**{column: "something else"})
        with pytest.raises(DatabaseError, match="can't be changed"), transaction.atomic():
            delete_at_once(rows)

    admin.delete()

    written.refresh_from_db()
    assert (written.log, written.author) == ("Said", None)


def test_changes_are_forgotten_when_they_are_older_than_they_are_to_be_kept(feature, settings):
    kept = RowChange.objects.count()
    settings.AUDIT_HISTORY_DAYS = 30
    of_long_ago = {"at": timezone.now() - timedelta(days=31), "operation": "INSERT", "concealed": []}
    old = RowChange.objects.create(pk=0, transaction_at=timezone.now(), xid=1, **of_long_ago)

    assert forget_old_changes() == 1

    connection.check_constraints()
    assert RowChange.objects.count() == kept
    assert not RowChange.objects.filter(pk=old.pk).exists()
    settings.AUDIT_HISTORY_DAYS = 0
    assert forget_old_changes() == 0


def test_the_audit_log_of_a_deleted_organisation_may_go(organisation, feature):
    organisation.delete()

    RowChange.objects.filter(organisation_id=organisation.pk).delete()

    connection.check_constraints()
    assert not RowChange.objects.filter(organisation_id=organisation.pk).exists()
