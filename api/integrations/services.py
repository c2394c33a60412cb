"""Connecting environments, projects and organisations with other services."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from django.db import transaction

from audit.models import AuditRecord
from core.errors import InvalidInput
from environments.models import Environment
from integrations.kinds import HEARD, Kind
from integrations.models import Integration, Message
from integrations.selectors import to_be_told
from integrations.tasks import begin_telling
from integrations.vendors.slack import WORKSPACE
from organisations.models import Organisation
from permissions.targets import level_of
from projects.models import Project
from tasks.services import enqueue

Place: TypeAlias = Organisation | Project | Environment


@transaction.atomic
def create_integration(kind: Kind, place: Place, configuration: Mapping[str, Any]) -> Integration:
    """Connect an environment, a project or an organisation with another service.

    Args:
        configuration: values of the kind's fields.

    Raises:
        InvalidInput: it is connected already.
    """
    level = level_of(place).value
    settings, secrets = _divided(kind, configuration)
    integration: Integration
    integration, is_new = Integration.objects.get_or_create(
        kind=kind.name, **{level: place}, defaults={"settings": settings, "secrets": secrets}
    )
    if not is_new:
        raise InvalidInput([f"This integration already exists for this {level}."])
    return integration


@transaction.atomic
def update_integration(integration: Integration, configuration: Mapping[str, Any]) -> Integration:
    """Change how a service is reached, or what it is told: only what is given, and differs, is written."""
    settings, secrets = _divided(integration.about, configuration)
    changed = []
    for column, values in (("settings", settings), ("secrets", secrets)):
        before = getattr(integration, column)
        if before != {**before, **values}:
            setattr(integration, column, {**before, **values})
            changed.append(column)
    # Only what differs: encrypting the same again would look like another secret.
    integration.save(update_fields=changed)
    return integration


@transaction.atomic
def delete_integration(integration: Integration) -> None:
    """End a connection. That it was there is kept, its keys and addresses aren't."""
    Message.objects.filter(integration=integration).delete()
    Integration.objects.filter(pk=integration.pk).update(secrets={})
    integration.delete()


@transaction.atomic
def keep_workspace_token(project: Project, token: str) -> None:
    """Keep what a project is let into its Slack workspace with, instead of what it had."""
    integration, is_new = Integration.objects.get_or_create(
        kind=WORKSPACE, project=project, defaults={"secrets": {"api_token": token}}
    )
    if not is_new:
        update_integration(integration, {"api_token": token})


def tell_others(records: Sequence[AuditRecord]) -> None:
    """Have services told of new records, once the transaction that makes them is committed."""
    heard = [record for record in records if record.related_object_type in HEARD]
    have_told([(integration.pk, {"record": record.pk}) for integration, record in to_be_told(heard)])


def have_told(messages: Sequence[tuple[int, Any]]) -> None:
    """Have services told something, each by its id, with the content that its task expects."""
    if not messages:
        return
    Message.objects.bulk_create(Message(integration_id=key, content=content) for key, content in messages)
    # Not the jobs themselves: they have keys, and changes would wait for each other until one is committed.
    enqueue(begin_telling, arguments={"integration_ids": sorted({key for key, _ in messages})})


def _divided(kind: Kind, configuration: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the fields that may be seen, and those that are encrypted."""
    secrets = {name: value for name, value in configuration.items() if name in kind.secrets}
    return {name: value for name, value in configuration.items() if name not in secrets}, secrets
