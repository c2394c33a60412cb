"""Features. The states of a new one, a database trigger makes."""

from collections.abc import Iterable, Sequence
from typing import TypedDict, Unpack

import re2
from django.db import transaction
from django.db.models import Value
from django.db.models.functions import Lower
from django.db.models.lookups import Exact

from audit.services import Author
from core.digests import Digest
from core.errors import InvalidInput
from core.locks import reread, take
from features.models import Feature, FeatureState, FeatureType, MultivariateOption
from features.services import owners as ownership
from features.services import records
from features.services.multivariate_options import WantedOption, replace_options
from features.services.notices import tell_of_deleted_features, tell_of_new_features
from features.services.prerequisites import refuse_where_needed
from features.services.versions import sign_first_versions
from metadata.services import WantedValue, replace_values
from projects.models import Project, Tag


class FeatureProperties(TypedDict, total=False):
    """What may be said of a feature at any time. What is left out stays as it is."""

    type: str
    description: str | None
    is_archived: bool
    is_server_key_only: bool
    tags: Sequence[int]
    multivariate_options: Sequence[WantedOption]


@transaction.atomic
def create_feature(
    project: Project,
    *,
    author: Author,
    name: str,
    default_enabled: bool = False,
    initial_value: str | None = None,
    owners: Sequence[int] | None = None,
    group_owners: Sequence[int] = (),
    metadata: Sequence[WantedValue] | None = None,
    **properties: Unpack[FeatureProperties],
) -> Feature:
    """Create a feature, and with it a state in every environment of its project.

    Args:
        owners: ids of users. None: the author, unless that is a machine.
        group_owners: ids of groups.
        metadata: its values of custom fields. None: required ones may be missing.

    Raises:
        InvalidInput: the name is taken or not one that the project allows; owners, tags, options or custom
            fields don't fit.
    """
    _check_name(project, name)
    if project.enforce_feature_owners and not owners and not group_owners:
        reason = "This project requires at least one owner or group owner when creating a feature."
        raise InvalidInput({"non_field_errors": [reason]})

    tags, options, columns = _parts(properties)
    feature = Feature(
        project=project, name=name, default_enabled=default_enabled, initial_value=initial_value, **columns
    )
    feature.save()
    if metadata is not None:
        replace_values(feature, metadata)
    feature.tags.set(_tags(project, tags or []))
    feature.owners.set(ownership.first_owners(author, project, owners))
    feature.group_owners.set(ownership.first_group_owners(project, group_owners))
    records.feature_created(feature, author=author)
    states = list(FeatureState.objects.filter(feature=feature).select_related("environment"))
    for state in states:
        state.feature = feature
        records.state_created(state, author=author)
    sign_first_versions([feature], author=author)
    if options:
        replace_options(feature, options, author=author)
        feature.refresh_from_db(fields=["type"])
    tell_of_new_features([feature], [state.environment_id for state in states], by=author)
    return feature


@transaction.atomic
def update_feature(
    feature: Feature,
    *,
    author: Author,
    metadata: Sequence[WantedValue] | None = None,
    **properties: Unpack[FeatureProperties],
) -> Feature:
    """Change what is given of a feature. Its name, its first value and its first state never change.

    Args:
        metadata: all its values of custom fields from now on. None: they stay.
        properties: `multivariate_options`, if given, replaces the whole list.

    Raises:
        InvalidInput: tags of another project, shares above 100 percent, or custom fields don't fit.
        FeatureNeededError: it is to be archived, and others need it.
        VariantNeededError: others need a variant that is to go.
    """
    if metadata is not None:
        replace_values(feature, metadata)
    tags, options, columns = _parts(properties)
    reread(feature, columns)
    if columns.get("is_archived") and not feature.is_archived:
        refuse_where_needed([feature], to="archived")
    changes = []
    for field, new in columns.items():
        old = getattr(feature, field)
        if new != old:
            changes.append(records.change(field, old, new))
            setattr(feature, field, new)
    if changes:
        # Only what changed: saving every column would undo a concurrent edit of another one.
        feature.save(update_fields=[each["field"] for each in changes])
    if tags is not None:
        old_tags = sorted(feature.tags.values_list("pk", flat=True))  # asked anew
        new_tags = _tags(feature.project, tags)
        if sorted(tag.pk for tag in new_tags) != old_tags:
            feature.tags.set(new_tags)
            changes.append(records.change("tags", old_tags, sorted(tag.pk for tag in new_tags)))
    if changes:
        records.feature_updated(feature, author=author, changes=changes)
    if options is not None:
        replace_options(feature, options, author=author)
    _keep_type_to_options(feature)
    return feature


@transaction.atomic
def delete_feature(feature: Feature, *, author: Author) -> None:
    """Delete a feature with all its states, overrides and segments of its own. Its name is free again.

    Raises:
        FeatureNeededError: others need it.
        GoneError: it was deleted meanwhile.
    """
    take(feature)  # whoever makes it a prerequisite waits, and finds it gone
    refuse_where_needed([feature], to="deleted")
    tell_of_deleted_features([feature], by=author)
    records.feature_deleted(feature, author=author)
    feature.delete()


def _parts(
    properties: FeatureProperties,
) -> tuple[Sequence[int] | None, Sequence[WantedOption] | None, dict[str, object]]:
    """Split properties in tags, options, and columns of the feature's own row."""
    columns = {
        name: value for name, value in properties.items() if name not in {"tags", "multivariate_options"}
    }
    return properties.get("tags"), properties.get("multivariate_options"), columns


def _keep_type_to_options(feature: Feature) -> None:
    """MULTIVARIATE as long as there is an option, whatever was said."""
    # Asked anew: the options may have been replaced just now.
    if MultivariateOption.objects.filter(feature=feature).exists():
        Feature.objects.filter(pk=feature.pk).exclude(type=FeatureType.MULTIVARIATE).update(
            type=FeatureType.MULTIVARIATE
        )
    feature.refresh_from_db(fields=["type"])


def _check_name(project: Project, name: str) -> None:
    check_name_matches(project, name)
    # By digests, which the names' unique index holds.
    same_name = Exact(Digest(Lower("name")), Digest(Lower(Value(name))))
    if Feature.objects.filter(same_name, project=project).exists():
        raise InvalidInput(
            {
                "name": [
                    "Feature with that name already exists for this project. "
                    "Note that feature names are case insensitive."
                ]
            }
        )


def check_name_matches(project: Project, name: str) -> None:
    """Refuse a name that isn't one of those that the project allows.

    Raises:
        InvalidInput
    """
    pattern = project.feature_name_regex
    if pattern and not _matches(pattern, name):
        raise InvalidInput({"name": [f"Feature name must match regex: {pattern}"]})


def _matches(pattern: str, name: str) -> bool:
    """Whether the whole name matches, in linear time: the pattern is a tenant's."""
    try:
        return re2.fullmatch(pattern, name) is not None
    except re2.error:
        return False


def _tags(project: Project, ids: Iterable[int]) -> list[Tag]:
    wanted = set(ids)
    tags = list(Tag.objects.filter(project=project, pk__in=wanted))
    if len(tags) < len(wanted):
        raise InvalidInput(
            {"non_field_errors": ["Selected Tags must be from the same Project as current Feature"]}
        )
    return tags
