"""Triggers that keep grants and roles inside one organisation, whoever writes them."""

import pgtrigger

_REFUSE_STRANGERS = """
IF NOT EXISTS (SELECT FROM {organisation} AS target (id) WHERE {known}) THEN
    RAISE check_violation USING MESSAGE = '{reason}';
END IF;
RETURN NEW;
"""

# Per column that names a holder: whether it belongs to the organisation `target`.
_BELONGS = {
    "user": (
        "EXISTS (SELECT FROM organisations_organisationmembership AS membership "
        "WHERE membership.organisation_id = target.id AND membership.user_id = NEW.user_id)"
    ),
    "group": (
        'EXISTS (SELECT FROM organisations_group AS "group" '
        'WHERE "group".organisation_id = target.id AND "group".id = NEW.group_id)'
    ),
    "role": (
        "EXISTS (SELECT FROM permissions_role AS role "
        "WHERE role.organisation_id = target.id AND role.id = NEW.role_id)"
    ),
    "master_key": (
        "EXISTS (SELECT FROM organisations_masterkey AS key "
        "WHERE key.organisation_id = target.id AND key.id = NEW.master_key_id)"
    ),
}


def refuses_strangers(organisation: str, *holders: str, of: str) -> pgtrigger.Trigger:
    """Return a trigger that refuses a row whose holder doesn't belong to the row's organisation.

    Args:
        organisation: a query for that organisation's id, given the row `NEW`.
        holders: the columns, without `_id`, of which one names the holder.
        of: the columns, without `_id`, that make the row's organisation.
    """
    return pgtrigger.Trigger(
        name="refuse_strangers",
        when=pgtrigger.Before,
        operation=pgtrigger.Insert | pgtrigger.UpdateOf(f"{of}_id", *(f"{each}_id" for each in holders)),
        func=_REFUSE_STRANGERS.format(
            organisation=f"({organisation})",
            known=" OR ".join(_BELONGS[each] for each in holders),
            reason="The holder is not of this organisation.",
        ),
    )
