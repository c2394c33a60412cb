"""Copies of environments, with all that they serve."""

from django.db import transaction
from django.db.models import IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from audit.services import Author
from environments.models import Environment
from environments.services import EnvironmentFields, create_environment
from features.models import FeatureState, MultivariateFeatureStateValue
from features.models.state import FOR_EVERYONE, SERVED
from features.services.copies import CONTENT, copy_allocations, copy_states
from features.services.prerequisites import copy_prerequisites
from features.services.versioning import start_versions
from metadata.services import copy_values

_SERVED_PLACE = Q(feature_segment__deleted_at__isnull=True, feature_segment__is_live=True)


@transaction.atomic
def clone_environment(source: Environment, *, name: str, author: Author) -> Environment:
    """Create an environment with the same settings, custom fields, states, overrides and prerequisites.

    Variants are drawn with the seeds of the original: only the environment's key, which is part of what an
    identity is known by, makes a difference. What belongs to the people who use the environment, or to its
    operation, isn't copied: identities and their overrides, traits, keys, webhooks, permissions.

    Where the source keeps versions, so does the copy: what is served of the source is its first ones.

    Raises:
        IntegrityError: the project has an environment of this name.
    """
    settings = _settings_of(source)
    settings["name"] = name
    copy = create_environment(source.project, author=author, **settings)
    copy_values(source, copy)
    copy_allocations(_copy_default_states(source, copy))
    _copy_segment_overrides(source, copy)
    copy_prerequisites(source, copy)
    if source.use_v2_feature_versioning:
        start_versions(copy, author=author)
    return copy


def _settings_of(environment: Environment) -> EnvironmentFields:
    """Return what can be said of an environment, but for its name and its key."""
    return {
        "description": environment.description,
        "minimum_change_request_approvals": environment.minimum_change_request_approvals,
        "allow_client_traits": environment.allow_client_traits,
        "banner_text": environment.banner_text,
        "banner_colour": environment.banner_colour,
        "hide_disabled_flags": environment.hide_disabled_flags,
        "hide_sensitive_data": environment.hide_sensitive_data,
        "use_identity_composite_key_for_hashing": environment.use_identity_composite_key_for_hashing,
        "use_identity_overrides_in_local_eval": environment.use_identity_overrides_in_local_eval,
    }


def _copy_default_states(source: Environment, copy: Environment) -> dict[int, int]:
    """Let the states that a new environment has from the start say what the source's do.

    Returns:
        The ids of the copies, by those of their originals.
    """
    original = _served(source, FOR_EVERYONE).filter(feature=OuterRef("feature"))
    states = _served(copy, FOR_EVERYONE).filter(feature__in=_served(source, FOR_EVERYONE).values("feature"))
    states.update(
        **{column: Subquery(original.values(column)) for column in CONTENT},
        hash_seed=Subquery(original.values(seed=Coalesce("hash_seed", "pk", output_field=IntegerField()))),
    )
    # They came with the shares that new environments have.
    MultivariateFeatureStateValue.objects.filter(feature_state__in=states).delete()
    copies = dict(states.values_list("feature", "pk"))
    originals = _served(source, FOR_EVERYONE).values_list("pk", "feature")
    return {pk: copies[feature] for pk, feature in originals}


def _copy_segment_overrides(source: Environment, copy: Environment) -> None:
    """Override the same features for the same segments, in the same order."""
    originals = (
        _served(source, Q(feature_segment__isnull=False))
        .filter(_SERVED_PLACE)
        .select_related("feature_segment")
        .order_by("feature_segment__priority", "pk")
    )
    copy_states(list(originals), lambda state: {"environment_id": copy.pk})


def _served(environment: Environment, condition: Q) -> QuerySet[FeatureState]:
    states: QuerySet[FeatureState] = FeatureState.objects.filter(SERVED, condition, environment=environment)
    return states.order_by()
