"""Change requests, previewed before they are committed."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from core.views import ManagedView
from environments.models import Environment
from permissions.access import require, visible, within_reach
from projects.scope import InProject
from releases.previews import preview
from releases.serializers import PreviewSerializer, shown_documents
from workflows.models import ChangeRequest
from workflows.selectors import changes_of
from workflows.services.carrying_out import lock_features, make_all


class ChangeRequestPreviewView(ManagedView, GenericAPIView):
    permission_classes = [IsAuthenticated]
    serializer_class = PreviewSerializer

    @extend_schema(operation_id="preview_change_request", request=None, responses=PreviewSerializer)
    def post(self, request: Request, pk: int, **path: Any) -> Response:
        """Return what the document would say otherwise if all of a request took effect now."""
        requests = ChangeRequest.objects.select_related("environment__project", "project")
        reachable = within_reach(request.user, requests, "environment__project__organisation")
        found: ChangeRequest = get_object_or_404(reachable, pk=pk, environment__isnull=False)
        require(request.user, "VIEW_ENVIRONMENT", found.environment)
        return _answer(found, [found.environment])


class ProjectChangeRequestPreviewView(InProject):
    serializer_class = PreviewSerializer
    write_permission = "VIEW_PROJECT"

    @extend_schema(operation_id="preview_project_change_request", request=None, responses=PreviewSerializer)
    def post(self, request: Request, pk: int, **path: Any) -> Response:
        """Return what each environment's document would say otherwise if a request were committed."""
        requests = ChangeRequest.objects.select_related("project").filter(project=self.project)
        found: ChangeRequest = get_object_or_404(requests, pk=pk, environment__isnull=True)
        environments: QuerySet[Environment] = Environment.objects.filter(project=self.project).order_by("pk")
        return _answer(found, list(visible(request.user, environments, "VIEW_ENVIRONMENT")))


def _answer(request: ChangeRequest, environments: list[Any]) -> Response:
    waiting = [each for each in changes_of(request) if each.applied_at is None]
    lock_features(waiting)
    previews = preview(lambda: make_all(request, waiting, author=None), environments)
    return Response({"documents": shown_documents(previews)})
