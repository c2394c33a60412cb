"""An environment in figures."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from environments.scope import InEnvironment, InEnvironmentById
from features.selectors.lifecycle import numbers_by_stage
from features.selectors.metrics import metrics_of
from features.serializers.metrics import LifecycleCountsSerializer, MetricsSerializer


class EnvironmentMetricsView(InEnvironment):
    """How much there is in an environment."""

    serializer_class = MetricsSerializer

    @extend_schema(operation_id="get_environment_metrics", responses=MetricsSerializer)
    def get(self, request: Request, environment_key: str) -> Response:
        """Count features and overrides. Archived features don't count."""
        return Response(MetricsSerializer({"metrics": metrics_of(self.environment)}).data)


class LifecycleCountsView(InEnvironmentById):
    """How many features there are in each stage of their lives, as they are used in an environment."""

    serializer_class = LifecycleCountsSerializer

    @extend_schema(operation_id="get_feature_lifecycle_counts", responses=LifecycleCountsSerializer)
    def get(self, request: Request, environment_pk: int) -> Response:
        """Count features by stage. Archived features don't count."""
        return Response(LifecycleCountsSerializer(numbers_by_stage(self.environment)).data)
