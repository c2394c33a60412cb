"""Environments and their server-side keys."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypedDict, Unpack

from django.db import transaction

from audit.models import ChangeType, RelatedObjectType
from audit.services import Author, record
from core.locks import reread
from environments.models import Environment, EnvironmentWebhook, ServerSideKey
from metadata.services import WantedValue, replace_values
from permissions.services import make_administrator
from projects.models import Project


class EnvironmentFields(TypedDict, total=False):
    name: str
    api_key: str
    description: str | None
    minimum_change_request_approvals: int | None
    allow_client_traits: bool
    banner_text: str | None
    banner_colour: str | None
    hide_disabled_flags: bool | None
    hide_sensitive_data: bool
    use_identity_composite_key_for_hashing: bool
    use_identity_overrides_in_local_eval: bool


class WebhookFields(TypedDict, total=False):
    url: str
    enabled: bool
    secret: str


class ServerSideKeyFields(TypedDict, total=False):
    name: str
    active: bool
    expires_at: datetime | None


@transaction.atomic
def create_environment(
    project: Project,
    *,
    author: Author,
    metadata: Sequence[WantedValue] | None = None,
    **fields: Unpack[EnvironmentFields],
) -> Environment:
    """Make an environment, which its creator administers. The database gives it the features' states.

    Args:
        metadata: its values of custom fields. None: required ones may be missing.

    Raises:
        InvalidInput: values that the environment can't have, or required ones are missing.
        IntegrityError: the project has an environment of this name, or the key is taken.
    """
    environment: Environment = Environment.objects.create(project=project, **fields)
    if metadata is not None:
        replace_values(environment, metadata)
    make_administrator(author, environment)
    record_created(environment, author=author)
    return environment


@transaction.atomic
def update_environment(
    environment: Environment,
    *,
    author: Author,
    metadata: Sequence[WantedValue] | None = None,
    **changes: Unpack[EnvironmentFields],
) -> Environment:
    """Change an environment: only what differs is written, and recorded.

    Args:
        metadata: all its values of custom fields from now on. None: they stay.

    Raises:
        InvalidInput: values that the environment can't have, or required ones are missing.
        IntegrityError: the project has another environment of this name, or the key is taken.
    """
    if metadata is not None:
        replace_values(environment, metadata)
    reread(environment, changes)
    differences = {
        name: (old, new) for name, new in changes.items() if (old := getattr(environment, name)) != new
    }
    if not differences:
        return environment
    for name, (_, new) in differences.items():
        setattr(environment, name, new)
    environment.save(update_fields=list(differences))
    record_updated(environment, differences, author=author)
    return environment


def delete_environment(environment: Environment) -> None:
    """Delete an environment and all that is in it. Its keys stop working at once."""
    environment.delete()


def create_server_side_key(environment: Environment, **fields: Unpack[ServerSideKeyFields]) -> ServerSideKey:
    return ServerSideKey.objects.create(environment=environment, **fields)


def update_server_side_key(key: ServerSideKey, **changes: Unpack[ServerSideKeyFields]) -> ServerSideKey:
    """Change what is known of a key: only the fields given are written. The key's text stays."""
    for name, value in changes.items():
        setattr(key, name, value)
    key.save(update_fields=list(changes))
    return key


def delete_server_side_key(key: ServerSideKey) -> None:
    key.delete()


def create_webhook(environment: Environment, **fields: Unpack[WebhookFields]) -> EnvironmentWebhook:
    return EnvironmentWebhook.objects.create(environment=environment, **fields)


def update_webhook(webhook: EnvironmentWebhook, **changes: Unpack[WebhookFields]) -> EnvironmentWebhook:
    """Change where changes are sent: only the fields given are written."""
    for name, value in changes.items():
        setattr(webhook, name, value)
    webhook.save(update_fields=[*changes, "updated_at"])
    return webhook


def delete_webhook(webhook: EnvironmentWebhook) -> None:
    webhook.delete()


def record_created(environment: Environment, *, author: Author) -> None:
    log = f"New Environment created: {environment.name}"
    record_of_environment(log, environment, author=author, change_type=ChangeType.CREATE)


def record_updated(
    environment: Environment, differences: dict[str, tuple[Any, Any]], *, author: Author
) -> None:
    """Note what was changed: `differences` has the old and the new value by field."""
    changes = [{"field": name, "old": old, "new": new} for name, (old, new) in differences.items()]
    record_of_environment(
        f"Environment updated: {environment.name}", environment, author=author, changes=changes
    )


def record_of_environment(
    log: str,
    environment: Environment,
    *,
    author: Author,
    changes: list[dict[str, Any]] | None = None,
    change_type: ChangeType | None = None,
) -> None:
    """Note in the audit log what was done to an environment as a whole."""
    record(
        log,
        author=author,
        related_object=environment,
        related_object_type=RelatedObjectType.ENVIRONMENT,
        organisation_id=environment.project.organisation_id,
        project_id=environment.project_id,
        environment_id=environment.pk,
        changes=changes,
        change_type=change_type,
    )
