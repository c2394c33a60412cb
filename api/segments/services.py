"""Writes of segments. A segment is saved with all its rules in one transaction, so none is ever seen half."""

from collections.abc import Iterable, Sequence
from typing import Any, TypedDict, Unpack

from django.db import transaction

from audit.models import ChangeType, RelatedObjectType
from audit.services import Author, record
from core.errors import InvalidInput
from metadata.services import WantedValue, copy_values, replace_values
from projects.approval import emergency_in, takes_requests_only
from projects.models import Project
from segments.exceptions import ManagedSegmentError
from segments.models import Condition, Segment, SegmentRevision, SegmentRule
from segments.rules import WantedCondition, WantedRule, check_rules


class SegmentProperties(TypedDict, total=False):
    """What may be said of a segment at any time. What is left out stays as it is."""

    name: str
    description: str | None
    feature_id: int | None
    rules: Sequence[WantedRule]


@transaction.atomic
def create_segment(
    project: Project,
    *,
    author: Author,
    name: str,
    rules: Sequence[WantedRule],
    description: str | None = None,
    feature_id: int | None = None,
    metadata: Sequence[WantedValue] | None = None,
) -> Segment:
    """Create a segment with its rules.

    Args:
        metadata: its values of custom fields. None: required ones may be missing.

    Raises:
        InvalidInput: rules or values that no segment may have, or a feature of another project.
    """
    check_rules(rules)
    _check_feature(project, feature_id)
    segment = Segment(project=project, name=name, description=description, feature_id=feature_id)
    segment.save()
    _store_rules(segment, rules)
    if metadata is not None:
        replace_values(segment, metadata)
    _record(f"New Segment created: {segment.name}", segment, author, change_type=ChangeType.CREATE)
    return segment


@transaction.atomic
def take_in_segment(
    project: Project,
    *,
    pk: int | None,
    name: str,
    rules: Sequence[WantedRule],
    description: str | None = None,
    feature_id: int | None = None,
) -> Segment:
    """Make a segment as another server had it, whatever the limits say here.

    Args:
        pk: the id it had there, which is free here: what splits by percentage draws with it.
    """
    segment = Segment(pk=pk, project=project, name=name, description=description, feature_id=feature_id)
    segment.save(force_insert=True)
    _store_rules(segment, rules)
    _record(f"New Segment created: {segment.name}", segment, None, change_type=ChangeType.CREATE)
    return segment


@transaction.atomic
def update_segment(
    segment: Segment,
    *,
    author: Author,
    metadata: Sequence[WantedValue] | None = None,
    **properties: Unpack[SegmentProperties],
) -> Segment:
    """Change what is given of a segment, and keep what it was as a revision.

    `rules`, if given, replaces them all; ids of rules change then. Nothing new leaves everything as it is.

    Args:
        metadata: all its values of custom fields from now on. None: they stay.

    Raises:
        InvalidInput: as for creating.
        ManagedSegmentError: people may not change it.
        ApprovalRequiredError, MayNotBreakGlassError: its project takes such changes by request only.
    """
    segment = _locked(segment)  # one at a time: rules are rebuilt, and records say what was there before
    before = state_of(segment)
    if metadata is not None:
        replace_values(segment, metadata)
    rules = properties.pop("rules", None)
    changes = []
    if "feature_id" in properties:
        _check_feature(segment.project, properties["feature_id"])
    for column, new in properties.items():
        old = getattr(segment, column)
        if new != old:
            changes.append({"field": column.removesuffix("_id"), "old": old, "new": new})
            setattr(segment, column, new)
    if rules is not None:
        present = stored_rules(segment)
        check_rules(rules, present=present)
        old_rules, new_rules = described(present), described(rules)
        if old_rules != new_rules:
            segment.rules.all().delete()
            _store_rules(segment, rules)
            changes.append({"field": "rules", "old": old_rules, "new": new_rules})
    if changes:
        _check_approval(segment, author)
        segment.save(update_fields=[*properties, "updated_at"])
        _record(f"Segment updated: {segment.name}", segment, author, changes)
    if changes or state_of(segment) != before:
        SegmentRevision.objects.create(segment=segment, content=before)
    return segment


@transaction.atomic
def delete_segment(segment: Segment, *, author: Author) -> None:
    """Delete a segment, and with it its revisions and all its overrides in all environments.

    Raises:
        ManagedSegmentError: people may not change it.
    """
    segment = _locked(segment)
    _record(f"Segment deleted: {segment.name}", segment, author, change_type=ChangeType.DELETE)
    segment.revisions.all().delete()
    segment.delete()


