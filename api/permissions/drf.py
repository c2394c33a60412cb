"""What viewsets of organisations, projects and environments have in common."""

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.errors import DomainError
from permissions.access import grants_of, may
from permissions.actors import Machine
from permissions.catalogue import Level, permissions_at
from permissions.scoped import ScopedView
from permissions.serializers import GrantsSerializer, PermissionSerializer


class OnlyForUsersError(DomainError):
    """A machine asks for something that only users have."""

    code = "only_for_users"

    def __init__(self) -> None:
        super().__init__("This endpoint can only be used with a user and not Master API Key")


class MayUseObject(BasePermission):
    """Asks about the very object: who may see it but lacks `view.required_permission` gets 403."""

    def has_object_permission(self, request: Request, view: APIView, obj: Any) -> bool:
        return may(request.user, view.required_permission, obj)  # type: ignore[attr-defined]


class ObjectsWithPermissions(ScopedView):
    """A viewset of what permissions are held on: it lists which there are, and which the caller has."""

    level: ClassVar[Level]
    permission_classes = [IsAuthenticated, MayUseObject]

    @extend_schema(responses=PermissionSerializer(many=True))
    @action(detail=False, methods=["get"], pagination_class=None)
    def permissions(self, request: Request) -> Response:
        """List the permissions that can be granted at this level."""
        return Response(PermissionSerializer(permissions_at(self.level), many=True).data)

    @extend_schema(responses=GrantsSerializer)
    @action(detail=True, methods=["get"], url_path="my-permissions")
    def my_permissions(self, request: Request, **path: Any) -> Response:
        """Say what the caller may do here."""
        target = self.get_object()
        if isinstance(request.user, Machine):
            raise OnlyForUsersError
        return Response(GrantsSerializer(grants_of(request.user, target)).data)
