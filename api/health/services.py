"""Reports of monitoring, and what they set off."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.db import transaction

from core.errors import InvalidInput
from environments.models import Environment
from features.models import Feature
from features.services.system_tags import tag_exactly
from health.models import HealthEvent, HealthProvider, HealthStatus
from health.selectors import latest_events, unhealthy_features
from permissions.actors import Actor
from projects.models import Project, TagType
from users.models import User

_SALT = "health.provider"


@dataclass(frozen=True)
class Report:
    """That a feature is healthy or unhealthy, in one environment or all, by their names."""

    feature: str
    environment: str | None
    status: HealthStatus
    reason: dict[str, Any] | None = None


@transaction.atomic
def create_provider(project: Project, name: str, *, creator: Actor) -> HealthProvider:
    """Let a monitoring report to a project.

    Raises:
        IntegrityError: it may already.
    """
    return HealthProvider.objects.create(
        project=project, name=name, created_by=creator if isinstance(creator, User) else None
    )


@transaction.atomic
def delete_provider(provider: HealthProvider) -> None:
    """Let a monitoring report no longer, and forget what it has reported. Its address ends with it."""
    project = provider.project
    HealthEvent.objects.filter(feature__project=project, provider_name=provider.name).delete()
    provider.delete()
    tag_exactly(project, TagType.UNHEALTHY, unhealthy_features(project))


def signed_path(provider: HealthProvider) -> str:
    """Return the part of a provider's address that nobody can guess. It ends with the provider."""
    return signing.Signer(salt=_SALT).sign(str(provider.pk))


def provider_with(path: str) -> HealthProvider | None:
    """Return the provider whose signed path this is, if there is one."""
    try:
        key = signing.Signer(salt=_SALT).unsign(path)
    except signing.BadSignature:
        return None
    providers = HealthProvider.objects.select_related("project")
    return providers.filter(pk=key, project__deleted_at__isnull=True).first()


@transaction.atomic
def record_reports(provider: HealthProvider, reports: Iterable[Report]) -> None:
    """Keep what has changed by a provider's reports, and tag features that are unhealthy now.

    Raises:
        InvalidInput: a report is of a feature or an environment that the project hasn't got.
    """
    project = provider.project
    reports = list(reports)
    features = _named(Feature, project, {each.feature for each in reports}, "feature")
    environments = _named(
        Environment, project, {each.environment for each in reports if each.environment}, "environment"
    )
    known = {
        (event.feature_id, event.environment_id): event
        for event in latest_events(project).filter(provider_name=provider.name)
    }
    for report in reports:
        place = features[report.feature], environments[report.environment] if report.environment else None
        last = known.get(place)
        # The same again is no news: a monitoring may repeat itself each minute.
        if last is None or (last.type, last.reason) != (report.status, report.reason):
            known[place] = HealthEvent.objects.create(
                feature_id=place[0],
                environment_id=place[1],
                provider_name=provider.name,
                type=report.status,
                reason=report.reason,
            )
    tag_exactly(project, TagType.UNHEALTHY, unhealthy_features(project))


@transaction.atomic
def dismiss(event: HealthEvent, *, author: Actor) -> None:
    """Take a feature for healthy again, by hand."""
    if event.type == HealthStatus.UNHEALTHY:
        by = f" by {author.email}" if isinstance(author, User) else ""
        HealthEvent.objects.create(
            feature_id=event.feature_id,
            environment_id=event.environment_id,
            provider_name=event.provider_name,
            type=HealthStatus.HEALTHY,
            reason={"text_blocks": [{"text": f"Dismissed{by}."}], "url_blocks": []},
        )
        project = event.feature.project
        tag_exactly(project, TagType.UNHEALTHY, unhealthy_features(project))


def _named(
    model: type[Feature] | type[Environment], project: Project, names: set[str], field: str
) -> dict[str, int]:
    """Return the ids of a project's features or environments, by their names."""
    found = dict(model.objects.filter(project=project, name__in=names).values_list("name", "pk"))
    if names - found.keys():
        raise InvalidInput({field: [f"The project has no {field} of this name."]})
    return found
