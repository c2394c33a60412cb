"""Whether the features of an environment change by versions, and the turn from one to the other.

Neither way moves anybody: what is served stays served, the very rows of it.
"""

from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery
from django.utils import timezone

from audit.services import Author
from environments.models import Environment
from environments.services import record_updated
from features.exceptions import VersioningIsOffError, VersioningIsOnError
from features.models import EnvironmentFeatureVersion, Feature, FeatureSegment, FeatureState
from features.services.versions import signed
from projects.models import Project


@transaction.atomic
def enable_versioning(environment: Environment, *, author: Author) -> None:
    """Let features change by versions from now on. What is served of each is its first version.

    Raises:
        VersioningIsOnError: they do already.
    """
    _lock(environment)
    if environment.use_v2_feature_versioning:
        raise VersioningIsOnError
    start_versions(environment, author=author)
    _record(environment, author)


@transaction.atomic
def disable_versioning(environment: Environment, *, author: Author) -> None:
    """Let features change in place again. What is served stays; drafts and former versions go.

    Raises:
        VersioningIsOffError: they do already.
    """
    _lock(environment)
    if not environment.use_v2_feature_versioning:
        raise VersioningIsOffError
    _set(environment, False)
    for rows in _served(environment):
        rows.update(environment_feature_version=None)
    _served(environment)[0].update(version=1)
    EnvironmentFeatureVersion.objects.filter(environment=environment, is_live=True).update(is_live=False)
    EnvironmentFeatureVersion.objects.filter(environment=environment).delete()
    _record(environment, author)


def start_versions(environment: Environment, *, author: Author) -> None:
    """Make what is served of each feature its first version. Nobody may be changing it meanwhile."""
    _set(environment, True)
    now = timezone.now()
    features = FeatureState.objects.filter(
        environment=environment, identity__isnull=True, feature__deleted_at__isnull=True
    ).values_list("feature", flat=True)
    EnvironmentFeatureVersion.objects.bulk_create(
        EnvironmentFeatureVersion(
            environment=environment,
            feature_id=feature_id,
            published=True,
            published_at=now,
            live_from=now,
            is_live=True,
            **signed("created_by", author),
            **signed("published_by", author),
        )
        for feature_id in sorted(set(features))
    )
    version = EnvironmentFeatureVersion.objects.filter(
        environment=environment, feature=OuterRef("feature"), is_live=True
    )
    for rows in _served(environment):
        rows.update(environment_feature_version=Subquery(version.values("pk")))
    _served(environment)[0].update(version=None)


def _served(environment: Environment) -> tuple[QuerySet[FeatureState], QuerySet[FeatureSegment]]:
    """Return the states and the places that versions are made of."""
    return (
        FeatureState.objects.filter(environment=environment, identity__isnull=True),
        FeatureSegment.objects.filter(environment=environment),
    )


def _set(environment: Environment, uses_versions: bool) -> None:
    environment.use_v2_feature_versioning = uses_versions
    environment.save(update_fields=["use_v2_feature_versioning"])


def _lock(environment: Environment) -> None:
    """Wait for all changes of features, keep further ones waiting, and see what they have left.

    A feature's lock orders its changes, a project's the creation of features: those that are made until
    it is had are locked after it.
    """
    _lock_features(environment.project_id)
    projects: QuerySet[Project] = Project.objects.filter(pk=environment.project_id)
    projects.select_for_update(no_key=True).values_list("pk").first()
    _lock_features(environment.project_id)
    environment.refresh_from_db(fields=["use_v2_feature_versioning"])


def _lock_features(project_id: int) -> None:
    features = Feature.objects.filter(project=project_id).order_by("pk")
    list(features.select_for_update(no_key=True).values_list("pk"))


def _record(environment: Environment, author: Author) -> None:
    now = environment.use_v2_feature_versioning
    record_updated(environment, {"use_v2_feature_versioning": (not now, now)}, author=author)
