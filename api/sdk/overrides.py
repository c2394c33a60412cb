"""Overrides of single identities, of which an environment may have many thousands.

Each is kept as the JSON that the environment document carries, and read when somebody first asks for its
identity. So a change of one costs the encoding of one, and what is passed on to other workers and hosts is
bytes that nobody has to take apart.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import accumulate
from typing import NamedTuple, Self

from documents.rows import Fingerprints
from engine.context import feature_contexts
from engine.documents import FeatureContext, IdentityDocument

_BETWEEN = b","


class EncodedOverrides(NamedTuple):
    """One identity's overrides.

    Attributes:
        fingerprint: see `documents.rows`; as long as it stays, so does all of this.
        state_ids: the ids of the feature states, in the order of `json`, which has their hash seeds instead.
        json: an `IdentityDocument`.
    """

    identity_id: int
    identifier: str
    fingerprint: list[int]
    state_ids: list[int]
    json: bytes


class OverridesIndex(NamedTuple):
    """What stands where, in columns: they are quicker to write and to read than rows."""

    identity_ids: list[int]
    identifiers: list[str]
    fingerprints: list[list[int]]
    state_ids: list[list[int]]
    lengths: list[int]


class IdentityOverrides:
    """Feature states of single identities, by identifier and feature name. Immutable.

    Args:
        text: bytes that hold the JSON of all, one after the other with commas between them.
        start: where in `text` they begin.
    """

    def __init__(self, index: OverridesIndex, text: bytes, start: int = 0) -> None:
        self.index = index
        self._text = text
        ends = accumulate((length + len(_BETWEEN) for length in index.lengths), initial=start)
        self._starts = list(ends)
        self._rows = {identifier: row for row, identifier in enumerate(index.identifiers)}
        self._contexts: dict[str, Mapping[str, FeatureContext]] = {}

    @classmethod
    def of(cls, overrides: Iterable[EncodedOverrides]) -> Self:
        """Return what is made of each identity's, in the order of their ids."""
        each = list(overrides)
        index = OverridesIndex(
            [one.identity_id for one in each],
            [one.identifier for one in each],
            [one.fingerprint for one in each],
            [one.state_ids for one in each],
            [len(one.json) for one in each],
        )
        return cls(index, _BETWEEN.join([one.json for one in each]))

    @property
    def size_bytes(self) -> int:
        """How long the JSON is."""
        return max(self._starts[-1] - self._starts[0] - len(_BETWEEN), 0)

    @property
    def text(self) -> bytes:
        """The JSON of all, without the brackets of the array."""
        return self._text[self._starts[0] : self._starts[0] + self.size_bytes]

    @property
    def fingerprints(self) -> Fingerprints:
        return dict(zip(self.index.identity_ids, self.index.fingerprints, strict=True))

    def inside(self, text: bytes, start: int) -> Self:
        """Return the same, kept in bytes that hold more than this, so that memory holds them once."""
        return type(self)(self.index, text, start)

    def encoded(self) -> dict[int, EncodedOverrides]:
        """Return each identity's, by the identity's id."""
        _, identifiers, fingerprints, state_ids, _ = self.index
        return {
            identity_id: EncodedOverrides(
                identity_id, identifiers[row], fingerprints[row], state_ids[row], self._json(row)
            )
            for row, identity_id in enumerate(self.index.identity_ids)
        }

    def get(self, identifier: str) -> Mapping[str, FeatureContext] | None:
        """Return an identity's overrides by the names of features; None where it has none."""
        row = self._rows.get(identifier)
        if row is None:
            return None
        contexts = self._contexts.get(identifier)
        if contexts is None:
            contexts = self._contexts[identifier] = self._read(row)
        return contexts

    def __contains__(self, identifier: object) -> bool:
        return identifier in self._rows

    def __iter__(self) -> Iterator[str]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, IdentityOverrides) and self.index == other.index and self.text == other.text

    __hash__ = None  # type: ignore[assignment]

    def _json(self, row: int) -> bytes:
        start = self._starts[row]
        return self._text[start : start + self.index.lengths[row]]

    def _read(self, row: int) -> Mapping[str, FeatureContext]:
        identity: IdentityDocument = json.loads(self._json(row))
        contexts = feature_contexts(identity["identity_features"])
        state_ids = self.index.state_ids[row]
        for state, state_id in zip(identity["identity_features"], state_ids, strict=True):
            context = contexts[state["feature"]["name"]]
            # Evaluation carries through which row a flag comes from.
            context["metadata"] = {
                **(context["metadata"] or {}),
                "feature_state_id": state_id,
                "identity_id": self.index.identity_ids[row],
            }
        return contexts
