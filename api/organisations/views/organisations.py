"""Organisations."""

from typing import Any, cast

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, viewsets
from rest_framework.decorators import action
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from core.views import ManagedView
from organisations.models import Organisation
from organisations.scope import InOrganisation
from organisations.selectors import organisations_of
from organisations.serializers.billing import SubscriptionMetadataSerializer
from organisations.serializers.members import MemberIdSerializer
from organisations.serializers.organisations import OrganisationSerializer
from organisations.services import (
    create_organisation,
    delete_organisation,
    remove_members,
    update_organisation,
)
from organisations.subscriptions import SubscriptionMetadata
from permissions.callers import IsUser
from permissions.catalogue import ADMIN, Level
from permissions.drf import ObjectsWithPermissions
from users.models import User


class OrganisationViewSet(InOrganisation, ObjectsWithPermissions, viewsets.ModelViewSet):
    """The caller's organisations. Details are for administrators; members read them in the list."""

    level = Level.ORGANISATION
    serializer_class = OrganisationSerializer
    queryset = Organisation.objects.all()
    lookup_url_kwarg = "organisation_pk"
    permission_by_action = {"retrieve": ADMIN, "subscription_metadata": ADMIN}

    def get_permissions(self) -> Any:
        # An organisation has an administrator, who is a person.
        return [IsUser()] if self.action == "create" else super().get_permissions()

    def get_queryset(self) -> QuerySet[Organisation]:
        return organisations_of(self.request.user)

    def get_object(self) -> Organisation:
        # Anew: it may have been changed since it was looked at for the first time.
        return get_object_or_404(self.get_queryset(), pk=self.organisation.pk)

    def perform_create(self, serializer: Any) -> None:
        organisation = create_organisation(creator=cast(User, self.request.user), **serializer.validated_data)
        serializer.instance = self.get_queryset().get(pk=organisation.pk)

    def perform_update(self, serializer: Any) -> None:
        update_organisation(serializer.instance, **serializer.validated_data)

    def perform_destroy(self, instance: Organisation) -> None:
        delete_organisation(instance)

    @extend_schema(
        operation_id="remove_organisation_users",
        request=MemberIdSerializer(many=True),
        responses=MemberIdSerializer(many=True),
    )
    @action(detail=True, methods=["post"], url_path="remove-users")
    def remove_users(self, request: Request, **path: Any) -> Response:
        """Take users out of the organisation. Its last administrator stays."""
        users = MemberIdSerializer(data=request.data, many=True)
        users.is_valid(raise_exception=True)
        remove_members(self.organisation, [each["id"] for each in users.validated_data])
        return Response(users.data)

    @extend_schema(
        operation_id="get_organisation_subscription_metadata", responses=SubscriptionMetadataSerializer
    )
    @action(detail=True, methods=["get"], url_path="get-subscription-metadata")
    def subscription_metadata(self, request: Request, **path: Any) -> Response:
        """Name the limits of the organisation's plan, of which there are none."""
        return Response(SubscriptionMetadataSerializer(SubscriptionMetadata()).data)


@extend_schema_view(get=extend_schema(operation_id="get_organisation_by_uuid"))
class OrganisationByUuidView(ManagedView, generics.RetrieveAPIView):
    """One of the caller's organisations."""

    permission_classes = [IsAuthenticated]
    serializer_class = OrganisationSerializer
    lookup_field = "uuid"
    queryset = Organisation.objects.all()

    def get_queryset(self) -> QuerySet[Organisation]:
        return organisations_of(self.request.user)
