"""Every table people change is remembered by the history, whoever writes it, and no secret goes with it."""

import re

import pgtrigger
import pytest
from django.apps import apps
from django.db import connection
from django.db.models import Model

from audit.models import RowChange

# What isn't remembered, and why. A new table belongs here, or its model gets `remembers(...)`.
NOT_REMEMBERED = {
    # Written by programs, far more often than by people.
    "identities_identitycountchange": "counts",
    "identities_traitkey": "comes and goes with what SDKs send",
    "analytics_requestbucket": "counts",
    "analytics_featureevaluationbucket": "counts",
    "analytics_identityevaluationbucket": "counts",
    "analytics_firstevaluation": "told by programs",
    "analytics_countswriter": "which counts were written",
    "operations_tablesize": "how large tables were",
    "core_throttlecounter": "counts",
    "core_keptanswer": "answers that may be asked for again",
    "health_healthevent": "what monitoring has reported",
    "integrations_message": "waits to be told, and goes by itself",
    "features_coderepository": "what scans of code have found",
    "features_codesighting": "what scans of code have found",
    "environments_touch": "what a running transaction has changed",
    "environments_environmentrevision": "a consequence of changes",
    "environments_projectrevision": "a consequence of changes",
    # Memories themselves.
    "audit_auditrecord": "the audit log",
    "audit_rowchange": "the history",
    "environments_publishedrevision": "the history of revisions",
    "segments_segmentrevision": "what segments were before they were changed",
    "django_admin_log": "Django's own log of the admin",
    "accounts_sentmail": "a log",
    "webhooks_event": "what is told of changes",
    "webhooks_delivery": "what came of telling it",
    "webhooks_receiver": "who doesn't answer",
    "tasks_job": "what is to be done and what came of it, by itself",
    "tasks_recurringtask": "when something was done last, by itself",
    # Signing in and out.
    "authtoken_token": "its key is the secret itself",
    "django_session": "its key is the secret itself",
    "accounts_backupcode": "used up by signing in; that they were made shows in the second factor",
    "axes_accessattempt": "a log",
    "axes_accessattemptexpiration": "a log",
    "axes_accessfailurelog": "a log",
    "axes_accesslog": "a log",
    # Of Django, and without a meaning here.
    "auth_permission": "written by migrations",
    "auth_group": "no permission of this server hangs on it",
    "auth_group_permissions": "no permission of this server hangs on it",
    "users_user_groups": "no permission of this server hangs on it",
    "users_user_user_permissions": "no permission of this server hangs on it",
    "django_content_type": "written by migrations",
    "django_site": "one row, which nothing reads but links in mails",
}


def remembering(model: type[Model]) -> list[pgtrigger.Trigger]:
    triggers: list[pgtrigger.Trigger] = getattr(model._meta, "triggers", [])
    return [each for each in triggers if str(each.name).startswith("remember_")]


def body_of(trigger: pgtrigger.Trigger) -> str:
    return trigger.func.func if isinstance(trigger.func, pgtrigger.Func) else str(trigger.func)


LOOKS_SECRET = re.compile(r"pass|secret|token|hash|key|digest|code|seed|url|salt|credential|signature")
# Those that only look like it.
NO_SECRETS = {
    "environments_environment.api_key",  # of clients: every browser shows it
    "environments_environment.use_identity_composite_key_for_hashing",
    "features_featurestate.hash_seed",
    "features_externalresource.url",
    "features_feature.is_server_key_only",
    "features_multivariateoption.key",
    "permissions_roleassignment.master_key_id",
    "features_featureexport.master_key_id",
    "features_featureimport.master_key_id",
    "features_environmentfeatureversion.created_by_key_id",
    "features_environmentfeatureversion.created_by_key_name",
    "features_environmentfeatureversion.published_by_key_id",
    "features_environmentfeatureversion.published_by_key_name",
    "workflows_changerequest.user_key_id",
    "workflows_changerequest.user_key_name",
    "workflows_changerequest.committed_by_key_id",
    "workflows_changerequest.committed_by_key_name",
    "workflows_comment.user_key_id",
    "workflows_comment.user_key_name",
}

REMEMBERED = {
    model._meta.db_table: [body_of(trigger) for trigger in remembering(model)]
    for model in apps.get_models()
    if remembering(model)
}

KEYS = {model._meta.db_table: model._meta.pk.column for model in apps.get_models() if remembering(model)}


def columns_of(table: str) -> set[str]:
    return {
        str(field.column)
        for model in apps.get_models(include_auto_created=True)
        if model._meta.db_table == table
        for field in model._meta.concrete_fields
    }


def test_every_table_is_remembered_or_has_a_reason_not_to_be():
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}

    assert tables - set(REMEMBERED) == set(NOT_REMEMBERED)


def test_columns_that_look_secret_are_remembered_without_their_values():
    looking_secret = {
        f"{table}.{column}"
        for table in REMEMBERED
        for column in columns_of(table)
        if LOOKS_SECRET.search(column)
    }
    concealed = {
        f"{table}.{column}"
        for table, bodies in REMEMBERED.items()
        for column in columns_of(table)
        if all(f"'{column}'" in body for body in bodies)
    }

    assert looking_secret - concealed == NO_SECRETS


@pytest.mark.django_db
def test_every_trigger_finds_the_columns_it_names():
    """They are looked up when it fires: for no row at all will do."""
    with connection.cursor() as cursor:
        for table, key in KEYS.items():
            for statement in (
                f"INSERT INTO {table} SELECT * FROM {table} WHERE false",
                f"UPDATE {table} SET {key} = {key} WHERE false",
                f"DELETE FROM {table} WHERE false",
            ):
                cursor.execute(statement)
        cursor.execute("TRUNCATE organisations_organisation, users_user, environments_environment CASCADE")

    assert not RowChange.objects.exists()
