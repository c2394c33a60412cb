"""A feature's variants."""

from functools import cached_property
from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, viewsets
from rest_framework.permissions import IsAuthenticated

from core.views import ManagedView
from features.models import Feature, MultivariateOption
from features.serializers.multivariate_options import MultivariateOptionSerializer
from features.services.multivariate_options import create_option, delete_option, update_option
from permissions.access import visible
from projects.scope import InProject


class MultivariateOptionViewSet(InProject, viewsets.ModelViewSet):
    """The variants of a feature."""

    lookup_value_converter = "int"
    queryset = MultivariateOption.objects.all()
    serializer_class = MultivariateOptionSerializer
    write_permission = "CREATE_FEATURE"

    @cached_property
    def feature(self) -> Feature:
        features: QuerySet[Feature] = Feature.objects.select_related("project")
        return get_object_or_404(features, pk=self.kwargs["feature_pk"], project=self.project)

    def get_queryset(self) -> QuerySet[MultivariateOption]:
        return MultivariateOption.objects.filter(feature=self.feature).select_related("feature__project")

    def get_serializer_context(self) -> dict[str, Any]:
        context = {**super().get_serializer_context()}
        if not getattr(self, "swagger_fake_view", False):
            context["feature_id"] = self.feature.pk
        return context

    def perform_create(self, serializer: Any) -> None:
        serializer.instance = create_option(
            self.feature, author=self.request.user, **serializer.validated_data
        )

    def perform_update(self, serializer: Any) -> None:
        serializer.instance = update_option(
            serializer.instance, author=self.request.user, **serializer.validated_data
        )

    def perform_destroy(self, instance: MultivariateOption) -> None:
        delete_option(instance, author=self.request.user)


@extend_schema_view(get=extend_schema(operation_id="get_multivariate_option_by_uuid"))
class MultivariateOptionByUuidView(ManagedView, generics.RetrieveAPIView):
    """A variant of any feature that the caller may see."""

    permission_classes = [IsAuthenticated]
    serializer_class = MultivariateOptionSerializer
    lookup_field = "uuid"
    queryset = MultivariateOption.objects.all()

    def get_queryset(self) -> QuerySet[MultivariateOption]:
        undeleted = MultivariateOption.objects.filter(feature__deleted_at__isnull=True)
        return visible(self.request.user, undeleted, "VIEW_PROJECT", "feature__project")
