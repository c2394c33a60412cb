"""Exports and imports on the wire."""

from typing import Any

from rest_framework import serializers

from core.fields import ChoiceField, IdField, IdListField
from features.models import FeatureExport, FeatureImport, ImportStrategy


class ExportSerializer(serializers.ModelSerializer):
    """An export, and how far it is."""

    class Meta:
        model = FeatureExport
        fields = ["id", "name", "environment_id", "status", "created_at"]
        read_only_fields = fields


class WantedExportSerializer(serializers.Serializer):
    """What is to be exported: without tags, every feature."""

    environment_id = IdField(write_only=True)
    tag_ids = IdListField(write_only=True)

    def to_representation(self, instance: FeatureExport) -> dict[str, Any]:
        return dict(ExportSerializer(instance, context=self.context).data)


class ImportSerializer(serializers.ModelSerializer):
    """An import, and how far it is."""

    class Meta:
        model = FeatureImport
        fields = ["id", "environment_id", "strategy", "status", "created_at"]
        read_only_fields = fields


class WantedImportSerializer(serializers.Serializer):
    """A file of features, and what is to become of those that are there."""

    file = serializers.FileField(
        write_only=True, allow_empty_file=True, max_length=1000, help_text="JSON, 1,000,000 bytes at most."
    )
    strategy = ChoiceField(choices=ImportStrategy.choices, write_only=True)

    def to_representation(self, instance: FeatureImport) -> dict[str, Any]:
        return dict(ImportSerializer(instance, context=self.context).data)
