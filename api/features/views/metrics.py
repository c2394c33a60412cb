"""An environment in figures."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from environments.scope import InEnvironment
from features.selectors.metrics import metrics_of
from features.serializers.metrics import MetricsSerializer


class EnvironmentMetricsView(InEnvironment):
    """How much there is in an environment."""

    serializer_class = MetricsSerializer

    @extend_schema(operation_id="get_environment_metrics", responses=MetricsSerializer)
    def get(self, request: Request, environment_key: str) -> Response:
        """Count features and overrides. Archived features don't count."""
        return Response(MetricsSerializer({"metrics": metrics_of(self.environment)}).data)
