"""What one identity is served, worked out from the rows: for people who look, and for writes that must see
what they have just written. SDKs are answered from memory.
"""

from collections.abc import Collection
from dataclasses import dataclass

from documents.builder import build
from documents.prerequisites import is_made_up, unmet_prerequisite
from documents.rows import EnvironmentRows, FeatureRow, read_rows_for
from engine import subjects
from engine.compiler import compile_context
from engine.context import environment_context, feature_contexts
from engine.documents import FeatureContext, SegmentContext
from engine.evaluation import Evaluation
from engine.flags import Flag
from environments.models import Environment
from identities.models import Identity
from identities.traits import from_column


@dataclass(frozen=True)
class ServedFlag:
    """A feature as one identity gets it."""

    feature: FeatureRow
    flag: Flag
    is_own: bool

    @property
    def overridden_by(self) -> str | None:
        if self.is_own:
            return "IDENTITY"
        return "SEGMENT" if self.segment else None

    @property
    def segment(self) -> SegmentContext | None:
        segment = self.flag.segment
        return None if self.is_own or segment is None or is_made_up(segment) else segment

    @property
    def unmet_prerequisite(self) -> str | None:
        """The name of the feature for whose sake this one is off."""
        return None if self.is_own else unmet_prerequisite(self.flag.segment)


def flags_of(identity: Identity) -> list[ServedFlag]:
    """Return every feature of the environment as this identity gets it, in the order of ids.

    By its stored traits, and whatever answers to SDKs leave out. Two queries.

    Raises:
        Environment.DoesNotExist: the environment, its project or its organisation is deleted.
    """
    rows = read_rows_for([identity.pk], identity.environment_id)
    evaluation, overrides = _evaluate(identity, rows)
    return [
        ServedFlag(feature, evaluation.flags[feature["name"]], feature["name"] in overrides)
        for feature in rows.features
        if feature["name"] in evaluation.flags
    ]


def segments_of(identity_id: int, project_id: int) -> Collection[int]:
    """Return the ids of a project's segments that one of its identities is in by its stored traits.

    None for an identity that isn't there, or is another project's. Three queries.
    """
    identity: Identity | None = Identity.objects.filter(
        pk=identity_id, environment__project=project_id, environment__deleted_at__isnull=True
    ).first()
    if identity is None:
        return []
    try:
        rows = read_rows_for([identity.pk], identity.environment_id)
    except Environment.DoesNotExist:
        return []
    evaluation, _ = _evaluate(identity, rows)
    return [(segment["metadata"] or {})["id"] for segment in evaluation.segments if not is_made_up(segment)]


def _evaluate(identity: Identity, rows: EnvironmentRows) -> tuple[Evaluation, dict[str, FeatureContext]]:
    built = build(rows, with_unused_segments=True)
    own = built.identity_overrides.get(identity.pk)
    overrides = feature_contexts(own["identity_features"]) if own else {}
    compiled = compile_context(environment_context(built.document))
    subject = subjects.Identity(identity.identifier, from_column(identity.traits))
    return compiled.evaluate(subject, overrides), overrides
