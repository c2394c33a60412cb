"""What features are linked to."""

from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from features.models import ExternalResource, Feature
from features.serializers.external_resources import ExternalResourceSerializer, ExternalResourcesSerializer
from features.services.external_resources import link
from projects.scope import InProject


@extend_schema_view(
    create=extend_schema(operation_id="create_feature_external_resource"),
    retrieve=extend_schema(operation_id="get_feature_external_resource"),
    destroy=extend_schema(operation_id="delete_feature_external_resource"),
)
class ExternalResourceViewSet(
    InProject,
    mixins.CreateModelMixin,
    mixins.RetrieveModelMixin,
    mixins.DestroyModelMixin,
    viewsets.GenericViewSet,
):
    """The issues, pull requests and merge requests of a feature."""

    lookup_value_converter = "int"
    queryset = ExternalResource.objects.all()
    serializer_class = ExternalResourceSerializer
    pagination_class = None
    write_permission = "CREATE_FEATURE"

    @cached_property
    def feature(self) -> Feature:
        features: QuerySet[Feature] = Feature.objects.filter(project=self.project)
        return get_object_or_404(features, pk=self.kwargs["feature_pk"])

    def get_queryset(self) -> QuerySet[ExternalResource]:
        return ExternalResource.objects.filter(feature=self.feature)

    @extend_schema(operation_id="list_feature_external_resources", responses=ExternalResourcesSerializer)
    def list(self, request: Request, **path: Any) -> Response:
        return Response(ExternalResourcesSerializer({"results": self.get_queryset()}).data)

    def perform_create(self, serializer: Any) -> None:
        serializer.instance = link(self.feature, **serializer.validated_data)
