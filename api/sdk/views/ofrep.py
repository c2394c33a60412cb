"""The views of OFREP, the OpenFeature Remote Evaluation Protocol."""

from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpResponse
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.models import Resource
from sdk.authentication import KEY_HEADER, EnvironmentAccess, environment_access
from sdk.identities import KnownIdentity
from sdk.ofrep import answers
from sdk.ofrep.errors import ErrorCode
from sdk.ofrep.refusals import ERRORS, refusal, refused
from sdk.ofrep.requests import API_KEY_HEADER, read_context, read_identity, read_key
from sdk.ofrep.serializers import (
    OfrepEvaluationSerializer,
    OfrepFailureSerializer,
    OfrepFlagSerializer,
    OfrepFlagsSerializer,
)
from sdk.views.base import SdkView

REQUEST = {"application/json": OfrepEvaluationSerializer}
REFUSALS = dict.fromkeys((400, 401, 403, 415), OfrepFailureSerializer)


class OfrepKeyAuthentication(BaseAuthentication):
    """Reads the environment's key from any of the headers in which providers may send it."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, EnvironmentAccess]:
        given = (request.headers.get(name) for name in (KEY_HEADER, API_KEY_HEADER, "Authorization"))
        return AnonymousUser(), environment_access(read_key(*given))


class OfrepKeyScheme(OpenApiAuthenticationExtension):
    target_class = OfrepKeyAuthentication
    name = ["apiKey", "bearerKey"]

    def get_security_definition(self, auto_schema: Any) -> list[dict[str, str]]:
        return [
            {"type": "apiKey", "in": "header", "name": API_KEY_HEADER},
            {"type": "http", "scheme": "bearer", "description": "The environment's key."},
        ]

    def get_security_requirement(self, auto_schema: Any) -> list[dict[str, list[Any]]]:
        return [{each: []} for each in (*self.name, "environmentKey")]


class OfrepView(SdkView):
    """Reads whom flags are evaluated for, and says what is wrong in the protocol's words."""

    authentication_classes = [OfrepKeyAuthentication]
    resource = Resource.IDENTITIES
    parser_classes = []  # the protocol has its own word for a body that can't be read

    def known(self) -> KnownIdentity | None:
        """Return whom flags are evaluated for; None for the environment's own flags."""
        context = read_context(self.request.META.get("CONTENT_TYPE"), self.request.body)
        given = read_identity(
            context,
            accepts_traits=self.may_set_traits,
            requires_key=settings.OFREP_REQUIRE_TARGETING_KEY,
        )
        return self.know([given])[0] if given else None

    def handle_exception(self, error: Exception) -> Response | HttpResponse:  # type: ignore[override]
        key = self.kwargs.get("key")
        # The cause, where REST framework's own exception stands for it.
        for reason in (error, error.__cause__):
            if isinstance(reason, ERRORS):
                return self.answered(refusal(reason, key))
        response = super().handle_exception(error)
        details = str(response.data.get("detail", response.data))
        return self.answered(refused(response.status_code, ErrorCode.GENERAL, details, key))


class OfrepFlagsView(OfrepView):
    """All flags, for providers that evaluate for one user and keep what they get."""

    @extend_schema(
        operation_id="evaluate_ofrep_flags",
        tags=["ofrep"],
        request=REQUEST,
        parameters=[
            OpenApiParameter("flagConfigEtag", str, description="Accepted: what is answered is current."),
            OpenApiParameter(
                "flagConfigLastModified", str, description="Accepted: what is answered is current."
            ),
        ],
        responses={200: OfrepFlagsSerializer, 304: None, **REFUSALS},
    )
    def post(self, request: Request) -> HttpResponse:
        known = request.headers.get("If-None-Match")
        answer = answers.flags(self.snapshot, self.known(), to_server=self.to_server, if_none_match=known)
        return self.answered(answer)


class OfrepFlagView(OfrepView):
    """One flag, for providers that evaluate for another user each time."""

    @extend_schema(
        operation_id="evaluate_ofrep_flag",
        tags=["ofrep"],
        request=REQUEST,
        responses={200: OfrepFlagSerializer, 304: None, **REFUSALS, 404: OfrepFailureSerializer},
    )
    def post(self, request: Request, key: str) -> HttpResponse:
        answer = answers.flag(
            self.snapshot,
            self.known(),
            key,
            to_server=self.to_server,
            if_none_match=request.headers.get("If-None-Match"),
        )
        return self.answered(answer)
