"""Prerequisites: which feature needs which, and how. What they do to flags, `documents.prerequisites` says.

They are of an environment, and of no version: a change takes effect at once, and going back to a former
version leaves them alone.
"""

from collections import defaultdict, deque
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TypedDict, Unpack

from django.db import connection, transaction
from django.db.models import QuerySet

from audit.services import Author
from core.errors import InvalidInput
from core.locks import hold, reread
from environments.models import Environment
from features.exceptions import FeatureNeededError, VariantNeededError
from features.models import Feature, MultivariateOption, Prerequisite
from features.models.prerequisite import LOCK_CLASS
from features.selectors.prerequisites import prerequisites_in, uses_of
from features.services import records
from features.services.approval import check_approval

CONTROL = "control"
# So that SDKs, which follow prerequisites by calls within calls, never come near the depth of their stacks.
LONGEST_CHAIN = 10
MOST_PER_FEATURE = 20
_NAMED_AT_MOST = 10

# By the id of a feature, the ids of those that it needs.
Needs = Mapping[int, Collection[int]]


class Requirement(TypedDict, total=False):
    """How the required feature has to be: switched on, or off; if on, perhaps with a value or a variant."""

    enabled: bool
    value: str | None
    variant: str | None


@transaction.atomic
def add_prerequisite(
    environment: Environment,
    *,
    feature_id: int,
    required_feature_id: int,
    author: Author,
    **requirement: Unpack[Requirement],
) -> Prerequisite:
    """Let a feature be on only where another one is as required.

    Raises:
        InvalidInput: a feature is of another project; there is such a prerequisite already; it would close
            a circle or make too long a chain; or the required feature can't be like that.
        ApprovalRequiredError: the environment takes changes by request only.
    """
    _lock(environment)
    # In the order of ids, as whoever locks several. Who deletes one of them waits, or has done it already.
    features: QuerySet[Feature] = Feature.objects.filter(
        pk__in={feature_id, required_feature_id}, project_id=environment.project_id
    )
    known = {
        feature.pk: feature
        for feature in features.select_related("project").select_for_update(of=("self",), no_key=True)
    }
    for field, wanted in (("feature", feature_id), ("required_feature", required_feature_id)):
        if wanted not in known:
            raise InvalidInput({field: ["Feature does not exist in project"]})
    check_approval([environment], [known[feature_id]], author=author)
    prerequisite = Prerequisite(
        environment=environment,
        feature=known[feature_id],
        required_feature=known[required_feature_id],
        **requirement,
    )
    _check_fits(prerequisite)
    _check_requirement(prerequisite)
    prerequisite.save()
    records.prerequisite_added(prerequisite, author=author)
    return prerequisite


@transaction.atomic
def change_prerequisite(
    prerequisite: Prerequisite, *, author: Author, **requirement: Unpack[Requirement]
) -> Prerequisite:
    """Change how the required feature has to be: only what is given.

    Raises:
        InvalidInput: it can't be like that.
        GoneError: the required feature was deleted.
        ApprovalRequiredError: the environment takes changes by request only.
    """
    hold(prerequisite.required_feature)  # with its variants
    reread(prerequisite, ["enabled", "value", "variant"])
    changes = [
        records.change(name, old, new)
        for name, new in requirement.items()
        if (old := getattr(prerequisite, name)) != new
    ]
    if not changes:
        return prerequisite
    check_approval([prerequisite.environment], [prerequisite.feature], author=author)
    for name, new in requirement.items():
        setattr(prerequisite, name, new)
    _check_requirement(prerequisite)
    prerequisite.save(update_fields=[each["field"] for each in changes])
    records.prerequisite_changed(prerequisite, author=author, changes=changes)
    return prerequisite


@transaction.atomic
def remove_prerequisite(prerequisite: Prerequisite, *, author: Author) -> None:
    """Let a feature no longer depend on another one.

    Raises:
        ApprovalRequiredError: the environment takes changes by request only.
    """
    check_approval([prerequisite.environment], [prerequisite.feature], author=author)
    records.prerequisite_removed(prerequisite, author=author)
    prerequisite.delete()


def copy_prerequisites(source: Environment, copy: Environment) -> None:
    """Let the features of a new environment need what they need in another one of the project."""
    Prerequisite.objects.bulk_create(
        Prerequisite(
            environment=copy,
            feature_id=each.feature_id,
            required_feature_id=each.required_feature_id,
            enabled=each.enabled,
            value=each.value,
            variant=each.variant,
        )
        for each in prerequisites_in(source)
    )


