"""Endpoints that only old clients ask for (the Flagsmith SDK contract, "Deprecated relatives")."""

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.models import Resource
from sdk import payloads
from sdk.identities import KnownTrait
from sdk.inputs import (
    GivenIdentity,
    GivenTraitOf,
    named,
    read_needed_identifier,
    read_new_value,
    read_trait_key,
)
from sdk.serializers import (
    DETAIL,
    INVALID,
    SdkIdentityFlagSerializer,
    SdkIdentityWithSegmentsSerializer,
    SdkTraitSerializer,
    SdkVariantsSerializer,
    TraitValueSerializer,
)
from sdk.views.base import SdkView
from sdk.views.traits import SetsTraits
from segments.models import Segment

TRAIT_VALUE_MISSING = "Trait value not provided"


class IdentityFlagsView(SdkView):
    resource = Resource.FLAGS

    @extend_schema(
        operation_id="get_flags_of_identity",
        tags=["sdk"],
        deprecated=True,
        responses={200: SdkIdentityFlagSerializer(many=True), 400: INVALID, 403: DETAIL},
    )
    def get(self, request: Request, identifier: str) -> HttpResponse:
        """The flags of an identity, which is stored if need be."""
        (known,) = self.know([_in_path(identifier)])
        return self.answered(payloads.identity_flags(self.snapshot, known, to_server=self.to_server))


class IdentityView(SdkView):
    resource = Resource.IDENTITIES

    @extend_schema(
        operation_id="get_identity_with_segments",
        tags=["sdk"],
        deprecated=True,
        responses={200: SdkIdentityWithSegmentsSerializer, 400: INVALID, 403: DETAIL},
    )
    def get(self, request: Request, identifier: str) -> HttpResponse:
        """The flags, traits and segments of an identity, which is stored if need be."""
        (known,) = self.know([_in_path(identifier)])
        segment_ids = payloads.matching_segment_ids(self.snapshot, known)
        segments = Segment.objects.filter(id__in=segment_ids).order_by("id")
        return self.answered(
            payloads.identity_with_segments(
                self.snapshot,
                known,
                list(segments.values("id", "name", "description")),
                to_server=self.to_server,
            )
        )


class IdentityTraitView(SetsTraits):
    resource = Resource.IDENTITIES

    @extend_schema(
        operation_id="set_trait_of_identity",
        tags=["sdk"],
        deprecated=True,
        request=TraitValueSerializer,
        responses={200: SdkTraitSerializer, 400: INVALID, 403: DETAIL},
    )
    def post(self, request: Request, identifier: str, trait_key: str) -> Response:
        """Set one trait of an identity, which is stored if need be."""
        self.check_traits_may_be_set()
        value = read_new_value(request.data)
        if value is None:
            raise ValidationError({"detail": TRAIT_VALUE_MISSING})
        key = named("trait_key", read_trait_key, trait_key)
        given = GivenTraitOf(_in_path(identifier).identifier, key, value)
        self.set([given])
        return Response(payloads.trait_item(given.key, KnownTrait(value)))


class VariantsView(SdkView):
    resource = Resource.FLAGS

    @extend_schema(
        operation_id="get_variants_of_feature",
        tags=["sdk"],
        deprecated=True,
        responses={200: SdkVariantsSerializer, 403: DETAIL, 404: DETAIL},
    )
    def get(self, request: Request, feature_id: int) -> HttpResponse:
        """The values that a feature may have in this environment."""
        return self.answered(payloads.variants(self.snapshot, feature_id, to_server=self.to_server))


def _in_path(identifier: str) -> GivenIdentity:
    return GivenIdentity(named("identifier", read_needed_identifier, identifier))
