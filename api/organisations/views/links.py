"""Invitation links, and joining by one."""

from typing import Any, cast

from django.conf import settings
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, mixins, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from core.views import ManagedView
from organisations.exceptions import InviteLinksDisabledError
from organisations.models import InviteLink
from organisations.scope import InOrganisation
from organisations.serializers.invites import InviteLinkSerializer
from organisations.serializers.organisations import OrganisationSerializer
from organisations.services import create_link, delete_link, join_by_link
from organisations.views.invites import joined
from permissions.catalogue import ADMIN
from users.models import User


@extend_schema_view(list=extend_schema(operation_id="list_organisation_invite_links"))
class InviteLinkViewSet(
    InOrganisation,
    mixins.ListModelMixin,
    mixins.CreateModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet,
):
    """Links by which anyone can join. They are made anew rather than changed."""

    serializer_class = InviteLinkSerializer
    queryset = InviteLink.objects.all()
    lookup_value_converter = "int"
    pagination_class = None
    read_permission = ADMIN

    def check_permissions(self, request: Request) -> None:
        super().check_permissions(request)
        if settings.DISABLE_INVITE_LINKS:
            raise InviteLinksDisabledError

    def get_queryset(self) -> QuerySet[InviteLink]:
        return InviteLink.objects.filter(organisation=self.organisation)

    def perform_create(self, serializer: Any) -> None:
        serializer.instance = create_link(self.organisation, **serializer.validated_data)

    def perform_destroy(self, instance: InviteLink) -> None:
        delete_link(instance)


class JoinByLinkView(ManagedView, generics.GenericAPIView):
    """Lets whoever has a link join. The link stays."""

    serializer_class = OrganisationSerializer

    @extend_schema(operation_id="join_organisation_by_link", request=None, responses=OrganisationSerializer)
    def post(self, request: Request, hash: str) -> Response:
        membership = join_by_link(hash, cast(User, request.user))
        return Response(self.get_serializer(joined(request, membership.organisation)).data)
