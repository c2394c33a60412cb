"""Rollback, comparison, promotion and preview on the wire."""

from collections.abc import Iterable
from typing import Any

from rest_framework import serializers

from audit.models import AuditRecord
from core.fields import INT64_MAX, ChoiceField, IdField, WholeItem
from core.queries import QuerySerializer
from environments.models import PublishedRevision
from releases.contents import FIELDS, Difference
from releases.previews import SEED, Preview
from releases.promotions import Choice, Kind
from releases.reversals import Conflict
from releases.selectors import Names
from releases.services import Mode, Plan, Way
from users.serializers import UserSummarySerializer
from workflows.serializers.requests import NewRequestSerializer

MOST_ITEMS = 10_000
_ONE_OF = "One of {}."


class RecordSerializer(serializers.ModelSerializer):
    """What the audit log says of a change."""

    author = UserSummarySerializer(read_only=True, allow_null=True)

    class Meta:
        model = AuditRecord
        fields = ["id", "created_date", "log", "author", "master_key_name"]
        read_only_fields = fields


class RevisionSerializer(serializers.ModelSerializer):
    """A revision of an environment, with what the audit log says of the change that made it."""

    published_at = serializers.DateTimeField(source="at", read_only=True)
    records = RecordSerializer(many=True, read_only=True)

    class Meta:
        model = PublishedRevision
        fields = ["revision", "published_at", "records"]
        read_only_fields = fields


class NamedRowSerializer(serializers.Serializer):
    id = serializers.IntegerField()
    name = serializers.CharField(allow_null=True)


class NamedIdentitySerializer(serializers.Serializer):
    id = serializers.IntegerField()
    identifier = serializers.CharField(allow_null=True)


class StateNameSerializer(serializers.Serializer):
    """Which feature state something is said of."""

    kind = serializers.CharField(
        help_text="`environment_default`, `segment_override` or `identity_override`."
    )
    feature = NamedRowSerializer()
    segment = NamedRowSerializer(allow_null=True)
    identity = NamedIdentitySerializer(allow_null=True)


class FieldDifferenceSerializer(serializers.Serializer):
    """What becomes of one field."""

    field = serializers.CharField(
        help_text=_ONE_OF.format(", ".join(f"`{each}`" for each in (*FIELDS, SEED)))
    )
    old = serializers.JSONField(allow_null=True)
    new = serializers.JSONField(allow_null=True)


class DifferenceSerializer(StateNameSerializer):
    """What becomes of one feature state."""

    change = serializers.ChoiceField(choices=["created", "updated", "removed"])
    differences = FieldDifferenceSerializer(many=True)


class FieldConflictSerializer(serializers.Serializer):
    """A field that was edited after the change to be undone. Null: there was, or is, no such state."""

    field = serializers.CharField(help_text=_ONE_OF.format(", ".join(f"`{each}`" for each in FIELDS)))
    before = serializers.JSONField(allow_null=True)
    after = serializers.JSONField(allow_null=True)
    now = serializers.JSONField(allow_null=True)


class ConflictSerializer(StateNameSerializer):
    """What was edited since, and stays."""

    differences = FieldConflictSerializer(many=True)


class ImpossibleSerializer(StateNameSerializer):
    """What can't be brought back."""

    reason = serializers.CharField()


class RevisionDetailSerializer(RevisionSerializer):
    """A revision, with what it changed of what features serve."""

    changes = DifferenceSerializer(many=True, read_only=True)

    class Meta(RevisionSerializer.Meta):
        fields = [*RevisionSerializer.Meta.fields, "changes"]
        read_only_fields = fields


class DifferencesSerializer(serializers.Serializer):
    """What is different, state by state."""

    changes = DifferenceSerializer(many=True)


class ComparisonSerializer(DifferencesSerializer):
    """What promoting everything would change, and of which revisions that is true."""

    source_revision = serializers.IntegerField()
    target_revision = serializers.IntegerField()


