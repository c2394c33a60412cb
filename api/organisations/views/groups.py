"""Groups of members."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, viewsets
from rest_framework.decorators import action
from rest_framework.generics import get_object_or_404
from rest_framework.request import Request
from rest_framework.response import Response

from organisations.models import Group, GroupMembership
from organisations.scope import InOrganisation
from organisations.selectors import groups_managed_by, groups_of
from organisations.serializers.groups import GroupSerializer, GroupSummarySerializer, GroupUserIdsSerializer
from organisations.services import (
    add_to_group,
    create_group,
    delete_group,
    remove_from_group,
    set_group_admin,
    update_group,
)
from permissions.catalogue import ADMIN, MEMBER


@extend_schema_view(
    list=extend_schema(operation_id="list_organisation_groups"),
    create=extend_schema(operation_id="create_organisation_group"),
    retrieve=extend_schema(operation_id="get_organisation_group"),
    update=extend_schema(operation_id="update_organisation_group"),
    partial_update=extend_schema(operation_id="patch_organisation_group"),
    destroy=extend_schema(operation_id="delete_organisation_group"),
)
class GroupViewSet(InOrganisation, viewsets.ModelViewSet):
    """The groups that the caller may manage: all, or those that they administer. Others are hidden."""

    serializer_class = GroupSerializer
    queryset = Group.objects.all()
    lookup_value_converter = "int"
    write_permission = MEMBER
    permission_by_action = {"create": "MANAGE_USER_GROUPS"}

    def get_queryset(self) -> QuerySet[Group]:
        if self.action in {"my_groups", "summaries"}:
            return Group.objects.filter(organisation=self.organisation)
        return groups_managed_by(self.request.user, self.organisation).prefetch_related("memberships__user")

    def perform_create(self, serializer: Any) -> None:
        serializer.instance = create_group(self.organisation, **serializer.validated_data)

    def perform_update(self, serializer: Any) -> None:
        update_group(serializer.instance, **serializer.validated_data)

    def perform_destroy(self, instance: Group) -> None:
        delete_group(instance)

    @extend_schema(
        operation_id="add_organisation_group_users", request=GroupUserIdsSerializer, responses=GroupSerializer
    )
    @action(detail=True, methods=["post"], url_path="add-users")
    def add_users(self, request: Request, **path: Any) -> Response:
        """Put members of the organisation into the group."""
        add_to_group(self.get_object(), self._user_ids(), actor=request.user)
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(
        operation_id="remove_organisation_group_users",
        request=GroupUserIdsSerializer,
        responses=GroupSerializer,
    )
    @action(detail=True, methods=["post"], url_path="remove-users")
    def remove_users(self, request: Request, **path: Any) -> Response:
        """Take users out of the group."""
        remove_from_group(self.get_object(), self._user_ids(), actor=request.user)
        return Response(self.get_serializer(self.get_object()).data)

    @extend_schema(operation_id="list_my_groups", responses=GroupSummarySerializer(many=True))
    @action(detail=False, methods=["get"], url_path="my-groups", serializer_class=GroupSummarySerializer)
    def my_groups(self, request: Request, **path: Any) -> Response:
        """List the groups that the caller is in."""
        page = self.paginate_queryset(groups_of(request.user, self.organisation))
        return self.get_paginated_response(self.get_serializer(page, many=True).data)

    @extend_schema(operation_id="list_group_summaries", responses=GroupSummarySerializer(many=True))
    @action(detail=False, methods=["get"], pagination_class=None, serializer_class=GroupSummarySerializer)
    def summaries(self, request: Request, **path: Any) -> Response:
        """List all groups of the organisation, without who is in them."""
        return Response(self.get_serializer(self.get_queryset(), many=True).data)

    def _user_ids(self) -> list[int]:
        body = GroupUserIdsSerializer(data=self.request.data)
        body.is_valid(raise_exception=True)
        user_ids: list[int] = body.validated_data["user_ids"]
        return user_ids


class GroupAdminView(InOrganisation, generics.GenericAPIView):
    """Who administers a group, of those in it."""

    write_permission = ADMIN
    queryset = GroupMembership.objects.all()
    is_admin: bool

    def post(self, request: Request, *, group_pk: int, user_id: int, **path: Any) -> Response:
        members = GroupMembership.objects.filter(
            group__organisation=self.organisation, user__memberships__organisation=self.organisation
        )
        set_group_admin(get_object_or_404(members, group=group_pk, user=user_id), self.is_admin)
        return Response()


@extend_schema_view(post=extend_schema(operation_id="make_group_admin", request=None, responses={200: None}))
class MakeGroupAdminView(GroupAdminView):
    """Let somebody in a group say who else is."""

    is_admin = True


@extend_schema_view(
    post=extend_schema(operation_id="remove_group_admin", request=None, responses={200: None})
)
class RemoveGroupAdminView(GroupAdminView):
    """Let an administrator of a group be one of its users again."""

    is_admin = False
