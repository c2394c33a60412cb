"""Writing what was read: a project as a whole, then its identities, batch by batch.

Who is served what must stay. So kept are environments' keys, with which identities are drawn; states' seeds;
the order of variants' bands; and the ids of segments that split by percentage.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models import Model
from django.utils.dateparse import parse_datetime

from core.bulk import write_columns
from environments.models import Environment, ServerSideKey
from environments.services import EnvironmentFields, create_environment
from features.models import (
    Feature,
    FeatureSegment,
    FeatureState,
    FeatureType,
    MultivariateFeatureStateValue,
    MultivariateOption,
)
from features.models.state import FOR_EVERYONE
from features.services.versioning import start_versions
from identities.batches import TraitChanges
from identities.models import Identity
from identities.services import store_traits
from moving.api import MovingError
from moving.readings import (
    EnvironmentReading,
    FeatureReading,
    IdentityReading,
    OptionReading,
    ProjectReading,
    StateReading,
)
from organisations.models import Organisation
from projects.models import Project, Tag
from projects.services import create_project
from segments.models import Segment
from segments.services import take_in_segment

# Numbers that are given here stay clear of the source's, so that no two rollouts draw alike. Beyond this,
# they would run out instead.
_HIGHEST_NUMBER = 2**30


@dataclass(frozen=True)
class Here:
    """What a project's features and variants have become, by their ids at the source."""

    project: Project
    features: Mapping[int, int]
    options: Mapping[int, int]


@transaction.atomic
def take_in(reading: ProjectReading, organisation: Organisation) -> Here:
    """Make a project with all that is in it but identities. All of it or nothing.

    Raises:
        InvalidInput, IntegrityError: a name or a key is taken. The plan says so before.
    """
    project = create_project(organisation, creator=None, **reading.settings)
    tags = {
        source_id: Tag.objects.create(project=project, **fields) for source_id, fields in reading.tags.items()
    }
    here = Here(project, *_take_in_features(reading, project, tags))
    segments = _take_in_segments(reading, here)
    for environment in reading.environments:
        _take_in_environment(environment, here, segments)
    seeds = [state.seed for each in reading.environments for state in each.states if state.seed]
    _give_higher_numbers(FeatureState, seeds)
    return here


def find_here(reading: ProjectReading, organisation: Organisation) -> Here | None:
    """Return what became of a project that was taken in before; None if it wasn't.

    Raises:
        MovingError: there is another project of its name, or it was changed meanwhile.
    """
    project = Project.objects.filter(organisation=organisation, name=reading.name).first()
    if project is None:
        return None
    keys = set(Environment.objects.filter(project=project).values_list("api_key", flat=True))
    if not reading.environments or not keys.issuperset(each.api_key for each in reading.environments):
        raise MovingError(
            f"{organisation.name} has another project {reading.name}, without all of its environments' keys. "
            "Rename one of the two."
        )
    by_name = {each.name.lower(): each for each in Feature.objects.filter(project=project)}
    features: dict[int, int] = {}
    options: dict[int, int] = {}
    for each in reading.features:
        if (feature := by_name.get(each.name.lower())) is None:
            continue  # new at the source, or deleted here
        features[each.source_id] = feature.pk
        present = {
            _name_of(option.key, option.value): option.pk for option in feature.multivariate_options.all()
        }
        for option in each.options:
            if (found := present.get(_name_of(option.key, option.value))) is not None:
                options[option.source_id] = found
    return Here(project, features, options)


def known_identifiers(environment: Environment, identifiers: Sequence[str]) -> frozenset[str]:
    """Return those of the identifiers that the environment has an identity of."""
    return frozenset(
        identifier
        for identifier in identifiers
        if Identity.objects.filter(environment=environment).with_identifier(identifier).exists()
    )


