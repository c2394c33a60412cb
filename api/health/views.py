"""The health of a project's features, and who reports it."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from health.models import HealthEvent, HealthProvider
from health.providers import WebhookSerializer, reports_in
from health.selectors import latest_events
from health.serializers import HealthEventSerializer, HealthProviderSerializer
from health.services import create_provider, delete_provider, dismiss, provider_with, record_reports
from projects.scope import InProject


@extend_schema_view(list=extend_schema(operation_id="list_feature_health_events"))
class HealthEventViewSet(InProject, mixins.ListModelMixin, viewsets.GenericViewSet):
    """How a project's features are: the last event of each feature and environment."""

    lookup_value_converter = "int"
    queryset = HealthEvent.objects.all()
    serializer_class = HealthEventSerializer
    pagination_class = None

    def get_queryset(self) -> QuerySet[HealthEvent]:
        return latest_events(self.project).select_related("feature__project")

    @extend_schema(operation_id="dismiss_feature_health_event", request=None, responses={204: None})
    @action(detail=True, methods=["post"])
    def dismiss(self, request: Request, **path: Any) -> Response:
        """Take the feature for healthy again."""
        dismiss(self.get_object(), author=request.user)
        return Response(status=status.HTTP_204_NO_CONTENT)


@extend_schema_view(
    list=extend_schema(operation_id="list_feature_health_providers"),
    create=extend_schema(operation_id="create_feature_health_provider"),
    destroy=extend_schema(operation_id="delete_feature_health_provider"),
)
class HealthProviderViewSet(
    InProject,
    mixins.ListModelMixin,
    mixins.CreateModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet,
):
    """The monitorings that may report to a project."""

    lookup_field = "name"
    lookup_value_converter = "str"
    queryset = HealthProvider.objects.all()
    serializer_class = HealthProviderSerializer
    pagination_class = None

    def get_queryset(self) -> QuerySet[HealthProvider]:
        providers: QuerySet[HealthProvider] = HealthProvider.objects.filter(project=self.project)
        return providers.select_related("created_by", "project")

    def get_object(self) -> HealthProvider:
        name = self.kwargs["name"]
        if "\0" in name:  # which PostgreSQL refuses to look for
            raise NotFound
        return get_object_or_404(self.get_queryset(), name__iexact=name)

    def perform_create(self, serializer: Any) -> None:
        serializer.instance = create_provider(
            self.project, serializer.validated_data["name"], creator=self.request.user
        )

    def perform_destroy(self, instance: HealthProvider) -> None:
        delete_provider(instance)


class HealthReportView(APIView):
    """Where monitoring reports to. Who knows the address may."""

    authentication_classes = []
    permission_classes = [AllowAny]

    @extend_schema(
        operation_id="create_feature_health_report", request=WebhookSerializer, responses={200: None}
    )
    def post(self, request: Request, signed: str) -> Response:
        """Report that a feature is healthy or unhealthy."""
        provider = provider_with(signed)
        if provider is None:
            raise NotFound
        record_reports(provider, reports_in(provider.name, request.data))
        return Response()
