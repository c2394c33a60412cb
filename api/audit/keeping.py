"""Triggers that keep the audit log as it was written.

They stand against mistakes and against whoever has got hold of the application. Whoever owns the tables can
take the triggers off, and TRUNCATE isn't held back.
"""

import pgtrigger

# Set, for one transaction, by what clears away what is older than it is to be kept.
RETENTION = "burgee.audit_retention"
# Set, for two statements, by what takes somebody's identifier out of the log who has to be forgotten.
ERASURE = "burgee.audit_erasure"

_NOT_FOR_ERASURE = pgtrigger.Condition(f"coalesce(current_setting('{ERASURE}', true), '') <> 'on'")

_REFUSE = "RAISE insufficient_privilege USING MESSAGE = 'The audit log can''t be changed.';"


def never_changes() -> pgtrigger.Trigger:
    """Refuse every UPDATE, whatever it says, but for erasing an identifier."""
    return pgtrigger.Trigger(
        name="never_change",
        level=pgtrigger.Statement,
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        condition=_NOT_FOR_ERASURE,
        func=_REFUSE,
    )


def only_forgets_authors() -> pgtrigger.Trigger:
    """Refuse every UPDATE, but for erasing and for taking off an author or a key whose row is deleted."""
    return pgtrigger.Trigger(
        name="only_forget_authors",
        when=pgtrigger.Before,
        operation=pgtrigger.Update,
        condition=_NOT_FOR_ERASURE,
        func=f"""
        IF (to_jsonb(NEW) - '{{author_id,master_key_id}}'::text[])
           IS DISTINCT FROM (to_jsonb(OLD) - '{{author_id,master_key_id}}'::text[])
           OR (NEW.author_id IS NOT NULL AND NEW.author_id IS DISTINCT FROM OLD.author_id)
           OR (NEW.master_key_id IS NOT NULL AND NEW.master_key_id IS DISTINCT FROM OLD.master_key_id) THEN
            {_REFUSE}
        END IF;
        RETURN NEW;
        """,
    )


def stays_with_its_organisation() -> pgtrigger.Trigger:
    """Refuse, at commit, that rows are deleted whose organisation is still there."""
    return pgtrigger.Trigger(
        name="stay_with_organisation",
        when=pgtrigger.After,
        operation=pgtrigger.Delete,
        timing=pgtrigger.Deferred,
        condition=pgtrigger.Condition(f"coalesce(current_setting('{RETENTION}', true), '') <> 'on'"),
        func=f"""
        IF OLD.organisation_id IS NULL OR EXISTS (
            SELECT FROM organisations_organisation WHERE id = OLD.organisation_id AND deleted_at IS NULL
        ) THEN
            {_REFUSE}
        END IF;
        RETURN NULL;
        """,
    )
