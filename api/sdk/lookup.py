"""Finding the environment that a key opens, in the database."""

from typing import NamedTuple

from django.db import DEFAULT_DB_ALIAS

from environments.models import Environment, ServerSideKey
from sdk.keys import is_server_side


class FoundEnvironment(NamedTuple):
    environment_id: int
    project_id: int
    has_stopped_serving: bool


def find(key: str, *, database: str = DEFAULT_DB_ALIAS) -> FoundEnvironment | None:
    """Return what `key` opens, or None: there is no such key, it is switched off or has expired, or what it
    belongs to is deleted. One query.
    """
    environments = Environment.objects.using(database).filter(
        project__deleted_at__isnull=True, project__organisation__deleted_at__isnull=True
    )
    if is_server_side(key):
        usable = ServerSideKey.objects.using(database).usable().filter(key=key)
        environments = environments.filter(pk__in=usable.values("environment_id"))
    else:
        environments = environments.filter(api_key=key)
    found = environments.values_list("id", "project_id", "project__organisation__stop_serving_flags").first()
    return FoundEnvironment(*found) if found else None


def find_environment(key: str, *, database: str = DEFAULT_DB_ALIAS) -> int | None:
    """Return the id of the environment that `key` opens, whether or not flags are served for it."""
    found = find(key, database=database)
    return found.environment_id if found else None