@transaction.atomic
def clone_segment(segment: Segment, *, name: str, author: Author) -> Segment:
    """Create a segment with the same rules and custom fields under another name.

    Raises:
        ManagedSegmentError: people may not change it, nor what would be like it.
    """
    _refuse_managed(segment)
    rules = stored_rules(segment)
    copy = Segment(
        project=segment.project,
        name=name,
        description=segment.description,
        feature_id=segment.feature_id,
    )
    copy.save()
    _store_rules(copy, rules)  # as they are: what was once taken may be copied, whatever the limits say now
    copy_values(segment, copy)
    _record(f"New Segment created: {copy.name}", copy, author)
    return copy


def stored_rules(segment: Segment) -> tuple[WantedRule, ...]:
    """Return a segment's rules as services take them: for copies, forms and comparisons.

    In one query, so that rules and conditions are of one moment, whoever replaces them meanwhile.
    """
    rules: dict[int, tuple[int | None, str]] = {}
    conditions: dict[int, list[WantedCondition]] = {}
    content = ["operator", "property", "value", "description"]
    rows = segment.rules.order_by("pk", "conditions__pk").values_list(
        "pk", "parent", "type", *(f"conditions__{column}" for column in content)
    )
    for number, parent, rule_type, operator, *rest in rows:
        rules[number] = (parent, rule_type)
        conditions.setdefault(number, [])
        if operator is not None:  # a rule without conditions has one row, too
            conditions[number].append(WantedCondition(operator, *rest))

    def below(parent_id: int | None) -> tuple[WantedRule, ...]:
        return tuple(
            WantedRule(rule_type, tuple(conditions[number]), below(number))
            for number, (parent, rule_type) in rules.items()
            if parent == parent_id
        )

    return below(None)


def state_of(segment: Segment) -> dict[str, Any]:
    """Return all that people can change of a segment, as JSON."""
    return {
        "name": segment.name,
        "description": segment.description,
        "feature": segment.feature_id,
        "rules": described(stored_rules(segment)),
        "metadata": [
            {"model_field": number, "field_value": value}
            for number, value in segment.metadata.values_list("attachment", "value")
        ],
    }


def described(rules: Iterable[WantedRule]) -> list[dict[str, Any]]:
    """Return rules as JSON: for audit records and forms."""
    return [
        {
            "type": rule.type,
            "rules": described(rule.rules),
            "conditions": [vars(condition) for condition in rule.conditions],
        }
        for rule in rules
    ]


def _locked(segment: Segment) -> Segment:
    """Return the segment as it is now, and let nobody else write it until the transaction ends."""
    locked: Segment = (
        Segment.objects.select_related("project")
        .select_for_update(of=("self",), no_key=True)
        .get(pk=segment.pk)
    )
    _refuse_managed(locked)
    return locked


def _refuse_managed(segment: Segment) -> None:
    if segment.managed_by:
        raise ManagedSegmentError(segment.managed_by)


def _check_approval(segment: Segment, author: Author) -> None:
    if takes_requests_only(segment.project):
        reason = emergency_in(segment.project, author=author)
        _record(
            f"Glass broken: segment '{segment.name}' changed without approval. Reason: {reason}",
            segment,
            author,
        )


def _check_feature(project: Project, feature_id: int | None) -> None:
    # Through the project: features stand above segments.
    if (
        feature_id is not None
        and not project.features.filter(pk=feature_id, deleted_at__isnull=True).exists()
    ):
        raise InvalidInput({"feature": ["Feature does not exist in project"]})


def _store_rules(segment: Segment, rules: Sequence[WantedRule]) -> None:
    """Store a tree of rules, level by level."""
    level: list[tuple[SegmentRule | None, WantedRule]] = [(None, rule) for rule in rules]
    while level:
        rows = SegmentRule.objects.bulk_create(
            SegmentRule(segment=segment, parent=parent, type=rule.type) for parent, rule in level
        )
        Condition.objects.bulk_create(
            Condition(rule=row, **vars(condition))
            for row, (_, rule) in zip(rows, level, strict=True)
            for condition in rule.conditions
        )
        level = [(row, below) for row, (_, rule) in zip(rows, level, strict=True) for below in rule.rules]


def _record(
    log: str,
    segment: Segment,
    author: Author,
    changes: list[dict[str, Any]] | None = None,
    change_type: ChangeType | None = None,
) -> None:
    record(
        log,
        author=author,
        related_object=segment,
        related_object_type=RelatedObjectType.SEGMENT,
        organisation_id=segment.project.organisation_id,
        project_id=segment.project_id,
        changes=changes,
        change_type=change_type,
    )