class PlanSerializer(DifferencesSerializer):
    """What is done, and what isn't: edited since, beyond reach, or nothing for a change request."""

    conflicts = ConflictSerializer(many=True)
    impossible = ImpossibleSerializer(many=True)
    left_out = StateNameSerializer(many=True)


class OutcomeSerializer(PlanSerializer):
    """What was done, or asked for."""

    change_request = serializers.IntegerField(allow_null=True)


class SegmentFieldDifferenceSerializer(serializers.Serializer):
    """What becomes of a segment's name, or of its rules as the document has them."""

    field = serializers.CharField(help_text="`name` or `rules`.")
    old = serializers.JSONField(allow_null=True)
    new = serializers.JSONField(allow_null=True)


class SegmentDifferenceSerializer(serializers.Serializer):
    """What becomes of a segment in the document."""

    segment = NamedRowSerializer()
    differences = SegmentFieldDifferenceSerializer(many=True)


class NamedEnvironmentSerializer(NamedRowSerializer):
    api_key = serializers.CharField()


class DocumentDifferenceSerializer(serializers.Serializer):
    """What one environment's document would say otherwise."""

    environment = NamedEnvironmentSerializer()
    changes = DifferenceSerializer(many=True)
    segments = SegmentDifferenceSerializer(many=True)


class PreviewSerializer(serializers.Serializer):
    """What documents would say otherwise."""

    documents = DocumentDifferenceSerializer(many=True)


class PlanPreviewSerializer(PlanSerializer):
    """What would be done, and what documents would say otherwise."""

    documents = DocumentDifferenceSerializer(many=True)


class WaySerializer(NewRequestSerializer):
    """When, and on whose word, something is done.

    The words and the reviewers are those of the change request that `schedule` and `request` make.
    """

    ignore_conflicts = None  # type: ignore[assignment]
    title = serializers.CharField(max_length=500, required=False)
    mode = ChoiceField(
        choices=[each.value for each in Mode],
        default=Mode.APPLY.value,
        help_text="`apply`: now. `schedule`: at `live_from`. `request`: ask for approval.",
    )
    live_from = serializers.DateTimeField(
        required=False, allow_null=True, help_text="When it takes effect; of a request, once it is committed."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["mode"] == Mode.SCHEDULE.value and not attrs.get("live_from"):
            raise serializers.ValidationError({"live_from": ["Say when."]})
        if attrs["mode"] == Mode.APPLY.value and attrs.get("live_from"):
            raise serializers.ValidationError({"live_from": ["What is applied, is applied now."]})
        return attrs

    @property
    def way(self) -> Way:
        given = self.validated_data
        return Way(
            Mode(given["mode"]),
            given.get("live_from"),
            given.get("title", ""),
            given.get("description"),
            self.reviewers,
        )


class RollbackSerializer(WaySerializer):
    """How a change is to be taken back."""

    all_or_nothing = serializers.BooleanField(
        default=False, help_text="Whether to do nothing if some of it was edited since."
    )


class ChosenSerializer(WholeItem):
    """What of a feature is promoted: all of it, or one kind, one override, some fields."""

    feature = IdField()
    kind = ChoiceField(choices=[each.value for each in Kind], required=False, allow_null=True)
    segment = IdField(required=False, allow_null=True)
    only = serializers.ListField(
        child=ChoiceField(choices=list(FIELDS)),
        required=False,
        allow_null=True,
        allow_empty=False,
        max_length=len(FIELDS),
        help_text="The fields that are taken over. A new override is taken over whole.",
    )

    def validate(self, attrs: dict[str, Any]) -> Any:
        if attrs.get("segment") and attrs.get("kind") == Kind.DEFAULT.value:
            raise serializers.ValidationError({"segment": ["An environment's default has no segment."]})
        return super().validate(attrs)

    @staticmethod
    def choice(given: dict[str, Any]) -> Choice:
        kind, segment_id = given.get("kind"), given.get("segment")
        if segment_id:
            kind = Kind.OVERRIDE.value
        fields = tuple(given.get("only") or FIELDS)
        return Choice(given["feature"], Kind(kind) if kind else None, segment_id or None, fields)


class ChoiceSerializer(serializers.Serializer):
    """What is to be carried over."""

    items = serializers.ListField(child=ChosenSerializer(), allow_empty=False, max_length=MOST_ITEMS)

    @property
    def choices(self) -> list[Choice]:
        return [ChosenSerializer.choice(each) for each in self.validated_data["items"]]


class PromotionSerializer(ChoiceSerializer, WaySerializer):
    """What is to be carried over, and how.

    With the revisions of the comparison that it was chosen from, a change since then is refused.
    """

    source_revision = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=INT64_MAX
    )
    target_revision = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=INT64_MAX
    )


