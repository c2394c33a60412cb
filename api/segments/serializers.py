"""Segments on the wire."""

from typing import Any

from rest_framework import serializers

from core.fields import INT64_MAX, ChoiceField, ConstantField, IdField, TextOfAnyField, WholeItem
from core.queries import QuerySerializer
from metadata.serializers import WithCustomFields
from segments.models import Condition, Operator, RuleType, Segment, SegmentRule
from segments.rules import wanted_rules


class ConditionSerializer(WholeItem, serializers.ModelSerializer):
    """A condition. Ids are new with every change of the rules, and ignored."""

    operator = ChoiceField(choices=Operator.choices)
    property = serializers.CharField(
        max_length=1000, required=False, allow_null=True, allow_blank=True, trim_whitespace=False
    )
    value = TextOfAnyField(required=False, allow_null=True, allow_blank=True, trim_whitespace=False)
    description = serializers.CharField(required=False, allow_null=True, allow_blank=True)
    delete = serializers.BooleanField(required=False, write_only=True)

    class Meta:
        model = Condition
        fields = ["id", "operator", "property", "value", "description", "delete"]


class NestedRuleSerializer(WholeItem, serializers.ModelSerializer):
    """A rule inside a rule."""

    type = ChoiceField(choices=RuleType.choices)
    conditions = ConditionSerializer(many=True, required=False)
    # Read only to be refused, with a reason, if there is something in it.
    rules = serializers.ListField(required=False, write_only=True)
    delete = serializers.BooleanField(required=False, write_only=True)

    class Meta:
        model = SegmentRule
        fields = ["id", "type", "rules", "conditions", "delete"]


class RuleSerializer(NestedRuleSerializer):
    """A rule of the first level."""

    rules = NestedRuleSerializer(source="nested", many=True, required=False)  # type: ignore[assignment]


class SegmentSerializer(WithCustomFields, serializers.ModelSerializer):
    """A segment with its rules. The project is the path's; one in the body is ignored."""

    feature = IdField(source="feature_id", required=False, allow_null=True)
    rules = RuleSerializer(source="root_rules", many=True)
    version_of = serializers.IntegerField(source="pk", read_only=True)
    membership_counts = ConstantField([])

    class Meta:
        model = Segment
        fields = [
            "id",
            "uuid",
            "name",
            "description",
            "project",
            "feature",
            "version_of",
            "rules",
            "metadata",
            "membership_counts",
            "managed_by",
            "created_at",
            "updated_at",
        ]
        read_only_fields = ["project", "managed_by"]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        attrs = super().validate(attrs)
        if "root_rules" in attrs:
            attrs["rules"] = wanted_rules(attrs.pop("root_rules"))
        return attrs

    def to_representation(self, instance: Segment) -> dict[str, Any]:
        """Nest the rules. They are read flat: all rules of many segments take one query."""
        below: dict[int | None, list[SegmentRule]] = {}
        for rule in instance.rules.all():
            below.setdefault(rule.parent_id, []).append(rule)
        for rules in below.values():
            for rule in rules:
                rule.nested = below.get(rule.pk, [])  # type: ignore[attr-defined]
        instance.root_rules = below.get(None, [])  # type: ignore[attr-defined]
        return super().to_representation(instance)


class NameSerializer(serializers.Serializer):
    """What a copy is to be called."""

    name = serializers.CharField(max_length=2000)


class SegmentQuery(QuerySerializer):
    """The parameters of a list of segments."""

    q = serializers.CharField(required=False, help_text="The name contains this.")
    include_feature_specific = serializers.BooleanField(required=False, allow_null=True)
    identity = IdField(
        required=False, max_value=INT64_MAX, help_text="Only segments that this identity is in at the moment."
    )
