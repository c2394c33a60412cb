"""The life of versions: a draft is a copy of what is served, is changed, and is published.

Whatever changes a version locks its feature first, as change sets do. So versions of a feature are published
one after the other, and exactly one is served at any time: the one with the latest `live_from` that has come.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from audit.services import Author
from core.bulk import write_columns
from environments.models import Environment
from features.exceptions import LiveVersionError, UnversionedEnvironmentError, VersionGoneError
from features.models import EnvironmentFeatureVersion, Feature, FeatureSegment, FeatureState
from features.models.version import gone_live
from features.selectors.versions import differences, states_of
from features.services import records
from features.services.approval import check_approval
from features.services.copies import copy_states
from features.services.notices import tell_of_version, telling_of
from features.services.places import Place, rows_in
from permissions.actors import Machine
from tasks.services import enqueue

_SHORTEST = timedelta(microseconds=1)


@transaction.atomic
def create_draft(
    environment: Environment,
    feature: Feature,
    *,
    author: Author,
    description: str | None = None,
    live_from: datetime | None = None,
) -> EnvironmentFeatureVersion:
    """Make a version that serves what is served now, to be changed and then published.

    Args:
        live_from: when it is to go live, unless it is published for another time.

    Raises:
        UnversionedEnvironmentError: the environment keeps no versions.
    """
    lock_feature(feature.pk)
    if not Environment.objects.filter(pk=environment.pk, use_v2_feature_versioning=True).exists():
        raise UnversionedEnvironmentError
    place = Place(environment.pk, feature.pk)
    draft = draft_versions([place], author=author)[place]
    if description is not None or live_from is not None:
        draft.description, draft.live_from = description, live_from
        draft.save(update_fields=["description", "live_from"])
    return draft


@transaction.atomic
def publish_version(
    version: EnvironmentFeatureVersion, *, author: Author, live_from: datetime | None = None
) -> EnvironmentFeatureVersion:
    """Let a version be served, now or from a later time on. One that is served, or was, stays as it is.

    Args:
        live_from: None: the time that the draft was made for, or now. What is past means now, unless what
            is served is older still.

    Raises:
        VersionGoneError: it was deleted meanwhile.
        ApprovalRequiredError: its environment takes changes by request only.
    """
    lock_feature(version.feature_id)
    found = _reread(version)
    if not found.has_gone_live:
        check_approval([found.environment], [found.feature], author=author)
        if live_from is None and not found.published:
            live_from = found.live_from
        publish([found], author=author, live_from=live_from)
    return found


@transaction.atomic
def delete_version(version: EnvironmentFeatureVersion) -> None:
    """Delete a version that was never served, with its states. If it was to go live, it doesn't.

    Raises:
        LiveVersionError: it is served, or was.
    """
    lock_feature(version.feature_id)
    if _reread(version).has_gone_live:
        raise LiveVersionError
    version.delete()


@transaction.atomic
def serve_due_version(place: Place) -> EnvironmentFeatureVersion | None:
    """Let the version go live whose time has come. It may be called too often, late, and in any order.

    Returns:
        The version that is served from now on, if it is another one.
    """
    lock_feature(place.feature_id)
    versions = EnvironmentFeatureVersion.objects.filter(
        environment=place.environment_id, feature=place.feature_id
    )
    due: EnvironmentFeatureVersion | None = versions.filter(gone_live()).order_by("-live_from").first()
    if due is None or due.is_live:
        return None
    _serve([due])
    return due


def lock_feature(feature_id: int) -> None:
    """Let changes of a feature wait for each other, as change sets do."""
    features: QuerySet[Feature] = Feature.objects.filter(pk=feature_id)
    features.select_for_update(no_key=True).values_list("pk").first()


def draft_versions(places: Collection[Place], *, author: Author) -> dict[Place, EnvironmentFeatureVersion]:
    """Make a draft of what is served in each place. The callers hold the locks of the features."""
    if not places:
        return {}
    drafts = {
        place: EnvironmentFeatureVersion(
            environment_id=place.environment_id, feature_id=place.feature_id, **signed("created_by", author)
        )
        for place in places
    }
    EnvironmentFeatureVersion.objects.bulk_create(drafts.values())
    copy_states(
        _served_states(places),
        lambda state: {
            "environment_feature_version": drafts[Place(state.environment_id, state.feature_id)],
            "is_live": False,
        },
        version=None,
        live_from=None,
    )
    return drafts


def publish(
    versions: Sequence[EnvironmentFeatureVersion], *, author: Author, live_from: datetime | None = None
) -> None:
    """Publish versions, each of another place, and record what is new. The callers hold the features' locks.

    Args:
        live_from: None or past: now.
    """
    now = timezone.now()
    served = {_place(version): version for version in _served_versions(versions)}
    states = _by_version(states_of([*versions, *served.values()]))
    publisher = signed("published_by", author)
    for version in versions:
        version.live_from = _moment(live_from, now, served.get(_place(version)))
        version.published, version.published_at, version.updated_at = True, now, now
        for field, value in publisher.items():
            setattr(version, field, value)
    columns = [each.removesuffix("_id") for each in publisher]
    write_columns(versions, ["live_from", "published", "published_at", "updated_at", *columns])
    if live_from is None or live_from <= now:
        _serve(versions)
    else:
        for version in versions:
            # By its name: the task calls what is here.
            enqueue(
                "features.serve_scheduled_version",
                arguments={"version": str(version.pk)},
                run_at=live_from,
                key=f"features.serve_scheduled_version {version.pk}",
            )
    for version in versions:
        before = served.get(_place(version))
        changes = differences(states[before.pk] if before else [], states[version.pk])
        records.version_published(version, author=author, changes=changes)


def sign_first_versions(features: Sequence[Feature], *, author: Author) -> None:
    """Say of the versions that new features have from the start who made them, and record them."""
    first = EnvironmentFeatureVersion.objects.filter(feature__in=features)
    versions = list(first.select_related("environment").order_by("feature", "environment"))
    if not versions:
        return
    first.update(**signed("created_by", author), **signed("published_by", author))
    states = _by_version(states_of(versions))
    by_id = {feature.pk: feature for feature in features}
    for version in versions:
        version.feature = by_id[version.feature_id]
        changes = differences([], states[version.pk])
        records.version_published(version, author=author, changes=changes)


def _moment(wanted: datetime | None, now: datetime, served: EnvironmentFeatureVersion | None) -> datetime:
    """Return when a version goes live, so that what is served is always what went live last."""
    last = served.live_from if served else None
    if wanted is not None and (wanted > now or last is None or wanted > last):
        return wanted
    # Another machine may have published the one before, by a clock that is ahead.
    return now if last is None else max(now, last + _SHORTEST)


def _serve(versions: Sequence[EnvironmentFeatureVersion]) -> None:
    """Let SDKs have these versions, each of another place, and not what they had there before."""
    # All of one call are published by the same.
    with telling_of([_place(version) for version in versions], by=versions[0]):
        _replace_what_is_served(versions)
        for version in versions:
            tell_of_version(version)


def _replace_what_is_served(versions: Sequence[EnvironmentFeatureVersion]) -> None:
    places = [_place(version) for version in versions]
    for rows in (FeatureState.objects.filter(identity__isnull=True), FeatureSegment.objects.all()):
        rows.filter(rows_in(places)).exclude(environment_feature_version__in=versions).update(is_live=False)
    EnvironmentFeatureVersion.objects.filter(rows_in(places), is_live=True).update(is_live=False)
    version = EnvironmentFeatureVersion.objects.filter(pk=OuterRef("environment_feature_version"))
    drafts = {"environment_feature_version__in": versions, "is_live": False}
    FeatureSegment.all_objects.undeleted().filter(**drafts).update(is_live=True)
    FeatureState.all_objects.undeleted().filter(**drafts).update(
        is_live=True,
        live_from=Subquery(version.values("live_from")),
    )
    EnvironmentFeatureVersion.objects.filter(pk__in=[version.pk for version in versions]).update(is_live=True)
    for version in versions:
        version.is_live = True


def _served_versions(
    versions: Sequence[EnvironmentFeatureVersion],
) -> QuerySet[EnvironmentFeatureVersion]:
    found: QuerySet[EnvironmentFeatureVersion] = EnvironmentFeatureVersion.objects.filter(
        rows_in([_place(version) for version in versions]), is_live=True
    )
    return found


def _served_states(places: Collection[Place]) -> list[FeatureState]:
    states = FeatureState.objects.filter(rows_in(places), identity__isnull=True).filter(
        Q(feature_segment__isnull=True)
        | Q(feature_segment__deleted_at__isnull=True, feature_segment__is_live=True)
    )
    return list(states.select_related("feature_segment").order_by("pk"))


def _by_version(states: Iterable[FeatureState]) -> dict[UUID | None, list[FeatureState]]:
    found = defaultdict(list)
    for state in states:
        found[state.environment_feature_version_id].append(state)
    return found


def _place(version: EnvironmentFeatureVersion) -> Place:
    return Place(version.environment_id, version.feature_id)


def signed(field: str, author: Author) -> dict[str, Any]:
    """Return the columns that say who did something: a user, or a machine by its key and the key's name."""
    machine = author if isinstance(author, Machine) else None
    return {
        f"{field}_id": None if machine or author is None else author.pk,
        f"{field}_key_id": machine.key_id if machine else None,
        f"{field}_key_name": machine.name if machine else "",
    }


def _reread(version: EnvironmentFeatureVersion) -> EnvironmentFeatureVersion:
    """Return a version as it is once its feature is locked."""
    found: EnvironmentFeatureVersion | None = (
        EnvironmentFeatureVersion.objects.select_related("feature__project", "environment__project")
        .filter(pk=version.pk)
        .first()
    )
    if found is None:
        raise VersionGoneError
    return found
