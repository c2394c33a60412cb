"""Versions, compared with each other, and previewed before they are published."""

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from features.models import EnvironmentFeatureVersion
from features.selectors.versions import previous_version, states_of
from features.services.places import Target, target_of
from features.services.versions import publish_version
from features.views.versions import InVersionedFeature
from releases.contents import Content, content_of, differences
from releases.previews import preview
from releases.serializers import (
    DifferencesSerializer,
    PreviewSerializer,
    VersionQuery,
    shown_differences,
    shown_documents,
)


class _OfVersion(InVersionedFeature):
    """A view of one version of the feature in the path."""

    write_permission = "VIEW_ENVIRONMENT"

    def version(self, uuid: Any) -> EnvironmentFeatureVersion:
        """Raises Http404."""
        return get_object_or_404(self.versions, pk=uuid)


class VersionComparisonView(_OfVersion):
    serializer_class = DifferencesSerializer

    @extend_schema(
        operation_id="compare_environment_feature_versions",
        parameters=[VersionQuery],
        responses=DifferencesSerializer,
    )
    def get(self, request: Request, version_uuid: Any, **path: Any) -> Response:
        """Return what is different of a version from another one: by default, from the one before."""
        version = self.version(version_uuid)
        query = VersionQuery.read(request)
        base = self.version(query["base"]) if "base" in query else previous_version(version)
        found = differences(_contents(base) if base else {}, _contents(version))
        return Response({"changes": shown_differences(found)})


class VersionPreviewView(_OfVersion):
    serializer_class = PreviewSerializer

    @extend_schema(
        operation_id="preview_environment_feature_version", request=None, responses=PreviewSerializer
    )
    def post(self, request: Request, version_uuid: Any, **path: Any) -> Response:
        """Return what the document would say otherwise if this version were published now."""
        version = self.version(version_uuid)
        previews = preview(lambda: _publish(version, request.user), [self.environment])
        return Response({"documents": shown_documents(previews)})


def _publish(version: EnvironmentFeatureVersion, author: Any) -> None:
    if not version.published:
        version.live_from = None
        version.save(update_fields=["live_from"])
    publish_version(version, author=author)


def _contents(version: EnvironmentFeatureVersion) -> dict[Target, Content]:
    return {target_of(state): content_of(state) for state in states_of([version])}
