"""What scans of code report, and what they have found."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from features.models import Feature
from features.selectors.code import sightings_of
from features.serializers.code import CodeReferencesSerializer, CodeScanSerializer
from features.services.code_scans import record_scan
from projects.scope import InProject


class CodeScansView(InProject):
    """Scans of repositories for a project's features."""

    serializer_class = CodeScanSerializer
    write_permission = "VIEW_PROJECT"

    @extend_schema(operation_id="create_code_references", responses={201: CodeScanSerializer})
    def post(self, request: Request, **path: Any) -> Response:
        """Report what a scan of a repository has found; an empty list if that is nothing."""
        scan = CodeScanSerializer(data=request.data)
        scan.is_valid(raise_exception=True)
        repository, references = record_scan(self.project, **scan.validated_data)
        answer = {
            **scan.validated_data,
            "references": references,
            "scanned_at": repository.scanned_at,
            "project": self.project.pk,
        }
        return Response(CodeScanSerializer(answer).data, status=status.HTTP_201_CREATED)


class CodeReferencesView(InProject):
    """Where code names a feature."""

    serializer_class = CodeReferencesSerializer
    pagination_class = None

    @extend_schema(operation_id="list_feature_code_references", responses=CodeReferencesSerializer(many=True))
    def get(self, request: Request, **path: Any) -> Response:
        """List the repositories that name the feature or once did, each with the lines of its last scan."""
        feature = get_object_or_404(Feature.objects.filter(project=self.project), pk=path["feature_pk"])
        return Response(CodeReferencesSerializer(sightings_of(feature), many=True).data)
