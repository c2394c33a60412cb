"""`identities/`: what one identity is served, and its traits."""

from collections.abc import Sequence

from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from analytics.models import Resource
from sdk import payloads
from sdk.identities import KnownIdentity
from sdk.identity_reads import identity_reads
from sdk.inputs import GivenIdentity, read_identities, read_identity, read_identity_in_query
from sdk.serializers import (
    DETAIL,
    INVALID,
    IdentifyManySerializer,
    IdentifySerializer,
    SdkIdentitySerializer,
)
from sdk.views.base import SdkView


class _IdentitiesView(SdkView):
    """Whose flags are read here, other services may be told."""

    resource = Resource.IDENTITIES

    def know(self, given: Sequence[GivenIdentity], *, may_be_kept: bool = False) -> list[KnownIdentity]:
        known = super().know(given, may_be_kept=may_be_kept)
        if self.snapshot.settings.tells_of_identities:
            identity_reads.note(self.snapshot.environment_id, given, known)
        return known


class IdentitiesView(_IdentitiesView):
    """An identity's flags. Asking for them stores the identity, unless it is transient."""

    @extend_schema(
        operation_id="get_identity_flags",
        tags=["sdk"],
        parameters=[
            OpenApiParameter("identifier", str, required=True),
            OpenApiParameter("transient", bool, description="Store nothing."),
            OpenApiParameter("feature", str, description="Answer this feature's flag alone, or 404."),
        ],
        responses={200: SdkIdentitySerializer, 400: INVALID, 403: DETAIL, 404: DETAIL},
    )
    def get(self, request: Request) -> HttpResponse:
        given = read_identity_in_query(self.parameters)
        if not given.identifier:
            return self.answered(payloads.missing_identifier())
        (known,) = self.know([given], may_be_kept=True)
        name = self.parameters.get("feature")
        if name:
            return self.answered(payloads.identity_flag(self.snapshot, known, name, to_server=self.to_server))
        return self.answered(payloads.identity(self.snapshot, known, to_server=self.to_server))

    @extend_schema(
        operation_id="identify",
        tags=["sdk"],
        request=IdentifySerializer,
        responses={200: SdkIdentitySerializer, 400: INVALID, 403: DETAIL},
    )
    def post(self, request: Request) -> HttpResponse:
        (known,) = self.know([read_identity(request.data)])
        return self.answered(payloads.identity(self.snapshot, known, to_server=self.to_server))


class BulkIdentitiesView(_IdentitiesView):
    """Several identities at once: each as `POST identities/` has it, all in one write."""

    @extend_schema(
        operation_id="identify_many",
        tags=["sdk"],
        request=IdentifyManySerializer,
        responses={200: SdkIdentitySerializer(many=True), 400: INVALID, 403: DETAIL},
    )
    def post(self, request: Request) -> HttpResponse:
        known = self.know(read_identities(request.data))
        return self.answered(payloads.identities(self.snapshot, known, to_server=self.to_server))
