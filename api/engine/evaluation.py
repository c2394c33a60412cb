"""Evaluating a compiled environment: arithmetic over memory, without clock, chance or input.

Precedence: the identity's own override, then the override of a matching segment with the lowest
priority (the first in context order among equals), then the environment's default. The winner
replaces the whole state: nothing is inherited.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from engine.dependencies import FlagResolver
from engine.documents import (
    EvaluationResult,
    FeatureContext,
    SegmentContext,
    SegmentResult,
)
from engine.flags import REASON_CIRCULAR, FeatureState, Flag
from engine.subjects import Identity, Subject

# SDKs model identity overrides as a segment of this name, and report it as the reason.
IDENTITY_OVERRIDE_REASON = "TARGETING_MATCH; segment=identity_overrides"


@dataclass(frozen=True, slots=True)
class Override:
    """A segment's override of one feature; of those that match, the lowest rank wins."""

    feature_name: str
    rank: int
    state: FeatureState


@dataclass(frozen=True, slots=True)
class CompiledSegment:
    context: SegmentContext
    matches: Callable[[Subject], bool]
    overrides: tuple[Override, ...]


class Evaluation(NamedTuple):
    """What evaluating gave: flags by feature name, and the matching segments in context order.

    Flags may be shared with other evaluations: they are for reading.
    """

    flags: Mapping[str, Flag]
    segments: Sequence[SegmentContext]

    def to_result(self) -> EvaluationResult:
        """Return the plain form that engines are compared by."""
        return {
            "flags": {name: flag.to_result() for name, flag in self.flags.items()},
            "segments": [_segment_result(segment) for segment in self.segments],
        }


def _segment_result(segment: SegmentContext) -> SegmentResult:
    result: SegmentResult = {"name": segment["name"]}
    metadata = segment.get("metadata")
    if metadata:
        result["metadata"] = metadata
    return result


class CompiledEnvironment:
    """An environment ready to evaluate. Immutable, and safe to use from several threads."""

    def __init__(
        self,
        *,
        environment_key: str,
        features: Mapping[str, FeatureState],
        segments: tuple[CompiledSegment, ...],
        candidates: Mapping[str, tuple[tuple[CompiledSegment, FeatureState], ...]],
        reads_flags: bool,
    ) -> None:
        self._environment_key = environment_key
        self._features = features
        self._segments = segments
        self._candidates = candidates
        self._reads_flags = reads_flags
        self._defaults = {name: state.plain for name, state in features.items()}
        self._with_variants = tuple((name, state) for name, state in features.items() if state.has_variants)
        self._without_identity = Evaluation(flags=self._defaults, segments=())

    @property
    def segments(self) -> list[SegmentContext]:
        """All segments, in context order."""
        return [segment.context for segment in self._segments]

    def evaluate(
        self, identity: Identity | None, overrides: Mapping[str, FeatureContext] | None = None
    ) -> Evaluation:
        """Evaluate all features.

        Args:
            identity: None for the environment's own flags: as in SDKs, segments are then left out.
            overrides: this identity's own overrides, by feature name.
        """
        if identity is None:
            return self._without_identity
        return self._evaluate(self._subject(identity), self._own_states(overrides))

    def evaluate_segments_without_identity(self) -> Evaluation:
        """Evaluate as for an identity that has neither key nor traits.

        That is what a context with segments and no identity means to an engine; SDKs never ask it.
        """
        return self._evaluate(Subject(None, None, {}), {})

    def evaluate_feature(
        self,
        name: str,
        identity: Identity | None,
        overrides: Mapping[str, FeatureContext] | None = None,
    ) -> Flag | None:
        """Evaluate one feature, asking only the segments that override it; None where it doesn't exist."""
        default = self._features.get(name)
        if default is None or identity is None:
            return self._defaults.get(name)
        if self._reads_flags:
            return self.evaluate(identity, overrides).flags[name]
        subject = self._subject(identity)
        if overrides and name in overrides:
            return FeatureState(overrides[name], IDENTITY_OVERRIDE_REASON).flag_for(subject.hashable_key)
        for segment, state in self._candidates.get(name, ()):
            if segment.matches(subject):
                return state.flag_for(subject.hashable_key)
        return default.flag_for(subject.hashable_key)

    def matching_segments(
        self, identity: Identity, overrides: Mapping[str, FeatureContext] | None = None
    ) -> list[SegmentContext]:
        """Return the segments an identity is in, in context order, whether or not they override anything.

        `overrides` matter only where conditions read flags.
        """
        subject = self._subject(identity)
        matching, _ = self._match_segments(subject, self._own_states(overrides))
        return [segment.context for segment in matching]

    def _subject(self, identity: Identity) -> Subject:
        key = identity.key or f"{self._environment_key}_{identity.identifier}"
        return Subject(identity.identifier, key, identity.traits)

    def _own_states(self, overrides: Mapping[str, FeatureContext] | None) -> dict[str, FeatureState]:
        if not overrides:
            return {}
        return {
            name: FeatureState(feature, IDENTITY_OVERRIDE_REASON)
            for name, feature in overrides.items()
            if name in self._features
        }

    def _match_segments(
        self, subject: Subject, own: Mapping[str, FeatureState]
    ) -> tuple[list[CompiledSegment], FlagResolver | None]:
        if not self._reads_flags:
            return [segment for segment in self._segments if segment.matches(subject)], None
        resolver = FlagResolver(subject, self._features, self._candidates, own)
        return [segment for segment in self._segments if resolver.matches(segment)], resolver

    def _evaluate(self, subject: Subject, own: Mapping[str, FeatureState]) -> Evaluation:
        matching, resolver = self._match_segments(subject, own)
        winners: dict[str, Override] = {}
        for segment in matching:
            for override in segment.overrides:
                held = winners.get(override.feature_name)
                if held is None or override.rank < held.rank:
                    winners[override.feature_name] = override

        key = subject.hashable_key
        flags = self._defaults.copy()
        for name, state in self._with_variants:
            if name not in winners and name not in own:
                flags[name] = state.flag_for(key)
        for name, override in winners.items():
            flags[name] = override.state.flag_for(key)
        for name, state in own.items():
            flags[name] = state.flag_for(key)
        if resolver is not None:
            flags.update(resolver.resolved)
            for name in resolver.cyclic:
                flags[name] = replace(flags[name], reason=REASON_CIRCULAR)
        return Evaluation(flags=flags, segments=[segment.context for segment in matching])
