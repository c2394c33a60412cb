"""Features with what shows of them in lists: tags, owners, variants, and how they are set somewhere."""

from collections.abc import Sequence
from typing import TypedDict

from django.db.models import Count, Exists, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from core.errors import InvalidInput
from environments.models import Environment
from features.models import EnvironmentFeatureVersion, Feature, FeatureState
from features.models.state import FOR_EVERYONE, SERVED
from features.models.version import gone_live
from features.selectors.code import numbers_of_references
from features.selectors.feature_states import served_states
from features.selectors.lifecycle import stage_in
from projects.models import Project

IDENTITY_OVERRIDE = Q(identity__isnull=False)
SEGMENT_OVERRIDE = Q(feature_segment__isnull=False)


class FeatureFilters(TypedDict, total=False):
    """What a list of features may be narrowed and sorted by; see the query of the list."""

    search: str
    sort_field: str
    sort_direction: str
    tags: list[int]
    tag_strategy: str
    is_archived: bool | None
    type: str
    segment: int
    identity: int
    is_enabled: bool | None
    value_search: str
    owners: list[int]
    group_owners: list[int]
    lifecycle_stage: str


def described_features() -> QuerySet[Feature]:
    """Features with all that their description shows, in a fixed number of queries."""
    features: QuerySet[Feature] = Feature.objects.select_related("project").annotate(
        last_modified_in_any_environment=_last_published()
    )
    return features.prefetch_related(
        "tags", "owners", "group_owners", "multivariate_options", "metadata", numbers_of_references()
    )


def features_of(
    project: Project, environment: Environment | None = None, filters: FeatureFilters | None = None
) -> QuerySet[Feature]:
    """Return a project's features that pass all filters, as they are set in `environment`, if given.

    Then each has `states_in_environment` and `states_for_segment`, lists of at most one state, the numbers
    of its overrides, and its `lifecycle_stage` there.

    Raises:
        InvalidInput: what is set in no environment can't be filtered by how it is set.
    """
    filters = filters or {}
    features = _narrowed(described_features().filter(project=project), filters)
    order = _order(filters)
    if environment is None:
        if filters.get("is_enabled") is not None or "value_search" in filters:
            raise InvalidInput(
                ["Environment is required in order to filter by state search or by state enabled"]
            )
        if "lifecycle_stage" in filters:
            raise InvalidInput(
                {"lifecycle_stage": ["Environment is required in order to filter by lifecycle stage"]}
            )
        return features.order_by(*order)

    features = features.annotate(lifecycle_stage=stage_in(environment))
    features = features.filter(_set_as_wanted(environment, filters))
    if "lifecycle_stage" in filters:
        features = features.filter(lifecycle_stage=filters["lifecycle_stage"])
    first = []
    for field, path in (("segment", "feature_segment__segment"), ("identity", "identity")):
        if field in filters:
            overrides = _states(environment, Q(**{path: filters.get(field)}))
            features = features.alias(**{f"has_{field}_override": Exists(overrides)})
            first.append(f"-has_{field}_override")
    return _with_states(features, environment, filters.get("segment")).order_by(*first, *order)


def _narrowed(features: QuerySet[Feature], filters: FeatureFilters) -> QuerySet[Feature]:
    if search := filters.get("search"):
        features = features.filter(name__icontains=search)
    if (is_archived := filters.get("is_archived")) is not None:
        features = features.filter(is_archived=is_archived)
    if type_ := filters.get("type"):
        features = features.filter(type=type_)
    if "tags" in filters:
        features = _tagged(features, filters["tags"], filters.get("tag_strategy", "INTERSECTION"))
    if filters.get("owners") or filters.get("group_owners"):
        features = features.filter(_owned_by(filters.get("owners", []), filters.get("group_owners", [])))
    return features