@transaction.atomic
def take_in_identities(batch: Sequence[IdentityReading], environment: Environment, here: Here) -> int:
    """Make identities, or add to those that are there what they lack; return how many overrides came.

    What an identity has here already is newer: its SDKs may have been moved before it was.
    """
    stored = store_traits([TraitChanges(environment.pk, each.identifier) for each in batch])
    # Again, and locked: SDKs write all the time. In the order in which batches of theirs lock them.
    identities = (
        Identity.objects.filter(pk__in=[each.id for each in stored.values()])
        .order_by("identifier")
        .select_for_update()
    )
    known = {each.identifier: each for each in identities}
    batch = [each for each in batch if each.identifier in known]  # others were deleted just now
    missing = [
        TraitChanges(
            environment.pk,
            each.identifier,
            {
                key: value
                for key, value in each.traits.items()
                if key not in known[each.identifier].traits and value is not None
            },
        )
        for each in batch
    ]
    store_traits([each for each in missing if each.values])
    ids = {each.identifier: known[each.identifier].pk for each in batch}
    there = set(
        FeatureState.objects.filter(environment=environment, identity__in=ids.values()).values_list(
            "identity", "feature"
        )
    )
    wanted = [
        (ids[each.identifier], override)
        for each in batch
        for override in each.overrides
        if override.feature in here.features
        and (ids[each.identifier], here.features[override.feature]) not in there
    ]
    rows = [
        _state(override, here, environment_id=environment.pk, identity_id=identity_id)
        for identity_id, override in wanted
    ]
    FeatureState.all_objects.bulk_create(rows)
    _take_in_shares(zip(rows, (override for _, override in wanted), strict=True), here)
    return len(rows)


def _take_in_features(
    reading: ProjectReading, project: Project, tags: Mapping[int, Tag]
) -> tuple[dict[int, int], dict[int, int]]:
    wanted = sorted(reading.features, key=lambda each: each.source_id)
    features: list[Feature] = Feature.objects.bulk_create(_feature(each, project) for each in wanted)
    both = list(zip(wanted, features, strict=True))
    pairs = [(option, feature) for each, feature in both for option in each.options]
    options = MultivariateOption.objects.bulk_create(_option(option, feature) for option, feature in pairs)
    tagged = Feature.tags.through
    tagged._default_manager.bulk_create(
        tagged(feature=feature, tag=tags[tag]) for each, feature in both for tag in each.tags if tag in tags
    )
    return (
        {each.source_id: feature.pk for each, feature in both},
        {each.source_id: option.pk for (each, _), option in zip(pairs, options, strict=True)},
    )


def _feature(each: FeatureReading, project: Project) -> Feature:
    return Feature(
        project=project,
        name=each.name,
        type=FeatureType.MULTIVARIATE if each.options else FeatureType.STANDARD,
        description=each.description,
        default_enabled=each.default_enabled,
        initial_value=each.initial_value,
        is_archived=each.is_archived,
        is_server_key_only=each.is_server_key_only,
    )


def _option(each: OptionReading, feature: Feature) -> MultivariateOption:
    option = MultivariateOption(
        feature=feature, key=each.key or None, default_percentage_allocation=each.percentage
    )
    option.value = each.value
    return option


def _take_in_segments(reading: ProjectReading, here: Here) -> dict[int, int]:
    """Make the segments, under their ids where these are free, and return their ids here."""
    wanted = sorted(reading.segments, key=lambda each: each.source_id)
    taken = set(
        Segment.all_objects.filter(pk__in=[each.source_id for each in wanted]).values_list("pk", flat=True)
    )
    # First, so that none of those that get a number of their own gets one of the others'.
    _give_higher_numbers(Segment, [each.source_id for each in wanted])
    return {
        each.source_id: take_in_segment(
            here.project,
            pk=None if each.source_id in taken else each.source_id,
            name=each.name,
            rules=each.rules,
            description=each.description,
            feature_id=here.features.get(each.feature) if each.feature else None,
        ).pk
        for each in wanted
    }


