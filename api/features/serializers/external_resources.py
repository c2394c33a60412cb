"""What features are linked to, on the wire."""

import re
from typing import Any

from rest_framework import serializers

from core.errors import InvalidInput
from core.fields import ChoiceField
from features.models import ExternalResource, ResourceType

_ADDRESSES = {
    ResourceType.GITHUB_ISSUE: (r"https?://[^/]+/[^/]+/[^/]+/issues/\d+/?", "GitHub Issue/PR"),
    ResourceType.GITHUB_PR: (r"https?://[^/]+/[^/]+/[^/]+/pull/\d+/?", "GitHub Issue/PR"),
    ResourceType.GITLAB_ISSUE: (r"https?://[^/]+/.+/-/(issues|work_items)/\d+/?", "GitLab Issue/MR"),
    ResourceType.GITLAB_MR: (r"https?://[^/]+/.+/-/merge_requests/\d+/?", "GitLab Issue/MR"),
}


class ResourceMetadataSerializer(serializers.Serializer):
    """What the site says of it."""

    title = serializers.CharField(required=False, max_length=2000)
    state = serializers.CharField(required=False, max_length=100)


class ExternalResourceSerializer(serializers.ModelSerializer):
    serializer_choice_field = ChoiceField

    metadata = ResourceMetadataSerializer(required=False, allow_null=True)

    class Meta:
        model = ExternalResource
        fields = ["id", "url", "type", "metadata", "feature"]
        read_only_fields = ["feature"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        pattern, name = _ADDRESSES[attrs["type"]]
        if not re.fullmatch(pattern, attrs["url"].partition("?")[0].partition("#")[0]):
            raise InvalidInput({"detail": f"Invalid {name} URL"})
        return attrs


class ExternalResourcesSerializer(serializers.Serializer):
    """All of them: there are no pages."""

    results = ExternalResourceSerializer(many=True)
