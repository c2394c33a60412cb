"""Snapshots: what is compiled of each environment. Immutable; putting one in its place is one assignment."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from itertools import count
from typing import Any, NamedTuple

from django.conf import settings

from documents.rows import Revision, RevisionName
from engine.compiler import compile_context
from engine.context import environment_context
from engine.documents import FeatureContext, FeatureStateDocument
from engine.evaluation import CompiledEnvironment, Evaluation
from engine.flags import Flag
from engine.subjects import Identity
from identities.traits import TraitValue
from sdk.compression import compress
from sdk.contents import Content, ServedSettings
from sdk.flag_items import FlagItems, ServedFeature
from sdk.fragments import Fragments, Visibility
from sdk.kept_flags import kept_flags
from sdk.keys import NOT_SERVING, KeyRefused, is_server_side
from sdk.ofrep.items import OfrepItems
from sdk.overrides import IdentityOverrides


@dataclass(frozen=True)
class Snapshot:
    """One environment at one revision, ready to answer from.

    Attributes:
        features: by name, in the order of ids.
        server_only: the names of the features that client-side keys don't see.
        identity_overrides: feature states of single identities, by identifier and feature name.
        keys: what opens it, by `key_name`, and the Unix seconds until which it does.
        document_body: the whole answer of `environment-document/`.
        size_bytes: about how much memory it takes, once it has answered.
        number: which of this process's snapshots it is.
    """

    revision: Revision
    project_id: int
    compiled: CompiledEnvironment
    features: Mapping[str, ServedFeature]
    server_only: frozenset[str]
    identity_overrides: IdentityOverrides
    settings: ServedSettings
    keys: Mapping[str, float | None]
    document_body: bytes
    size_bytes: int
    number: int = field(default_factory=count().__next__)

    @property
    def name(self) -> RevisionName:
        return self.revision.name

    @property
    def environment_id(self) -> int:
        return self.revision.name.environment_id

    @property
    def updated_at(self) -> datetime:
        return self.revision.updated_at

    @cached_property
    def client_key(self) -> str:
        """The key that may be seen by anyone; no other environment has it."""
        return next(name for name in self.keys if not is_server_side(name))

    @cached_property
    def updated_at_seconds(self) -> str:
        """Unix seconds with a fraction; a whole second is written `1689172003.0`."""
        return str(self.updated_at.timestamp())

    def access(self, name: str) -> "Access | None":
        """Return what the key of this name opens here; None where it opens nothing, or no longer.

        Raises:
            KeyRefused: the organisation has stopped serving flags.
        """
        try:
            until = self.keys[name]
        except KeyError:
            return None
        if until is not None and until <= time.time():
            return None
        if not self.settings.serves_flags:
            raise KeyRefused(NOT_SERVING)
        return Access(self, is_server_side(name))

    def evaluate(self, identifier: str, traits: Mapping[str, TraitValue]) -> Evaluation:
        """Evaluate all features for an identity."""
        return self.compiled.evaluate(Identity(identifier, traits), self.identity_overrides.get(identifier))

    def evaluate_feature(self, name: str, identifier: str, traits: Mapping[str, TraitValue]) -> Flag | None:
        """Evaluate one feature for an identity; None where it doesn't exist."""
        overrides = self.identity_overrides.get(identifier)
        return self.compiled.evaluate_feature(name, Identity(identifier, traits), overrides)

    def shows(self, flag: Flag, *, to_server: bool) -> bool:
        """Whether answers to servers, or to clients, carry this flag."""
        return self.visibility.shows(flag, to_server=to_server)

    def environment_item(self, flag: Flag) -> bytes:
        """Return a flag as `flags/` answers it, in JSON."""
        return self._flag_items.in_environment(flag)

    @cached_property
    def identity_items(self) -> Fragments:
        """Flags as `identities/` answers them."""
        return Fragments(self._flag_items.of_identity, self.visibility)

    @cached_property
    def flags_to_servers(self) -> bytes:
        """The whole answer of `flags/` to a server-side key."""
        return self._flags_body(to_server=True)

    @cached_property
    def flags_to_clients(self) -> bytes:
        """The whole answer of `flags/` to the client-side key."""
        if not self.server_only:
            return self.flags_to_servers
        return self._flags_body(to_server=False)

    @cached_property
    def prepared(self) -> dict[Any, Any]:
        """What a door keeps of its answers for as long as they are these."""
        return {}

    def compressed(self, body: bytes) -> bytes:
        """Return one of the bodies above in gzip, made once."""
        found = self._compressed.get(body)
        if found is None:
            found = self._compressed[body] = compress(body)
        return found

    @cached_property
    def _compressed(self) -> dict[bytes, bytes]:
        return {}

    @cached_property
    def ofrep_items(self) -> Fragments:
        """Flags as OFREP answers them."""
        items = OfrepItems(self.features, native_json=settings.OFREP_NATIVE_JSON)
        return Fragments(items.of, self.visibility)

    @cached_property
    def names_in_lower_case(self) -> Mapping[str, str]:
        """The names of features by their lower-case form, which is unique in a project."""
        return {name.lower(): name for name in self.features}

    @cached_property
    def visibility(self) -> Visibility:
        return Visibility(self.settings.hides_disabled_flags, self.server_only)

    @cached_property
    def _flag_items(self) -> FlagItems:
        return FlagItems(self.environment_id, self.features, self.settings.hides_sensitive_data)

    def _flags_body(self, *, to_server: bool) -> bytes:
        return kept_flags(self.name, to_server=to_server, make=lambda: self._encoded_flags(to_server))

    def _encoded_flags(self, to_server: bool) -> bytes:
        flags = self.compiled.evaluate(None).flags.values()
        shown = (flag for flag in flags if self.shows(flag, to_server=to_server))
        return b"[%b]" % b",".join(map(self.environment_item, shown))

    def prepare(self) -> "Snapshot":
        """Encode now, where nobody waits, what the first answers would have to."""
        _ = self.flags_to_servers, self.flags_to_clients
        return self


