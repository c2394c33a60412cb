"""What viewsets of organisations, projects and environments have in common."""

from typing import Any, ClassVar

from django.contrib.auth import get_user_model
from django.contrib.auth.models import AbstractBaseUser
from drf_spectacular.utils import extend_schema
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.permissions import BasePermission, IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from core.errors import DomainError
from permissions.access import grants_of, may, require
from permissions.actors import Machine
from permissions.catalogue import ADMIN, MEMBER, Level, permissions_at
from permissions.details import details_of
from permissions.scoped import ScopedView
from permissions.serializers import DetailedPermissionsSerializer, GrantsSerializer, PermissionSerializer
from permissions.targets import organisation_id_of


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
    """A viewset of what permissions are held on: it lists which there are, and who has which and why."""

    level: ClassVar[Level]
    permission_classes = [IsAuthenticated, MayUseObject]

    @property
    def required_permission(self) -> str:
        # What members hold themselves, they may know, whatever that is.
        asks_about_user = getattr(self, "action", "") == "user_detailed_permissions"
        return MEMBER if asks_about_user else super().required_permission

    @extend_schema(responses=PermissionSerializer(many=True))
    @action(detail=False, methods=["get"], pagination_class=None)
    def permissions(self, request: Request) -> Response:
        """List the permissions that can be granted at this level."""
        return Response(PermissionSerializer(permissions_at(self.level), many=True).data)

    @extend_schema(responses=GrantsSerializer)
    @action(detail=True, methods=["get"], url_path="my-permissions")
    def my_permissions(self, request: Request, **path: Any) -> Response:
        """Say what the caller may do here. A master key has no permissions of its own to show."""
        target = self.get_object()
        if isinstance(request.user, Machine):
            raise OnlyForUsersError
        return Response(GrantsSerializer(grants_of(request.user, target)).data)

    @extend_schema(responses=DetailedPermissionsSerializer)
    @action(detail=True, methods=["get"], url_path="user-detailed-permissions/<int:user_pk>")
    def user_detailed_permissions(self, request: Request, user_pk: int, **path: Any) -> Response:
        """Say what a user may do here, and why. Of others than oneself only administrators are told."""
        target = self.get_object()
        if request.user.pk != user_pk:
            require(request.user, ADMIN, target)
        details = details_of(member_of(target, user_pk), target)
        return Response(DetailedPermissionsSerializer(details).data)


def member_of(target: Any, user_pk: int) -> AbstractBaseUser:
    """Return a user of the target's organisation.

    Raises:
        Http404: there is none with this id.
    """
    members = get_user_model()._default_manager.filter(memberships__organisation=organisation_id_of(target))
    return get_object_or_404(members, pk=user_pk)
