"""An environment in figures."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from environments.scope import InEnvironment, InEnvironmentById
from features.selectors.lifecycle import numbers_by_stage
from features.selectors.metrics import metrics_of
from features.serializers.metrics import LifecycleCountsSerializer, MetricsSerializer


class EnvironmentMetricsView(InEnvironment):
    """How much there is in an environment. `workflows` has a subclass of it that stands at the route."""

    serializer_class = MetricsSerializer

    @extend_schema(operation_id="get_environment_metrics", responses=MetricsSerializer)
    def get(self, request: Request, environment_key: str) -> Response:
        """Count features and overrides. Archived features don't count."""
        metrics = metrics_of(self.environment, self.figures_from_above())
        return Response(MetricsSerializer({"metrics": metrics}).data)

    def figures_from_above(self) -> dict[str, int]:
        """Return the numbers, by their names, that only apps above this one can count."""
        return {}


class LifecycleCountsView(InEnvironmentById):
    """How many features there are in each stage of their lives, as they are used in an environment."""

    serializer_class = LifecycleCountsSerializer

    @extend_schema(operation_id="get_feature_lifecycle_counts", responses=LifecycleCountsSerializer)
    def get(self, request: Request, environment_pk: int) -> Response:
        """Count features by stage. Archived features don't count."""
        return Response(LifecycleCountsSerializer(numbers_by_stage(self.environment)).data)