def _tagged(features: QuerySet[Feature], tags: list[int], strategy: str) -> QuerySet[Feature]:
    """Those with all of the tags, or with any; with no tag at all if none is named."""
    if not tags:
        return features.filter(tags__isnull=True)
    has_tag = Feature.tags.through.objects.filter(feature=OuterRef("pk"))
    if strategy == "UNION":
        return features.filter(Exists(has_tag.filter(tag__in=tags)))
    for tag in set(tags):
        features = features.filter(Exists(has_tag.filter(tag=tag)))
    return features


def _owned_by(user_ids: list[int], group_ids: list[int]) -> Q:
    """Those that one of the users owns, or one of the groups."""
    by_users = Feature.owners.through.objects.filter(user__in=user_ids).values("feature")
    by_groups = Feature.group_owners.through.objects.filter(group__in=group_ids).values("feature")
    return Q(pk__in=by_users) | Q(pk__in=by_groups)


def _order(filters: FeatureFilters) -> list[str]:
    sign = "-" if filters.get("sort_direction") == "DESC" else ""
    return [f"{sign}{filters.get('sort_field') or 'created_date'}", f"{sign}pk"]


def _states(environment: Environment, condition: Q) -> QuerySet[FeatureState]:
    """States of the outer query's feature, served in the environment."""
    states: QuerySet[FeatureState] = FeatureState.objects.filter(
        SERVED, condition, environment=environment, feature=OuterRef("pk")
    )
    return states.order_by()


def _set_as_wanted(environment: Environment, filters: FeatureFilters) -> Q:
    wanted = FOR_EVERYONE
    is_enabled, text = filters.get("is_enabled"), filters.get("value_search")
    if is_enabled is None and text is None:
        return Q()
    if is_enabled is not None:
        wanted &= Q(enabled=is_enabled)
    if text is not None:
        has_value = Q(string_value__icontains=text)
        if text.lower() in {"true", "false"}:
            has_value |= Q(boolean_value=text.lower() == "true")
        if text.isascii() and text.removeprefix("-").isdigit() and len(text) <= 11:
            has_value |= Q(integer_value=int(text))
        wanted &= has_value
    return Q(Exists(_states(environment, wanted)))


def _with_states(
    features: QuerySet[Feature], environment: Environment, segment_id: int | None
) -> QuerySet[Feature]:
    states = served_states().filter(environment=environment).prefetch_related(None)
    features = features.prefetch_related(
        Prefetch("feature_states", states.filter(FOR_EVERYONE), to_attr="states_in_environment")
    ).annotate(
        num_segment_overrides=_number(environment, SEGMENT_OVERRIDE),
        num_identity_overrides=_number(environment, IDENTITY_OVERRIDE),
        last_modified_in_current_environment=_last_published(environment=environment),
    )
    if segment_id is not None:
        overrides = states.filter(feature_segment__segment=segment_id)
        features = features.prefetch_related(
            Prefetch("feature_states", overrides, to_attr="states_for_segment")
        )
    return features


def _number(environment: Environment, condition: Q) -> Coalesce:
    counted = _states(environment, condition).values("feature").annotate(number=Count("pk"))
    return Coalesce(Subquery(counted.values("number")), 0)


def features_by_name(project: Project, names: Sequence[str]) -> dict[str, Feature]:
    """Return those of the project's features that have one of these names, by the name as it is given here.

    What differs only in case is the same name, as the database compares: one query.
    """
    found = Feature.objects.raw(
        """
        SELECT feature.*, wanted.name AS wanted
        FROM unnest(%s::text[]) AS wanted (name)
        JOIN features_feature AS feature ON lower(feature.name) = lower(wanted.name)
        WHERE feature.project_id = %s AND feature.deleted_at IS NULL
        """,
        [list(names), project.pk],
    )
    features = {}
    for feature in found:
        feature.project = project
        features[feature.wanted] = feature
    return features


def _last_published(**where: Environment) -> Subquery:
    """When a version of the outer query's feature went live last."""
    versions = EnvironmentFeatureVersion.objects.filter(gone_live(), feature=OuterRef("pk"), **where)
    return Subquery(versions.order_by("-live_from").values("live_from")[:1])
