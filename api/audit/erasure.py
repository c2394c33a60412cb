"""Taking somebody's identifier out of the log, and leaving the log otherwise as it was written."""

from collections.abc import Collection

from django.db import connection, transaction

from audit.keeping import ERASURE

ERASED = "[erased]"

_IN_SENTENCES = """
UPDATE audit_auditrecord SET log = replace(log, %(quoted)s, %(erased_and_quoted)s)
WHERE environment_id = ANY(%(environments)s) AND position(%(quoted)s IN log) > 0
"""
_IN_ROWS = """
UPDATE audit_rowchange AS change SET
    name = %(erased)s,
    before = CASE WHEN before ? 'identifier' THEN before || jsonb_build_object('identifier', %(erased)s::text)
        ELSE before END,
    after = CASE WHEN after ? 'identifier' THEN after || jsonb_build_object('identifier', %(erased)s::text)
        ELSE after END
WHERE table_name = 'identities_identity' AND object_id IN (
    SELECT object_id FROM audit_rowchange
    WHERE environment_id = ANY(%(environments)s) AND table_name = 'identities_identity'
        AND %(identifier)s IN (name, before ->> 'identifier', after ->> 'identifier')
)
"""


@transaction.atomic
def erase_identifier(identifier: str, environment_ids: Collection[int], *, dry_run: bool = False) -> int:
    """Replace an identity's identifier by `[erased]` wherever the log of some environments has it.

    That somebody did something to an identity, what and when, stays. Of an identity that was renamed all its
    identifiers go.

    Returns:
        How many entries have it; with `dry_run`, would be changed.
    """
    values: dict[str, str | list[int]] = {
        "identifier": identifier,
        "quoted": f"identity '{identifier}'",
        "erased": ERASED,
        "erased_and_quoted": f"identity '{ERASED}'",
        "environments": list(environment_ids),
    }
    sid = transaction.savepoint()
    changed = 0
    with connection.cursor() as cursor:
        cursor.execute("SELECT set_config(%s, 'on', true)", [ERASURE])
        for statement in (_IN_SENTENCES, _IN_ROWS):
            cursor.execute(statement, values)
            changed += cursor.rowcount
        cursor.execute("SELECT set_config(%s, '', true)", [ERASURE])
    if dry_run:
        transaction.savepoint_rollback(sid)
    return changed