def refuse_where_needed(features: Sequence[Feature], *, to: str) -> None:
    """Refuse to delete or archive features, together, of which one is needed by a feature that stays.

    Args:
        to: what is to be done with them, e.g. `deleted`.

    Raises:
        FeatureNeededError: names who needs it, and where.
    """
    uses = list(uses_of([feature.pk for feature in features]))
    if uses:
        needed = uses[0].required_feature
        named = [use for use in uses if use.required_feature_id == needed.pk]
        raise FeatureNeededError(
            f"Feature '{needed.name}' can't be {to}: it is a prerequisite of {_listed(named)}."
        )


def refuse_where_variant_needed(option: MultivariateOption, key: str | None) -> None:
    """Refuse to take a variant's key away that prerequisites name.

    Raises:
        VariantNeededError: names who needs it, and where.
    """
    if key is None:
        return
    uses = list(uses_of([option.feature_id]).filter(variant=key))
    if uses:
        raise VariantNeededError(
            f"The variant '{key}' has to stay as it is: it is a prerequisite of {_listed(uses)}."
        )


def _listed(uses: Sequence[Prerequisite]) -> str:
    named = [
        f"'{use.feature.name:.100}' in environment '{use.environment.name:.100}'"
        for use in uses[:_NAMED_AT_MOST]
    ]
    others = len(uses) - len(named)
    return ", ".join(named) + (f" and {others} more" if others else "")


def _lock(environment: Environment) -> None:
    """Let others who change the environment's prerequisites wait. What is read after it, they have left."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", [LOCK_CLASS, environment.pk])


def _check_fits(prerequisite: Prerequisite) -> None:
    """Look at the prerequisites beside a new one. The database refuses circles whoever makes them."""
    feature, required = prerequisite.feature, prerequisite.required_feature
    needs: dict[int, set[int]] = defaultdict(set)
    names = {feature.pk: feature.name, required.pk: required.name}
    for each in prerequisites_in(prerequisite.environment):
        needs[each.feature_id].add(each.required_feature_id)
        names |= {each.feature_id: each.feature.name, each.required_feature_id: each.required_feature.name}
    if required.pk in needs[feature.pk]:
        raise InvalidInput({"non_field_errors": ["The feature has this prerequisite already."]})
    if feature.pk == required.pk:
        raise InvalidInput({"required_feature": ["A feature can't be its own prerequisite."]})
    if way := _way(required.pk, feature.pk, needs):
        circle = " → ".join(f"'{names[each]:.100}'" for each in [feature.pk, *way])
        raise InvalidInput({"required_feature": [f"Prerequisites must not form a circle: {circle}."]})
    if len(needs[feature.pk]) >= MOST_PER_FEATURE:
        raise InvalidInput({"feature": [f"A feature has at most {MOST_PER_FEATURE} prerequisites."]})
    needed_by: dict[int, set[int]] = defaultdict(set)
    for dependant, required_ids in needs.items():
        for required_id in required_ids:
            needed_by[required_id].add(dependant)
    if _length(feature.pk, needed_by) + 1 + _length(required.pk, needs) > LONGEST_CHAIN:
        raise InvalidInput(
            {"required_feature": [f"At most {LONGEST_CHAIN} features in a row can need each other."]}
        )


def _way(start: int, end: int, needs: Needs) -> list[int]:
    """Return a shortest way between two features along what they need, both included; empty without one."""
    came_from: dict[int, int] = {}
    waiting = deque([start])
    while waiting:
        here = waiting.popleft()
        if here == end:
            return list(_back(here, start, came_from))[::-1]
        for required_id in sorted(needs.get(here, ())):
            if required_id not in came_from and required_id != start:
                came_from[required_id] = here
                waiting.append(required_id)
    return []


def _back(here: int, start: int, came_from: Mapping[int, int]) -> Iterator[int]:
    yield here
    while here != start:
        here = came_from[here]
        yield here


def _length(start: int, needs: Needs) -> int:
    """Return the number of steps of the longest way from a feature, as far as that can matter."""
    steps, here = 0, {start}
    while steps <= LONGEST_CHAIN and (there := {each for one in here for each in needs.get(one, ())}):
        steps, here = steps + 1, there
    return steps


def _check_requirement(prerequisite: Prerequisite) -> None:
    if prerequisite.value is not None and prerequisite.variant is not None:
        raise InvalidInput({"variant": ["A prerequisite names a value or a variant, not both."]})
    if not prerequisite.enabled and (prerequisite.value is not None or prerequisite.variant is not None):
        raise InvalidInput({"enabled": ["A feature that has to be off has no value or variant to have."]})
    if prerequisite.variant in (None, CONTROL):
        return
    options = MultivariateOption.objects.filter(feature=prerequisite.required_feature_id)
    if not options.filter(key=prerequisite.variant).exists():
        raise InvalidInput({"variant": ["The required feature has no variant with this key."]})
