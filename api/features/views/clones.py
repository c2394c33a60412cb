"""Copies of environments."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from environments.models import Environment
from environments.scope import InEnvironment
from features.serializers.clones import ClonedEnvironmentSerializer, CloneSerializer
from features.services.clones import clone_environment
from permissions.access import may


class CloneEnvironmentView(InEnvironment):
    """Copies an environment, for whoever may create one in its project."""

    serializer_class = CloneSerializer

    @extend_schema(operation_id="clone_environment", responses=ClonedEnvironmentSerializer)
    def post(self, request: Request, environment_key: str) -> Response:
        """Create an environment with the same settings, feature states and segment overrides."""
        wanted = self.get_serializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        name = wanted.validated_data["name"]
        copy = clone_environment(self.environment, name=name, author=request.user)
        return Response(ClonedEnvironmentSerializer(copy).data)

    def may_enter(self, target: Environment) -> bool:
        return may(self.request.user, "CREATE_ENVIRONMENT", target.project)
