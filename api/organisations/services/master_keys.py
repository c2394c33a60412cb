"""Master keys: making, changing and ending them. Nothing of this is written to the audit log."""

from datetime import datetime
from typing import TypedDict, Unpack

from django.db import transaction

from core.errors import InvalidInput
from organisations.models import MasterKey, Organisation
from organisations.secrets import digest, new_key
from users.models import User


class MasterKeyFields(TypedDict, total=False):
    name: str
    revoked: bool
    expiry_date: datetime | None
    is_admin: bool


def create_master_key(
    organisation: Organisation, *, creator: User | None, **fields: Unpack[MasterKeyFields]
) -> MasterKey:
    """Make a key. Its `secret` is the whole key, which nobody can learn later."""
    secret = new_key()
    key = MasterKey(
        organisation=organisation,
        created_by=creator,
        prefix=secret.partition(".")[0],
        hashed_key=digest(secret.encode()),
        **fields,
    )
    key.save(force_insert=True)
    key.secret = secret
    return key


@transaction.atomic
def update_master_key(key: MasterKey, **changes: Unpack[MasterKeyFields]) -> MasterKey:
    """Change what is known of a key: only the fields given are written.

    A key that becomes an administrator's loses its roles, so that it is left with nothing when it is one no
    more.

    Raises:
        InvalidInput: the key was revoked, and should be no longer.
    """
    if key.revoked and not changes.get("revoked", True):
        raise InvalidInput({"revoked": ["A revoked key can't be revived."]})
    for name, value in changes.items():
        setattr(key, name, value)
    key.save(update_fields=list(changes))
    if changes.get("is_admin"):
        key.role_assignments.all().delete()
    return key


@transaction.atomic
def revoke_master_key(key: MasterKey) -> MasterKey:
    """Let a key open nothing any more, from the next request on."""
    return update_master_key(key, revoked=True)


@transaction.atomic
def delete_master_key(key: MasterKey) -> None:
    """Delete a key, which opens nothing any more and has no roles."""
    key.role_assignments.all().delete()
    key.delete()
