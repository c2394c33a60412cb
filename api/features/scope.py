"""What may be done to one feature: some permissions are held for features with certain tags only."""

from collections.abc import Collection, Iterable
from typing import Any

from features.models import Feature
from permissions.access import may, require
from permissions.actors import Actor


def require_for(actor: Actor, permission: str, target: Any, feature_id: int) -> None:
    """Refuse whoever doesn't hold `permission` on a project or an environment for this feature.

    Raises:
        PermissionDenied: the actor doesn't hold it, or only for features with other tags.
    """
    require(actor, permission, target, tags=_tags_of(feature_id))


def require_for_each(actor: Actor, permission: str, target: Any, feature_ids: Iterable[int]) -> None:
    """Refuse whoever doesn't hold `permission` for all these features; without any, whoever doesn't hold it.

    Raises:
        PermissionDenied
    """
    features = set(feature_ids)
    for feature_id in sorted(features):
        require_for(actor, permission, target, feature_id)
    if not features:
        require(actor, permission, target)


def may_for(actor: Actor, permission: str, target: Any, feature_id: int) -> bool:
    """Whether the actor holds `permission` on a project or an environment for this feature."""
    return may(actor, permission, target, tags=_tags_of(feature_id))


def permission_to_change(*, overrides_segment: bool) -> str:
    """Return what a feature state's change needs: segment overrides have a permission of their own."""
    return "MANAGE_SEGMENT_OVERRIDES" if overrides_segment else "UPDATE_FEATURE_STATE"


def _tags_of(feature_id: int) -> Collection[int]:
    tagged = Feature.tags.through._default_manager.filter(feature=feature_id)
    return set(tagged.values_list("tag", flat=True))
