"""The environment document: all that an SDK needs to evaluate by itself."""

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from analytics.models import Resource
from documents.builder import build
from documents.rows import read_rows
from environments.models import Environment
from environments.scope import InEnvironment
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


class DocumentToLookAtView(InEnvironment):
    """The same document for people who may see the environment, as the database has it now."""

    serializer_class = EnvironmentDocumentSerializer

    @extend_schema(operation_id="get_environment_document_by_key", responses=EnvironmentDocumentSerializer)
    def get(self, request: Request, environment_key: str) -> Response:
        try:
            rows = read_rows(self.environment.pk)
        except Environment.DoesNotExist as error:  # deleted since it was looked up
            raise NotFound from error
        return Response(build(rows).document)
