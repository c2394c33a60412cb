"""`traits/`: setting traits without reading flags. Older than `identities/`, and still in use on mobile."""

from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.models import Resource
from identities.services import NotAnIntegerError, increment_trait
from sdk import payloads
from sdk.identities import changes_of_trait
from sdk.inputs import NULL, GivenTraitOf, read_increment, read_trait, read_traits
from sdk.keys import UNKNOWN_KEY
from sdk.serializers import (
    DETAIL,
    INVALID,
    IncrementedTraitSerializer,
    IncrementTraitSerializer,
    SdkTraitOfIdentitySerializer,
)
from sdk.views.base import SdkView

NOT_STORING = "Organisation is not authorised to store traits."
NOT_FOR_CLIENTS = "Setting traits not allowed with client key."
NOT_AN_INTEGER = "Trait is not an integer."
INVALID_DATA = "Invalid request data"


class SetsTraits(SdkView):
    """Refuses whom the organisation or the environment doesn't let set traits."""

    refusal_to_clients: dict[str, Any] = {"detail": NOT_FOR_CLIENTS}

    def check_traits_may_be_set(self) -> None:
        """Raises PermissionDenied or ValidationError."""
        if not self.snapshot.settings.stores_traits:
            raise PermissionDenied(NOT_STORING)
        if not self.may_set_traits:
            raise ValidationError(self.refusal_to_clients)

    def set(self, given: Sequence[GivenTraitOf]) -> None:
        """Store traits, each of some identity."""
        self.store([changes_of_trait(self.access.environment_id, each) for each in given])


class TraitsView(SetsTraits):
    resource = Resource.TRAITS
    refusal_to_clients: dict[str, Any] = {"non_field_errors": [NOT_FOR_CLIENTS]}

    @extend_schema(
        operation_id="set_trait",
        tags=["sdk"],
        request=SdkTraitOfIdentitySerializer,
        responses={200: SdkTraitOfIdentitySerializer, 400: INVALID, 403: DETAIL},
    )
    def post(self, request: Request) -> HttpResponse:
        """Set one trait; the identity is stored if need be."""
        self.check_traits_may_be_set()
        given = read_trait(request.data)
        if given.value is None:
            raise ValidationError({"trait_value": [NULL]})
        self.set([given])
        return self.answered(payloads.trait_set(given))


class BulkTraitsView(SetsTraits):
    resource = Resource.TRAITS

    @extend_schema(
        operation_id="set_traits",
        tags=["sdk"],
        request=SdkTraitOfIdentitySerializer(many=True),
        responses={200: SdkTraitOfIdentitySerializer(many=True), 400: DETAIL, 403: DETAIL},
    )
    def put(self, request: Request) -> HttpResponse:
        """Set traits of any identities in one write; a value of null deletes."""
        self.check_traits_may_be_set()
        try:
            given = read_traits(request.data)
        except ValidationError as error:
            raise ValidationError({"detail": INVALID_DATA}) from error
        self.set(given)
        return self.answered(payloads.traits_set(given))


class IncrementTraitView(SetsTraits):
    resource = Resource.TRAITS

    @extend_schema(
        operation_id="increment_trait",
        tags=["sdk"],
        request=IncrementTraitSerializer,
        responses={200: IncrementedTraitSerializer, 400: INVALID, 403: DETAIL},
    )
    def post(self, request: Request) -> Response:
        """Add to an integer trait, which starts at 0."""
        self.check_traits_may_be_set()
        given = read_increment(request.data)
        try:
            value = increment_trait(self.access.environment_id, given.identifier, given.key, by=given.by)
        except NotAnIntegerError as error:
            raise ValidationError([NOT_AN_INTEGER]) from error
        except IntegrityError as error:  # the environment is gone since the key was looked up
            raise PermissionDenied(UNKNOWN_KEY) from error
        return Response({"trait_key": given.key, "trait_value": value, "identifier": given.identifier})
