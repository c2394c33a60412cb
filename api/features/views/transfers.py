"""Features in files: exports and imports."""

from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics
from rest_framework.exceptions import PermissionDenied
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request

from core.views import ManagedView
from environments.models import Environment
from features.files import MOST_BYTES
from features.models import FeatureExport, FeatureImport
from features.serializers.transfers import (
    ExportSerializer,
    ImportSerializer,
    WantedExportSerializer,
    WantedImportSerializer,
)
from features.services.exports import file_of, request_export
from features.services.imports import request_import
from permissions.access import administered, require, within_reach
from permissions.catalogue import ADMIN
from projects.scope import InProject


def _environment(pk: int) -> Environment:
    """Return an environment by its number. An unknown one is one that the caller may do nothing in."""
    environments: QuerySet[Environment] = Environment.objects.select_related("project__organisation")
    environment = environments.filter(pk=pk, project__deleted_at__isnull=True).first()
    if environment is None:
        raise PermissionDenied
    return environment


@extend_schema_view(
    post=extend_schema(operation_id="create_feature_export", responses={201: ExportSerializer})
)
class ExportFeaturesView(ManagedView, generics.CreateAPIView):
    """Has features written into a file, as they are in one environment, for who administers that."""

    permission_classes = [IsAuthenticated]
    serializer_class = WantedExportSerializer

    def perform_create(self, serializer: Any) -> None:
        wanted = serializer.validated_data
        environment = _environment(wanted["environment_id"])
        require(self.request.user, ADMIN, environment)
        serializer.instance = request_export(environment, tag_ids=wanted["tag_ids"], author=self.request.user)


class DownloadExportView(generics.GenericAPIView):
    """The file of an export, for who administers its environment."""

    permission_classes = [IsAuthenticated]
    serializer_class = ExportSerializer
    queryset = FeatureExport.objects.none()

    def get_queryset(self) -> QuerySet[FeatureExport]:
        exports = FeatureExport.objects.select_related("environment__project").filter(
            environment__deleted_at__isnull=True
        )
        return within_reach(self.request.user, exports, "environment__project__organisation")

    def check_object_permissions(self, request: Request, obj: FeatureExport) -> None:
        require(request.user, ADMIN, obj.environment)

    @extend_schema(
        operation_id="download_feature_export", responses={(200, "application/json"): OpenApiTypes.OBJECT}
    )
    def get(self, request: Request, pk: int) -> HttpResponse:
        export = self.get_object()
        return HttpResponse(
            file_of(export),
            content_type="application/json",
            headers={"Content-Disposition": f"attachment; filename=feature_export.{export.pk}.json"},
        )


@extend_schema_view(get=extend_schema(operation_id="list_feature_exports"))
class ProjectExportsView(InProject, generics.ListAPIView):
    """The exports from a project's environments that the caller administers, the newest first."""

    serializer_class = ExportSerializer
    queryset = FeatureExport.objects.all()

    def get_queryset(self) -> QuerySet[FeatureExport]:
        exports = FeatureExport.objects.defer("data").filter(
            environment__project=self.project, environment__deleted_at__isnull=True
        )
        return administered(self.request.user, exports, "environment")


@extend_schema_view(
    post=extend_schema(operation_id="create_feature_import", responses={201: ImportSerializer})
)
class ImportFeaturesView(ManagedView, generics.CreateAPIView):
    """Has the features of a file made in an environment's project, for administrators of the organisation."""

    permission_classes = [IsAuthenticated]
    serializer_class = WantedImportSerializer
    parser_classes = [MultiPartParser]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        self.environment = _environment(self.kwargs["environment_pk"])
        require(request.user, ADMIN, self.environment.project.organisation)

    def perform_create(self, serializer: Any) -> None:
        wanted = serializer.validated_data
        serializer.instance = request_import(
            self.environment,
            file=wanted["file"].read(MOST_BYTES + 1),
            strategy=wanted["strategy"],
            author=self.request.user,
        )


@extend_schema_view(get=extend_schema(operation_id="list_feature_imports"))
class ProjectImportsView(InProject, generics.ListAPIView):
    """The imports into a project's environments that the caller administers, the newest first."""

    serializer_class = ImportSerializer
    queryset = FeatureImport.objects.all()

    def get_queryset(self) -> QuerySet[FeatureImport]:
        imports = FeatureImport.objects.defer("data").filter(
            environment__project=self.project, environment__deleted_at__isnull=True
        )
        return administered(self.request.user, imports, "environment")
