"""What one identity is served, and the segments it is in, for people: views that evaluate."""

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from documents.evaluation import flags_of, segments_of
from documents.serializers import ServedFlagSerializer, SourceIdentitySerializer
from environments.scope import InEnvironment
from features.services.identity_overrides import copy_overrides
from identities.models import Identity
from segments.serializers import SegmentQuery
from segments.views import SegmentViewSet


class _OfIdentity(InEnvironment):
    """A view of one identity of the environment in the path."""

    serializer_class = ServedFlagSerializer
    pagination_class = None

    def identity(self, pk: int) -> Identity:
        """Raises Http404: the environment has none with this id."""
        return get_object_or_404(Identity, pk=pk, environment=self.environment)

    def answer(self, identity: Identity) -> Response:
        return Response(ServedFlagSerializer(flags_of(identity), many=True).data)


class FlagsOfIdentityView(_OfIdentity):
    """All flags of an identity."""

    @extend_schema(operation_id="list_all_identity_feature_states", responses=ServedFlagSerializer(many=True))
    def get(self, request: Request, identity_pk: int, **path: Any) -> Response:
        """List every feature as this identity gets it, by its stored traits."""
        return self.answer(self.identity(identity_pk))


class CopyOverridesView(_OfIdentity):
    """Makes an identity's overrides equal to another one's."""

    write_permission = "UPDATE_FEATURE_STATE"

    @extend_schema(
        operation_id="clone_identity_feature_states",
        request=SourceIdentitySerializer,
        responses=ServedFlagSerializer(many=True),
    )
    def post(self, request: Request, identity_pk: int, **path: Any) -> Response:
        """Copy the overrides of another identity of the environment; those it doesn't have are removed."""
        target = self.identity(identity_pk)
        wanted = SourceIdentitySerializer(data=request.data)
        wanted.is_valid(raise_exception=True)
        source = self.identity(wanted.validated_data["source_identity_id"])
        copy_overrides(source, target, author=request.user)
        return self.answer(target)


class EvaluatingSegmentViewSet(SegmentViewSet):
    """The segments of a project, and those that an identity is in."""

    def filter_queryset(self, queryset: QuerySet[Any]) -> QuerySet[Any]:
        queryset = super().filter_queryset(queryset)
        if self.action != "list" or (identity := SegmentQuery.read(self.request).get("identity")) is None:
            return queryset
        return queryset.filter(pk__in=segments_of(identity, self.project.pk))
