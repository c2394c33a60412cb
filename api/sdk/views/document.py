"""`environment-document/`: all that an SDK needs to evaluate by itself."""

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from analytics.models import Resource
from sdk import payloads
from sdk.authentication import ServerSideKeyAuthentication
from sdk.serializers import DETAIL, EnvironmentDocumentSerializer
from sdk.views.base import SdkView


class EnvironmentDocumentView(SdkView):
    """The environment document, whole: most SDKs read no second page. For server-side keys only."""

    resource = Resource.ENVIRONMENT_DOCUMENT

    authentication_classes = [ServerSideKeyAuthentication]

    @extend_schema(
        operation_id="get_environment_document",
        tags=["sdk"],
        responses={200: EnvironmentDocumentSerializer, 304: None, 403: DETAIL},
    )
    def get(self, request: Request) -> HttpResponse:
        answer = payloads.document(
            self.snapshot,
            if_modified_since=request.headers.get("If-Modified-Since"),
            if_none_match=request.headers.get("If-None-Match"),
            now=timezone.now(),
        )
        return self.answered(answer)
