"""Flags that depend on flags: conditions on `$.flags.<name>.enabled`, `.value` or `.variant`.

Flags are resolved when a condition first reads them, and remembered for the evaluation. What would
depend on itself is cut there: every flag of the circle keeps its default, with an error for reason,
and a segment whose verdict rests on a cut does not match. Chains that would exhaust the stack are cut, too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from engine.documents import Value
from engine.flags import FeatureState, Flag
from engine.subjects import Subject

# Each flag that another one depends on takes about eight calls within the one before it.
MAX_CHAIN = 50


class Segment(Protocol):
    """What is needed of a compiled segment."""

    @property
    def matches(self) -> Callable[[Subject], bool]: ...


class FlagResolver:
    """Resolves the flags that conditions read, for one evaluation of one subject.

    Attributes:
        resolved: the flags read so far, and those that they depend on, by feature name.
    """

    def __init__(
        self,
        subject: Subject,
        features: Mapping[str, FeatureState],
        candidates: Mapping[str, tuple[tuple[Segment, FeatureState], ...]],
        own: Mapping[str, FeatureState],
    ) -> None:
        self.resolved: dict[str, Flag] = {}
        self._subject = subject
        self._features = features
        self._candidates = candidates
        self._own = own
        self._resolving: list[str] = []
        # By the name of a feature in a circle, the features at which its circles were closed.
        self._circles: dict[str, set[str]] = {}
        self._cuts = 0
        self._verdicts: dict[int, bool] = {}
        subject.read_flag = self._read

    def matches(self, segment: Segment) -> bool:
        """Tell whether the subject is in a segment; False where finding out had to cut a circle."""
        verdict = self._verdicts.get(id(segment))
        if verdict is None:
            cuts = self._cuts
            verdict = segment.matches(self._subject)
            if self._cuts != cuts:
                return False  # not remembered: who reads it next rests on the cut too
            self._verdicts[id(segment)] = verdict
        return verdict

    @property
    def cyclic(self) -> Iterable[str]:
        """The names of the features found to depend on themselves."""
        return self._circles

    def _read(self, name: str, part: str) -> Value:
        flag = self._flag(name)
        if flag is None:
            return None
        return {"enabled": flag.enabled, "value": flag.value, "variant": flag.variant}[part]

    def _flag(self, name: str) -> Flag | None:
        flag = self.resolved.get(name)
        if flag is not None or name not in self._features:
            return flag
        if name in self._resolving:
            self._close_circle(name)
        for start in self._circles.get(name, set()) & set(self._resolving):
            # Known to be in a circle, so it isn't asked again; but what asks for it now, while the
            # start of that circle is still being resolved, is in it as well.
            self._close_circle(start)
        if name in self._circles or len(self._resolving) >= MAX_CHAIN:
            self._cuts += 1
            return None
        self._resolving.append(name)
        state = self._winner(name)
        self._resolving.pop()
        if name in self._circles:
            return None
        flag = self.resolved[name] = state.flag_for(self._subject.hashable_key)
        return flag

    def _close_circle(self, start: str) -> None:
        for name in self._resolving[self._resolving.index(start) :]:
            self._circles.setdefault(name, set()).add(start)

    def _winner(self, name: str) -> FeatureState:
        if name in self._own:
            return self._own[name]
        winner = None
        for segment, state in self._candidates.get(name, ()):
            # All are asked, not only up to the first: whether there is a circle is no matter of priority.
            if self.matches(segment) and winner is None:
                winner = state
        return winner or self._features[name]
