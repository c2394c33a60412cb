"""Where what is served changes by request only: the one place that lets a change through, or refuses it.

Overrides of identities and features that are new are exempt; so is what takes features away.
"""

from collections.abc import Collection, Iterable

from audit.models import ChangeType, RelatedObjectType
from audit.services import Author, record
from environments.models import Environment
from features.models import Feature
from projects.approval import emergency_in, takes_requests_only


def check_approval(
    environments: Iterable[Environment], features: Collection[Feature], *, author: Author
) -> None:
    """Refuse to change what these features serve in environments that take changes by request only.

    Args:
        environments: as they are in the transaction that makes the change.

    Raises:
        ApprovalRequiredError: one of them does.
        MayNotBreakGlassError: the caller says that it is an emergency, and may not.
    """
    for environment in filter(takes_requests_only, environments):
        for feature in features:
            tags = set(feature.tags.values_list("pk", flat=True))
            reason = emergency_in(environment, author=author, permission="BREAK_GLASS", tags=tags)
            _record_broken_glass(environment, feature, reason, author)


def _record_broken_glass(environment: Environment, feature: Feature, reason: str, author: Author) -> None:
    record(
        f"Glass broken: feature '{feature.name}' changed in environment '{environment.name}' "
        f"without approval. Reason: {reason}",
        author=author,
        related_object=feature,
        related_object_type=RelatedObjectType.FEATURE,
        organisation_id=environment.project.organisation_id,
        project_id=environment.project_id,
        environment_id=environment.pk,
        change_type=ChangeType.UPDATE,
    )
