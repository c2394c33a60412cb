"""Copies of environments."""

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from environments.scope import environment_with
from features.serializers.clones import ClonedEnvironmentSerializer, CloneSerializer
from features.services.clones import clone_environment
from permissions.access import require


class CloneEnvironmentView(GenericAPIView):
    """Copies an environment. One of somebody else's gets 403, an unknown one 404."""

    serializer_class = CloneSerializer
    permission_classes = [IsAuthenticated]

    @extend_schema(operation_id="clone_environment", responses=ClonedEnvironmentSerializer)
    def post(self, request: Request, environment_key: str) -> Response:
        """Create an environment with the same settings, feature states and segment overrides."""
        source = environment_with(environment_key)
        if source is None:
            raise NotFound
        require(request.user, "CREATE_ENVIRONMENT", source.project)
        wanted = self.get_serializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        copy = clone_environment(source, name=wanted.validated_data["name"], author=request.user)
        return Response(ClonedEnvironmentSerializer(copy).data)
