"""Which features need which."""

from collections.abc import Collection

from django.db.models import QuerySet

from environments.models import Environment
from features.models import Prerequisite


def prerequisites_in(environment: Environment) -> QuerySet[Prerequisite]:
    """Return the prerequisites of an environment's features, with both features."""
    kept = Prerequisite.objects.filter(environment=environment, feature__deleted_at__isnull=True)
    return kept.select_related("feature__project", "required_feature", "environment__project")


def uses_of(features: Collection[int]) -> QuerySet[Prerequisite]:
    """Return where other features need one of these, in any environment; not where both are of them."""
    uses: QuerySet[Prerequisite] = Prerequisite.objects.filter(
        required_feature__in=features,
        feature__deleted_at__isnull=True,
        environment__deleted_at__isnull=True,
    )
    uses = uses.exclude(feature__in=features)
    return uses.select_related("feature", "required_feature", "environment").order_by("pk")
