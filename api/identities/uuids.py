"""The uuid that an identity is known by where Flagsmith's clients expect one."""

import uuid

_NAMESPACE = uuid.UUID("6ace338a-d2ce-493a-9be4-fa2abc110617")


def identity_uuid(environment_key: str, identifier: str) -> str:
    """Return the uuid of an identity: the same each time, or every poll would look like a change."""
    return str(uuid.uuid5(_NAMESPACE, f"{environment_key}_{identifier}"))
