"""Which features of an environment need which."""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import viewsets
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from environments.scope import InEnvironment
from features.models import Prerequisite
from features.scope import permission_to_change, require_for
from features.selectors.prerequisites import prerequisites_in
from features.serializers.prerequisites import PrerequisiteSerializer, PrerequisitesQuery
from features.services.prerequisites import add_prerequisite, change_prerequisite, remove_prerequisite

CHANGE = permission_to_change(overrides_segment=False)


@extend_schema_view(
    list=extend_schema(operation_id="list_prerequisites", parameters=[PrerequisitesQuery]),
    create=extend_schema(operation_id="create_prerequisite"),
    retrieve=extend_schema(operation_id="get_prerequisite"),
    update=extend_schema(operation_id="update_prerequisite"),
    partial_update=extend_schema(operation_id="patch_prerequisite"),
    destroy=extend_schema(operation_id="delete_prerequisite"),
)
class PrerequisiteViewSet(InEnvironment, viewsets.ModelViewSet):
    """Which features of an environment need which: what one needs, and where it is needed."""

    lookup_value_converter = "int"
    queryset = Prerequisite.objects.all()
    serializer_class = PrerequisiteSerializer
    write_permission = CHANGE
    asks_per_feature = True

    def get_queryset(self) -> QuerySet[Prerequisite]:
        return prerequisites_in(self.environment)

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**PrerequisitesQuery.read(self.request)) if self.action == "list" else queryset

    def check_object_permissions(self, request: Request, obj: Prerequisite) -> None:
        """Ask again as soon as the feature is known: a permission may be for features with certain tags."""
        super().check_object_permissions(request, obj)
        if request.method not in SAFE_METHODS:
            require_for(request.user, CHANGE, self.environment, obj.feature_id)

    def perform_create(self, serializer: Any) -> None:
        given = serializer.validated_data
        require_for(self.request.user, CHANGE, self.environment, given["feature_id"])
        serializer.instance = add_prerequisite(self.environment, author=self.request.user, **given)

    def perform_update(self, serializer: Any) -> None:
        serializer.instance = change_prerequisite(
            serializer.instance, author=self.request.user, **serializer.validated_data
        )

    def perform_destroy(self, instance: Prerequisite) -> None:
        remove_prerequisite(instance, author=self.request.user)
