import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models

import core.days


class Migration(migrations.Migration):
    """Existing identities count as seen today: nobody knows better, and none has to go before its time."""

    dependencies = [("identities", "0003_remember_changes")]

    operations = [
        migrations.AddField(
            model_name="identity",
            name="last_seen",
            field=models.DateField(
                db_default=core.days.UtcToday(),
                editable=False,
                help_text="The last day, in UTC, on which an SDK asked for it.",
            ),
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="identity",
            name="remember_insert",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="identity",
            name="remember_update",
        ),
        pgtrigger.migrations.RemoveTrigger(
            model_name="identity",
            name="remember_delete",
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="identity",
            trigger=pgtrigger.compiler.Trigger(
                name="remember_insert",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (coalesce(current_setting('burgee.cause', true), '') <> '')",
                    declare="DECLARE burgee_cause jsonb := coalesce(nullif(current_setting('burgee.cause', true), ''), '{}')::jsonb;",
                    func="\nINSERT INTO audit_rowchange (\n    at, transaction_at, xid, operation, table_name, object_id, object_uuid, name, before, after, concealed,\n    organisation_id, project_id, environment_id, actor_id, master_key_id, actor_name, source, request_id\n)\nSELECT clock_timestamp(), now(), pg_current_xact_id(), TG_OP, TG_TABLE_NAME, changed.id::text,\n       (whole.row ->> 'uuid')::uuid, coalesce(changed.identifier, ''), NULL::jsonb, whole.row - ARRAY['traits', 'last_seen']::text[], ARRAY(SELECT key FROM unnest(ARRAY[]::text[]) AS key WHERE coalesce(whole.row ->> key, '') <> ''),\n       in_project.organisation_id, in_environment.project_id, changed.environment_id,\n       (burgee_cause ->> 'user')::integer, (burgee_cause ->> 'master_key')::uuid, coalesce(burgee_cause ->> 'name', ''),\n       coalesce(burgee_cause ->> 'source', ''), coalesce(burgee_cause ->> 'request', '')\nFROM (SELECT (NEW).*) AS changed  LEFT JOIN environments_environment AS in_environment ON in_environment.id = changed.environment_id LEFT JOIN projects_project AS in_project ON in_project.id = in_environment.project_id CROSS JOIN LATERAL (SELECT to_jsonb(changed) AS row) AS whole\nORDER BY changed.id;\nRETURN NULL;\n",
                    hash="be8f98c1c85fbf49e0c3ef8a43e3e2d441f986f3",
                    operation="INSERT",
                    pgid="pgtrigger_remember_insert_bea39",
                    table="identities_identity",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="identity",
            trigger=pgtrigger.compiler.Trigger(
                name="remember_update",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (coalesce(current_setting('burgee.cause', true), '') <> '')",
                    declare="DECLARE burgee_cause jsonb := coalesce(nullif(current_setting('burgee.cause', true), ''), '{}')::jsonb;",
                    func="\nINSERT INTO audit_rowchange (\n    at, transaction_at, xid, operation, table_name, object_id, object_uuid, name, before, after, concealed,\n    organisation_id, project_id, environment_id, actor_id, master_key_id, actor_name, source, request_id\n)\nSELECT clock_timestamp(), now(), pg_current_xact_id(), TG_OP, TG_TABLE_NAME, changed.id::text,\n       (whole.row ->> 'uuid')::uuid, coalesce(changed.identifier, ''), differing.before, differing.after, coalesce(differing.concealed, ARRAY[]::text[]),\n       in_project.organisation_id, in_environment.project_id, changed.environment_id,\n       (burgee_cause ->> 'user')::integer, (burgee_cause ->> 'master_key')::uuid, coalesce(burgee_cause ->> 'name', ''),\n       coalesce(burgee_cause ->> 'source', ''), coalesce(burgee_cause ->> 'request', '')\nFROM \n(SELECT (NEW).*) AS changed FULL JOIN (SELECT (OLD).*) AS was ON was.id = changed.id\n LEFT JOIN environments_environment AS in_environment ON in_environment.id = changed.environment_id LEFT JOIN projects_project AS in_project ON in_project.id = in_environment.project_id\nCROSS JOIN LATERAL (SELECT to_jsonb(changed) AS row, to_jsonb(was) AS old_row) AS whole\nCROSS JOIN LATERAL (\n    SELECT jsonb_object_agg(key, whole.old_row -> key) FILTER (WHERE key <> ALL(ARRAY[]::text[])) AS before,\n           jsonb_object_agg(key, whole.row -> key) FILTER (WHERE key <> ALL(ARRAY[]::text[])) AS after,\n           array_agg(key) FILTER (WHERE key = ANY(ARRAY[]::text[])) AS concealed\n    FROM jsonb_object_keys(whole.row) AS key\n    WHERE key <> ALL(ARRAY['traits', 'last_seen']::text[]) AND whole.row -> key IS DISTINCT FROM whole.old_row -> key\n) AS differing\nWHERE changed IS DISTINCT FROM was AND (differing.after IS NOT NULL OR differing.concealed IS NOT NULL)\n\nORDER BY changed.id;\nRETURN NULL;\n",
                    hash="6351dbe005443a27d78d86fdf8d67e487ae91a13",
                    operation='UPDATE OF "identifier"',
                    pgid="pgtrigger_remember_update_f2c0f",
                    table="identities_identity",
                    when="AFTER",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="identity",
            trigger=pgtrigger.compiler.Trigger(
                name="remember_delete",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition="WHEN (coalesce(current_setting('burgee.cause', true), '') <> '')",
                    declare="DECLARE burgee_cause jsonb := coalesce(nullif(current_setting('burgee.cause', true), ''), '{}')::jsonb;",
                    func="\nINSERT INTO audit_rowchange (\n    at, transaction_at, xid, operation, table_name, object_id, object_uuid, name, before, after, concealed,\n    organisation_id, project_id, environment_id, actor_id, master_key_id, actor_name, source, request_id\n)\nSELECT clock_timestamp(), now(), pg_current_xact_id(), TG_OP, TG_TABLE_NAME, changed.id::text,\n       (whole.row ->> 'uuid')::uuid, coalesce(changed.identifier, ''), whole.row - ARRAY['traits', 'last_seen']::text[], NULL::jsonb, ARRAY(SELECT key FROM unnest(ARRAY[]::text[]) AS key WHERE coalesce(whole.row ->> key, '') <> ''),\n       in_project.organisation_id, in_environment.project_id, changed.environment_id,\n       (burgee_cause ->> 'user')::integer, (burgee_cause ->> 'master_key')::uuid, coalesce(burgee_cause ->> 'name', ''),\n       coalesce(burgee_cause ->> 'source', ''), coalesce(burgee_cause ->> 'request', '')\nFROM (SELECT (OLD).*) AS changed  LEFT JOIN environments_environment AS in_environment ON in_environment.id = changed.environment_id LEFT JOIN projects_project AS in_project ON in_project.id = in_environment.project_id CROSS JOIN LATERAL (SELECT to_jsonb(changed) AS row) AS whole\nORDER BY changed.id;\nRETURN NULL;\n",
                    hash="817748c474d65b8550041d1923193f4ada780cd2",
                    operation="DELETE",
                    pgid="pgtrigger_remember_delete_6f301",
                    table="identities_identity",
                    when="AFTER",
                ),
            ),
        ),
    ]
