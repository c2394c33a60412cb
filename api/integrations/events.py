"""What other services are told of changes: a record of the audit log, with what its numbers stand for."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from audit.models import AuditRecord, ChangeType, RelatedObjectType
from features.models import EnvironmentFeatureVersion, Feature, FeatureState
from segments.models import Segment

UNKNOWN, SYSTEM = "unknown", "system"
# Records of this change name the feature, though they are about one of its states: Flagsmith's rule.
_ALLOCATIONS = "multivariate_feature_state_values"


@dataclass(frozen=True, kw_only=True)
class Event:
    """A change that other services are told of.

    Attributes:
        log: the sentence of the audit log.
        user: the author's e-mail address, or `system`.
        environment: its name, or `unknown` where the change isn't of one.
        is_enabled: of a feature state, whether it is switched on now.
        segment: of a segment, or of an override for one.
        tags: the labels of the feature's tags.
        change_id: a number that no other change of the same kind has.
    """

    log: str
    user: str
    project: str
    environment: str
    at: datetime
    about: RelatedObjectType
    change_type: ChangeType
    change_id: int
    feature: str | None = None
    is_enabled: bool | None = None
    segment: str | None = None
    tags: list[str] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        return f"{self.log} by user {self.user}"


def event_of(record: AuditRecord) -> Event:
    """Return what others are told of a record; of what it is about, what is known by now."""
    return Event(
        log=record.log,
        user=record.author.email if record.author else SYSTEM,
        project=record.project.name if record.project else UNKNOWN,
        environment=record.environment.name if record.environment else UNKNOWN,
        at=record.created_date,
        about=RelatedObjectType(record.related_object_type),
        change_type=ChangeType(record.change_type),
        change_id=record.related_object_id or record.pk,
        **_object_of(record),
    )


def _object_of(record: AuditRecord) -> dict[str, Any]:
    """Return the feature, its state and the segment that a record is about. They may be deleted by now."""
    about, key = record.related_object_type, record.related_object_id or 0
    if about == RelatedObjectType.SEGMENT:
        segment = Segment.all_objects.filter(pk=key).first()
        return {"segment": segment.name} if segment else {}
    if about == RelatedObjectType.EF_VERSION and record.related_object_uuid:
        versions = EnvironmentFeatureVersion.all_objects.select_related("feature")
        version = versions.filter(pk=record.related_object_uuid).first()
        return _feature(version.feature) if version else {}
    names_feature = about == RelatedObjectType.FEATURE or any(
        change["field"] == _ALLOCATIONS for change in record.changes
    )
    if names_feature:
        feature = Feature.all_objects.filter(pk=key).first()
        return _feature(feature) if feature else {}
    states = FeatureState.all_objects.select_related("feature", "feature_segment__segment")
    state = states.filter(pk=key).first()
    return _state(state) if state else {}


def _feature(feature: Feature) -> dict[str, Any]:
    return {"feature": feature.name, "tags": sorted(feature.tags.values_list("label", flat=True))}


def _state(state: FeatureState) -> dict[str, Any]:
    override = state.feature_segment
    return {
        **_feature(state.feature),
        "is_enabled": state.enabled,
        "segment": override.segment.name if override else None,
    }