def _take_in_environment(reading: EnvironmentReading, here: Here, segments: Mapping[int, int]) -> None:
    settings: EnvironmentFields = {**reading.settings, "api_key": reading.api_key}
    environment = create_environment(here.project, author=None, **settings)
    _take_in_defaults(reading, environment, here)
    _take_in_segment_overrides(reading, environment, here, segments)
    ServerSideKey.objects.bulk_create(
        ServerSideKey(
            environment=environment,
            key=each.key,
            name=each.name,
            active=each.active,
            expires_at=parse_datetime(each.expires_at) if each.expires_at else None,
        )
        for each in reading.server_keys
    )
    if reading.uses_versions:
        start_versions(environment, author=None)


def _take_in_defaults(reading: EnvironmentReading, environment: Environment, here: Here) -> None:
    """Let the states that an environment has from the start be the source's."""
    present = {
        state.feature_id: state
        for state in FeatureState.objects.filter(FOR_EVERYONE, environment=environment)
    }
    pairs = [
        (present[here.features[each.feature]], each)
        for each in reading.defaults
        if each.feature in here.features
    ]
    for row, each in pairs:
        row.enabled, row.value, row.hash_seed = each.enabled, each.value, each.seed
    write_columns(
        [row for row, _ in pairs],
        ["enabled", "type", "string_value", "integer_value", "boolean_value", "hash_seed"],
    )
    # They came with the shares that new environments have, in an order that may be another one.
    MultivariateFeatureStateValue.objects.filter(feature_state__in=[row.pk for row, _ in pairs]).delete()
    _take_in_shares(pairs, here)


def _take_in_segment_overrides(
    reading: EnvironmentReading, environment: Environment, here: Here, segments: Mapping[int, int]
) -> None:
    wanted = [
        (segments[segment], override)
        for segment, overrides in reading.overrides.items()
        if segment in segments
        for override in overrides
        if override.feature in here.features
    ]
    # Numbers as they were; where two are the same, which is none here, in the order in which they stood.
    by_feature: dict[int, list[tuple[int, int]]] = {}
    for index, (_, override) in enumerate(wanted):
        by_feature.setdefault(override.feature, []).append((override.priority or 0, index))
    priorities = {}
    for places in by_feature.values():
        are_different = len({priority for priority, _ in places}) == len(places)
        for number, (priority, index) in enumerate(sorted(places)):
            priorities[index] = priority if are_different else number
    bindings = FeatureSegment.all_objects.bulk_create(
        FeatureSegment(
            environment=environment,
            feature_id=here.features[override.feature],
            segment_id=segment_id,
            priority=priorities[index],
        )
        for index, (segment_id, override) in enumerate(wanted)
    )
    rows = FeatureState.all_objects.bulk_create(
        _state(override, here, environment_id=environment.pk, feature_segment_id=binding.pk)
        for (_, override), binding in zip(wanted, bindings, strict=True)
    )
    _take_in_shares(zip(rows, (override for _, override in wanted), strict=True), here)


def _state(reading: StateReading, here: Here, **where: int) -> FeatureState:
    state = FeatureState(
        feature_id=here.features[reading.feature], enabled=reading.enabled, hash_seed=reading.seed, **where
    )
    state.value = reading.value
    return state


def _take_in_shares(pairs: Iterable[tuple[FeatureState, StateReading]], here: Here) -> None:
    """Give states their shares, in the order of their bands."""
    MultivariateFeatureStateValue.objects.bulk_create(
        MultivariateFeatureStateValue(
            feature_state=row,
            multivariate_feature_option_id=here.options[share.option],
            percentage_allocation=share.percentage,
        )
        for row, reading in pairs
        for share in reading.shares
        if share.option in here.options
    )


def _give_higher_numbers(model: type[Model], source_ids: Iterable[int]) -> None:
    """Let new rows have ids beyond these."""
    highest = max((each for each in source_ids if each < _HIGHEST_NUMBER), default=0)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [model._meta.db_table])
        (sequence,) = cursor.fetchone()
        cursor.execute(
            f"SELECT setval(%s, greatest(last_value, %s), is_called OR last_value <= %s) FROM {sequence}",  # noqa: S608
            [sequence, max(highest, 1), highest],
        )


def _name_of(key: str | None, value: object) -> tuple[str | None, object]:
    return (key, (type(value), value)) if key is None else (key, None)