class RevisionsQuery(QuerySerializer):
    """Which revisions are compared: what was served as of one, and as of a later one."""

    from_revision = serializers.IntegerField(min_value=0, max_value=INT64_MAX)
    to_revision = serializers.IntegerField(
        required=False, min_value=0, max_value=INT64_MAX, help_text="Left out: the one that is served."
    )


class VersionQuery(QuerySerializer):
    """What a version is compared with."""

    base = serializers.UUIDField(required=False, help_text="Left out: the version that was served before.")


def shown_differences(found: Iterable[Difference]) -> list[dict[str, Any]]:
    """Return what becomes of states as the wire has it."""
    found = list(found)
    names = Names(each.target for each in found)
    return [
        {
            **names.of(each.target),
            "change": _change(each.old, each.new),
            "differences": [
                {
                    "field": name,
                    "old": each.old.field(name) if each.old else None,
                    "new": each.new.field(name) if each.new else None,
                }
                for name in each.fields
            ],
        }
        for each in found
    ]


def shown_plan(plan: Plan) -> dict[str, Any]:
    """Return what is done and what isn't as the wire has it."""
    named = [
        *(each.target for each in plan.conflicts),
        *(each.target for each in plan.impossible),
        *plan.left_out,
    ]
    names = Names(named)
    return {
        "changes": shown_differences(plan.changes),
        "conflicts": [
            {**names.of(each.target), "differences": _shown_conflict(each)} for each in plan.conflicts
        ],
        "impossible": [{**names.of(each.target), "reason": each.reason} for each in plan.impossible],
        "left_out": [names.of(target) for target in plan.left_out],
    }


def shown_documents(previews: Iterable[Preview]) -> list[dict[str, Any]]:
    """Return what documents would say otherwise as the wire has it."""
    previews = list(previews)
    names = Names((each.environment.pk, *state.key) for each in previews for state in each.states)

    def segment(preview: Preview, segment_id: int) -> dict[str, Any]:
        return {"id": segment_id, "name": preview.segment_names.get(segment_id)}

    return [
        {
            "environment": {
                "id": each.environment.pk,
                "name": each.environment.name,
                "api_key": each.environment.api_key,
            },
            "changes": [
                {
                    **names.of((each.environment.pk, *state.key)),
                    "segment": segment(each, state.key[1]) if state.key[1] is not None else None,
                    "change": _change(state.old, state.new),
                    "differences": _fields(state.fields, state.old or {}, state.new or {}),
                }
                for state in each.states
            ],
            "segments": [
                {
                    "segment": segment(each, one.segment_id),
                    "differences": _fields(one.fields, one.old, one.new),
                }
                for one in each.segments
            ],
        }
        for each in previews
    ]


def _fields(names: Iterable[str], old: dict[str, Any], new: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"field": name, "old": old.get(name), "new": new.get(name)} for name in names]


def _shown_conflict(conflict: Conflict) -> list[dict[str, Any]]:
    return [
        {
            "field": name,
            **{
                side: content.field(name) if content else None
                for side, content in (
                    ("before", conflict.before),
                    ("after", conflict.after),
                    ("now", conflict.now),
                )
            },
        }
        for name in conflict.fields
    ]


def _change(old: object, new: object) -> str:
    if old is None:
        return "created"
    return "removed" if new is None else "updated"
