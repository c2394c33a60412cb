"""What scripts written for Flagsmith's edge store ask, as far as it means something without one.

Overrides named by an identifier, and the list of a feature's overrides, are served from ordinary identities.
All else there is refused, as clients expect where a project has no edge store, and projects here say that
they have none. It goes by uuids: ordinary identities would need one each, with an index, in what is by far
the largest and most written table.
"""

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import generics, status
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from core.errors import InvalidInput
from environments.scope import InEnvironment
from features.models import Feature, FeatureState
from features.scope import require_for
from features.selectors.feature_states import served_states
from features.serializers.edge_identities import (
    EdgeFeatureStateSerializer,
    EdgeOverrideSerializer,
    EdgeOverridesQuery,
    NewOverrideByIdentifierSerializer,
    OverrideByIdentifierSerializer,
)
from features.serializers.feature_states import changes_in
from features.services.identity_overrides import override_for_identifier, remove_override_for_identifier

UPDATE = "UPDATE_FEATURE_STATE"


class NoEdgeStore(APIException):
    """The project keeps its identities here."""

    status_code = status.HTTP_400_BAD_REQUEST
    default_detail = "Dynamo DB is not enabled for this project"


class OverridesByIdentifierView(InEnvironment):
    """An override of an identity that is named by its identifier, and made if need be."""

    serializer_class = NewOverrideByIdentifierSerializer
    write_permission = UPDATE
    asks_per_feature = True

    @extend_schema(
        operation_id="update_edge_identity_feature_state_by_identifier",
        responses=EdgeFeatureStateSerializer,
    )
    def put(self, request: Request, **path: Any) -> Response:
        """Make or change an override."""
        given = self._given(NewOverrideByIdentifierSerializer)
        override = override_for_identifier(
            self.environment,
            given["identifier"],
            feature_id=self._feature_id(given["feature"]),
            author=request.user,
            **changes_in(given),
        )
        return Response(EdgeFeatureStateSerializer(override).data)

    @extend_schema(
        operation_id="delete_edge_identity_feature_state_by_identifier",
        request=OverrideByIdentifierSerializer,
        responses={204: None},
    )
    def delete(self, request: Request, **path: Any) -> Response:
        """Take an override back, if there is one."""
        given = self._given(OverrideByIdentifierSerializer)
        remove_override_for_identifier(
            self.environment,
            given["identifier"],
            feature_id=self._feature_id(given["feature"]),
            author=request.user,
        )
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _given(self, serializer_class: type[OverrideByIdentifierSerializer]) -> dict[str, Any]:
        serializer = serializer_class(data=self.request.data)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def _feature_id(self, named: int | str) -> int:
        """Return the id of the feature that was named, whose state the caller may set.

        Raises:
            InvalidInput: the project has none of this id or name.
            PermissionDenied: it has none of the tags that the caller may change.
        """
        features = Feature.objects.filter(project=self.environment.project)
        found = features.filter(pk=named) if isinstance(named, int) else features.filter(name=named)
        feature_id: int | None = found.values_list("pk", flat=True).first()
        if feature_id is None:
            raise InvalidInput({"feature": ["Feature does not exist in project"]})
        require_for(self.request.user, UPDATE, self.environment, feature_id)
        return feature_id


class EdgeOverridesView(InEnvironment, generics.ListAPIView):
    """Overrides of identities in an environment, with the identifiers."""

    serializer_class = EdgeOverrideSerializer
    read_permission = "VIEW_IDENTITIES"
    queryset = FeatureState.objects.all()

    @extend_schema(operation_id="list_edge_identity_overrides", parameters=[EdgeOverridesQuery])
    def get(self, request: Request, *args: Any, **path: Any) -> Response:
        """List overrides of identities, of one feature or of all."""
        return self.list(request, *args, **path)

    def get_queryset(self) -> QuerySet[FeatureState]:
        overrides = served_states().filter(
            environment=self.environment, identity__isnull=False, feature__deleted_at__isnull=True
        )
        return overrides.select_related("identity", "environment").defer("identity__traits")

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(**EdgeOverridesQuery.read(self.request))


@extend_schema_view(
    get=extend_schema(operation_id="list_edge_identities", request=None, responses={400: None}),
    post=extend_schema(operation_id="create_edge_identity", request=None, responses={400: None}),
)
class EdgeIdentitiesView(InEnvironment):
    """Identities of an edge store, which there is none of."""

    read_permission = "VIEW_IDENTITIES"
    write_permission = "MANAGE_IDENTITIES"

    def get(self, request: Request, **path: Any) -> Response:
        raise NoEdgeStore

    def post(self, request: Request, **path: Any) -> Response:
        raise NoEdgeStore


@extend_schema_view(
    get=extend_schema(operation_id="get_edge_identity", responses={400: None}),
    put=extend_schema(operation_id="update_edge_identity", request=None, responses={400: None}),
    patch=extend_schema(operation_id="patch_edge_identity", request=None, responses={400: None}),
    delete=extend_schema(operation_id="delete_edge_identity", responses={400: None}),
)
class EdgeIdentityView(InEnvironment):
    """One of them."""

    read_permission = "VIEW_IDENTITIES"
    write_permission = "MANAGE_IDENTITIES"

    def get(self, request: Request, **path: Any) -> Response:
        raise NoEdgeStore

    def put(self, request: Request, **path: Any) -> Response:
        raise NoEdgeStore

    def patch(self, request: Request, **path: Any) -> Response:
        raise NoEdgeStore

    def delete(self, request: Request, **path: Any) -> Response:
        raise NoEdgeStore