class Access(NamedTuple):
    """What a key opens: one environment, with or without what only servers may see."""

    snapshot: Snapshot
    is_server_side: bool


def compile_snapshot(content: Content) -> Snapshot:
    """Return the snapshot of a content, ready to answer."""
    return Snapshot(
        revision=content.revision,
        project_id=content.project_id,
        compiled=_compiled(content),
        features={feature["name"]: ServedFeature.of(feature) for feature in content.features},
        server_only=content.server_only,
        identity_overrides=content.identity_overrides,
        settings=content.settings,
        keys=content.keys,
        document_body=content.document_body,
        size_bytes=_size_bytes(content),
    ).prepare()


def _compiled(content: Content) -> CompiledEnvironment:
    document = content.document
    context = environment_context(document)
    features, segments = context["features"] or {}, context["segments"] or {}
    for state in document["feature_states"]:
        _note_origin(features[state["feature"]["name"]], state, content)
    for segment in document["project"]["segments"]:
        overrides = segments[str(segment["id"])]["overrides"] or ()
        for override, state in zip(overrides, segment["feature_states"], strict=True):
            _note_origin(override, state, content)
    return compile_context(context)


def _note_origin(context: FeatureContext, state: FeatureStateDocument, content: Content) -> None:
    """Let evaluation carry through which row a flag comes from: the document has hash seeds, no ids."""
    context["metadata"] = {
        **(context["metadata"] or {}),
        "feature_state_id": content.state_ids[state["featurestate_uuid"]],
        "identity_id": None,
    }


def _size_bytes(content: Content) -> int:
    # Measured: bodies, what is compiled and the fragments of answers take about ten times as much as the
    # document (a quarter of it are fragments); overrides of identities three times as much as they do in it,
    # once each has been asked for.
    overrides = content.identity_overrides
    others = len(content.document_body)
    if content.document["use_identity_overrides_in_local_eval"]:
        others -= overrides.size_bytes
    return 10_000 + 10 * others + 3 * overrides.size_bytes
