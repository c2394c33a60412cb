"""The members of organisations."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from organisations.models import MemberRole, OrganisationMembership
from organisations.scope import InOrganisation
from organisations.selectors import members_of
from organisations.serializers.members import MemberQuery, MemberSerializer, RoleSerializer
from organisations.services import change_role


@extend_schema_view(list=extend_schema(operation_id="list_organisation_users", parameters=[MemberQuery]))
class MemberViewSet(InOrganisation, mixins.ListModelMixin, viewsets.GenericViewSet):
    """An organisation's members."""

    serializer_class = MemberSerializer
    queryset = OrganisationMembership.objects.all()
    pagination_class = None
    lookup_field = "user_id"
    lookup_value_converter = "int"

    def get_queryset(self) -> QuerySet[OrganisationMembership]:
        return members_of(self.organisation)

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.action == "list" and MemberQuery.read(self.request)["exclude_current"]:
            return queryset.exclude(user=self.request.user.pk)
        return queryset

    @extend_schema(
        operation_id="update_organisation_user_role", request=RoleSerializer, responses=MemberSerializer
    )
    @action(detail=True, methods=["post"], url_path="update-role")
    def update_role(self, request: Request, **path: Any) -> Response:
        """Give a member another role. The last administrator keeps theirs."""
        wanted = RoleSerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        membership = change_role(self.get_object(), MemberRole(wanted.validated_data["role"]))
        return Response(MemberSerializer(membership).data)
