"""References in code on the wire."""

from typing import Any
from urllib.parse import quote

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.fields import INT32_MAX, ChoiceField
from features.models import CodeSighting, VcsProvider


class ReferenceSerializer(serializers.Serializer):
    """A line of code that names a feature."""

    feature_name = serializers.CharField(max_length=100)
    file_path = serializers.CharField(max_length=4096)
    line_number = serializers.IntegerField(min_value=1, max_value=INT32_MAX)


class CodeScanSerializer(serializers.Serializer):
    """What a scan of a repository found. Features that the project hasn't got are dropped."""

    repository_url = serializers.URLField(source="url", max_length=2000)
    vcs_provider = ChoiceField(choices=VcsProvider.choices, default=VcsProvider.GITHUB)
    revision = serializers.CharField(max_length=100)
    code_references = ReferenceSerializer(source="references", many=True)
    created_at = serializers.DateTimeField(source="scanned_at", read_only=True)
    project = serializers.IntegerField(read_only=True)


class CodeReferencesCountSerializer(serializers.Serializer):
    """How often a repository names a feature."""

    repository_url = serializers.CharField(source="repository.url")
    count = serializers.IntegerField()
    last_successful_repository_scanned_at = serializers.DateTimeField(source="repository.scanned_at")
    last_feature_found_at = serializers.DateTimeField(source="found_at")


class CodePlaceSerializer(serializers.Serializer):
    """A line of code that names the feature, and where to look at it."""

    file_path = serializers.CharField()
    line_number = serializers.IntegerField()
    scanned_at = serializers.DateTimeField()
    vcs_provider = serializers.CharField()
    repository_url = serializers.CharField()
    revision = serializers.CharField()
    permalink = serializers.CharField()


class CodeReferencesSerializer(serializers.Serializer):
    """Where a repository names a feature."""

    repository_url = serializers.CharField(source="repository.url")
    vcs_provider = serializers.CharField(source="repository.vcs_provider")
    revision = serializers.CharField(source="repository.revision")
    last_successful_repository_scanned_at = serializers.DateTimeField(source="repository.scanned_at")
    last_feature_found_at = serializers.DateTimeField(source="found_at")
    code_references = serializers.SerializerMethodField()

    @extend_schema_field(CodePlaceSerializer(many=True))
    def get_code_references(self, sighting: CodeSighting) -> Any:
        repository = sighting.repository
        tree = f"{repository.url.removesuffix('.git').rstrip('/')}/blob/{quote(repository.revision, safe='')}"
        common = {
            "scanned_at": repository.scanned_at,
            "vcs_provider": repository.vcs_provider,
            "repository_url": repository.url,
            "revision": repository.revision,
        }
        places = [
            {
                **place,
                **common,
                "permalink": f"{tree}/{quote(place['file_path'])}#L{place['line_number']}",
            }
            for place in sighting.places
        ]
        return CodePlaceSerializer(places, many=True).data
