"""Invitations by e-mail, and joining by one."""

from typing import Any, cast

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from core.site import site_url
from core.throttling import ScopedThrottle
from core.views import ManagedView
from organisations.models import Invite, Organisation
from organisations.scope import InOrganisation, InsufficientPrivileges
from organisations.selectors import organisations_of
from organisations.serializers.invites import (
    BulkInviteSerializer,
    BulkInvitesSerializer,
    CreatedInviteSerializer,
    InviteSerializer,
    NewInviteSerializer,
)
from organisations.serializers.organisations import OrganisationSerializer
from organisations.services import accept_invite, invite, send_invitation, withdraw
from permissions.catalogue import ADMIN
from users.models import User


@extend_schema_view(list=extend_schema(operation_id="list_organisation_invites"))
class InviteViewSet(
    InOrganisation,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet,
):
    """Who is invited by e-mail."""

    serializer_class = InviteSerializer
    queryset = Invite.objects.all()
    lookup_value_converter = "int"
    read_permission = ADMIN
    refusal = InsufficientPrivileges
    throttle_scope = "invite"

    def get_queryset(self) -> QuerySet[Invite]:
        invites = Invite.objects.filter(organisation=self.organisation)
        return invites.select_related("invited_by", "organisation").prefetch_related("permission_groups")

    @extend_schema(request=NewInviteSerializer, responses={201: CreatedInviteSerializer})
    def create(self, request: Request, **path: Any) -> Response:
        """Invite somebody, who gets a mail with a link."""
        body = NewInviteSerializer(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        (made,) = invite(self.organisation, [body.validated_data], actor=request.user, site=site_url(request))
        return Response(CreatedInviteSerializer(made).data, status=status.HTTP_201_CREATED)

    def perform_destroy(self, instance: Invite) -> None:
        withdraw(instance)

    @extend_schema(operation_id="resend_organisation_invite", request=None, responses={200: None})
    @action(detail=True, methods=["post"], throttle_classes=[ScopedThrottle])
    def resend(self, request: Request, **path: Any) -> Response:
        """Send the mail again."""
        send_invitation(self.get_object(), site=site_url(request))
        return Response()


class BulkInviteView(InOrganisation, generics.GenericAPIView):
    """Invites several people at once: all of them, or nobody."""

    throttle_classes = [ScopedThrottle]
    throttle_scope = "invite"

    @extend_schema(
        operation_id="invite_to_organisation",
        request=BulkInvitesSerializer,
        responses={201: BulkInviteSerializer(many=True)},
    )
    def post(self, request: Request, **path: Any) -> Response:
        body = BulkInvitesSerializer(data=request.data, context=self.get_serializer_context())
        body.is_valid(raise_exception=True)
        made = invite(
            self.organisation, body.validated_data["invitations"], actor=request.user, site=site_url(request)
        )
        return Response(BulkInviteSerializer(made, many=True).data, status=status.HTTP_201_CREATED)


class JoinView(ManagedView, generics.GenericAPIView):
    """Lets the invited person join. The invitation is used up."""

    serializer_class = OrganisationSerializer

    @extend_schema(operation_id="join_organisation", request=None, responses=OrganisationSerializer)
    def post(self, request: Request, hash: str) -> Response:
        membership = accept_invite(hash, cast(User, request.user))
        return Response(self.get_serializer(joined(request, membership.organisation)).data)


def joined(request: Request, organisation: Organisation) -> Organisation:
    """Return an organisation as who has just joined it sees it."""
    return organisations_of(request.user).get(pk=organisation.pk)
