"""A project's features and their owners."""

from collections.abc import Callable
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import PermissionDenied
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer

from core.errors import InvalidInput
from core.pagination import LateChosenPagination
from core.views import ManagedView
from environments.models import Environment
from features.models import Feature
from features.scope import require_for
from features.selectors.features import described_features, features_of
from features.serializers.features import (
    EnvironmentQuery,
    FeatureByUuidSerializer,
    FeatureQuery,
    FeatureSerializer,
    GroupOwnersSerializer,
    NewFeatureSerializer,
    OwnersSerializer,
    ShortFeatureSerializer,
)
from features.services.features import (
    create_feature,
    delete_feature,
    update_feature,
)
from features.services.owners import add_group_owners, add_owners, remove_group_owners, remove_owners
from permissions.access import may, visible
from permissions.catalogue import ADMIN
from projects.scope import InProject

DELETE = "DELETE_FEATURE"


@extend_schema_view(
    list=extend_schema(parameters=[FeatureQuery]),
    create=extend_schema(
        operation_id="create_feature", request=NewFeatureSerializer, responses={201: FeatureSerializer}
    ),
    retrieve=extend_schema(parameters=[EnvironmentQuery]),
)
class FeatureViewSet(InProject, viewsets.ModelViewSet):
    """The features of a project."""

    lookup_value_converter = "int"
    queryset = Feature.objects.all()
    pagination_class = LateChosenPagination
    write_permission = "CREATE_FEATURE"
    permission_by_action = {"destroy": DELETE}
    asks_per_feature = True

    def get_serializer_class(self) -> type[FeatureSerializer]:
        return NewFeatureSerializer if self.action == "create" else FeatureSerializer

    def get_queryset(self) -> QuerySet[Feature]:
        if self.action == "list":
            query = FeatureQuery.read(self.request)
            return features_of(self.project, self._environment(query), query)  # type: ignore[arg-type]
        if self.action == "retrieve":
            query = EnvironmentQuery.read(self.request)
            return features_of(self.project, self._environment(query), query)  # type: ignore[arg-type]
        return described_features().filter(project=self.project)

    def perform_create(self, serializer: Any) -> None:
        self._check_may_vary(serializer)
        feature = create_feature(self.project, author=self.request.user, **serializer.validated_data)
        serializer.instance = described_features().get(pk=feature.pk)

    def perform_update(self, serializer: Any) -> None:
        self._check_may_vary(serializer)
        feature = update_feature(serializer.instance, author=self.request.user, **serializer.validated_data)
        serializer.instance = described_features().get(pk=feature.pk)

    def check_object_permissions(self, request: Request, obj: Feature) -> None:
        super().check_object_permissions(request, obj)
        if self.action == "destroy":
            require_for(request.user, DELETE, self.project, obj.pk)

    def perform_destroy(self, instance: Feature) -> None:
        delete_feature(instance, author=self.request.user)

    @extend_schema(
        operation_id="add_feature_owners", request=OwnersSerializer, responses=ShortFeatureSerializer
    )
    @action(detail=True, methods=["post"], url_path="add-owners")
    def add_owners(self, request: Request, **path: Any) -> Response:
        """Make users owners of a feature."""
        return self._owned(add_owners, OwnersSerializer, "user_ids")

    @extend_schema(
        operation_id="remove_feature_owners", request=OwnersSerializer, responses=ShortFeatureSerializer
    )
    @action(detail=True, methods=["post"], url_path="remove-owners")
    def remove_owners(self, request: Request, **path: Any) -> Response:
        """Take users off a feature's owners."""
        return self._owned(remove_owners, OwnersSerializer, "user_ids")

    @extend_schema(
        operation_id="add_feature_group_owners",
        request=GroupOwnersSerializer,
        responses=ShortFeatureSerializer,
    )
    @action(detail=True, methods=["post"], url_path="add-group-owners")
    def add_group_owners(self, request: Request, **path: Any) -> Response:
        """Make groups owners of a feature."""
        return self._owned(add_group_owners, GroupOwnersSerializer, "group_ids")

    @extend_schema(
        operation_id="remove_feature_group_owners",
        request=GroupOwnersSerializer,
        responses=ShortFeatureSerializer,
    )
    @action(detail=True, methods=["post"], url_path="remove-group-owners")
    def remove_group_owners(self, request: Request, **path: Any) -> Response:
        """Take groups off a feature's owners."""
        return self._owned(remove_group_owners, GroupOwnersSerializer, "group_ids")

    def _owned(
        self, change: Callable[..., Feature], serializer_class: type[Serializer], ids: str
    ) -> Response:
        wanted = serializer_class(data=self.request.data)
        feature = self.get_object()
        wanted.is_valid(raise_exception=True)
        changed = change(feature, wanted.validated_data[ids], author=self.request.user)
        return Response(ShortFeatureSerializer(changed).data)

    def _environment(self, query: dict[str, Any]) -> Environment | None:
        if "environment" not in query:
            return None
        environment: Environment | None = Environment.objects.filter(
            pk=query["environment"], project=self.project
        ).first()
        if environment is None:
            raise InvalidInput({"environment": ["Environment does not exist in project."]})
        environment.project = self.project
        return environment

    def _check_may_vary(self, serializer: Any) -> None:
        """Options inside a feature are for the project's administrators; `mv-options/` is for all editors."""
        if serializer.validated_data.get("multivariate_options") and not may(
            self.request.user, ADMIN, self.project
        ):
            raise PermissionDenied("User must be project admin to modify / create MV options.")


@extend_schema_view(get=extend_schema(operation_id="get_feature_by_uuid"))
class FeatureByUuidView(ManagedView, generics.RetrieveAPIView):
    """A feature of any project that the caller may see."""

    permission_classes = [IsAuthenticated]
    serializer_class = FeatureByUuidSerializer
    lookup_field = "uuid"
    queryset = Feature.objects.all()

    def get_queryset(self) -> QuerySet[Feature]:
        return visible(self.request.user, described_features(), "VIEW_PROJECT", "project")
