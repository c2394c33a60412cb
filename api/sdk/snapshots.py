"""What is compiled of each environment, and the one place that keeps it in memory.

Why an answer is never older than the moment its request began: a request first asks the database
which revision its environment is at, and takes a snapshot from memory only if it carries that very
name (number and nonce). Otherwise it reads the revision *and then* the rows, in one transaction that
sees the database as it is at its first statement, so that the rows are what the revision names; it may
name a newer one than the request asked for, never an older one. What is kept is only ever found by
its name: a slow reader that puts an older snapshot back makes the next request read again, no more.
Inside a transaction that is already open nothing is kept or found: revisions are raised at commit, so
what the transaction has changed has no name yet.

A snapshot is immutable; putting it in its place is one assignment.
"""

import json
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from django.conf import settings
from django.db import connection

from documents.builder import BuiltEnvironment, build, updated_at
from documents.rows import EnvironmentRows, Revision, current_revision, read_rows
from engine.compiler import compile_context
from engine.context import environment_context, feature_contexts
from engine.documents import EnvironmentDocument, FeatureContext, FeatureStateDocument
from engine.evaluation import CompiledEnvironment, Evaluation
from engine.flags import Flag
from engine.subjects import Identity
from identities.traits import TraitValue
from sdk.flag_items import FeatureItem, feature_item, flag_item, variant_on_the_wire


def encode(value: object) -> bytes:
    """Return a value's compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass(frozen=True, eq=False)
class Snapshot:
    """One environment at one revision, ready to answer from.

    Attributes:
        revision: None where no change of the environment has been committed yet.
        document: what SDKs with local evaluation are given.
        features: what answers show of each feature, by name, in the order of ids.
        server_only: the names of the features that client-side keys don't see.
        identity_overrides: feature states of single identities, by identifier and feature name.
        hides_disabled_flags, hides_sensitive_data, allows_client_traits, stores_traits: the settings of
            environment, project and organisation that decide what is answered.
    """

    revision: Revision | None
    updated_at: datetime
    environment_id: int
    document: EnvironmentDocument
    compiled: CompiledEnvironment
    features: Mapping[str, FeatureItem]
    server_only: frozenset[str]
    identity_overrides: Mapping[str, Mapping[str, FeatureContext]]
    hides_disabled_flags: bool
    hides_sensitive_data: bool
    allows_client_traits: bool
    stores_traits: bool

    def evaluate(self, identifier: str, traits: Mapping[str, TraitValue]) -> Evaluation:
        """Evaluate all features for an identity."""
        return self.compiled.evaluate(Identity(identifier, traits), self.identity_overrides.get(identifier))

    def shows(self, flag: Flag, *, to_server: bool) -> bool:
        """Whether answers to servers, or to clients, carry this flag."""
        return (flag.enabled or not self.hides_disabled_flags) and (
            to_server or flag.name not in self.server_only
        )

    def identity_item(self, flag: Flag) -> bytes:
        """Return a flag as `identities/` answers it, in JSON."""
        # Flags of identity overrides are made while evaluating; all others are known beforehand.
        return self._identity_items.get(flag) or self._encoded(flag)

    def environment_item(self, flag: Flag) -> bytes:
        """Return a flag as `flags/` answers it, in JSON."""
        return encode(self._item(flag))

    @cached_property
    def flags_to_servers(self) -> bytes:
        """The whole answer of `flags/` to a server-side key."""
        return self._flags_body(to_server=True)

    @cached_property
    def flags_to_clients(self) -> bytes:
        """The whole answer of `flags/` to the client-side key."""
        return self._flags_body(to_server=False)

    @cached_property
    def document_body(self) -> bytes:
        """The whole answer of `environment-document/`."""
        return encode(self.document)

    @cached_property
    def names_in_lower_case(self) -> Mapping[str, str]:
        """The names of features by their lower-case form, which is unique in a project."""
        return {name.lower(): name for name in self.features}

    @cached_property
    def _identity_items(self) -> Mapping[Flag, bytes]:
        return {flag: self._encoded(flag) for flag in self.compiled.possible_flags()}

    def _flags_body(self, *, to_server: bool) -> bytes:
        flags = self.compiled.evaluate(None).flags.values()
        return array(self.environment_item(flag) for flag in flags if self.shows(flag, to_server=to_server))

    def _encoded(self, flag: Flag) -> bytes:
        variant = variant_on_the_wire(flag, self.features[flag.name])
        return encode({**self._item(flag), "variant": variant})

    def _item(self, flag: Flag) -> Any:
        return flag_item(
            flag,
            self.features[flag.name],
            environment_id=self.environment_id,
            hides_sensitive_data=self.hides_sensitive_data,
        )


def array(items: Iterable[bytes]) -> bytes:
    """Return the JSON array of encoded items."""
    return b"[" + b",".join(items) + b"]"


def compile_snapshot(rows: EnvironmentRows) -> Snapshot:
    """Return the snapshot of what `rows` hold."""
    environment = rows.environment
    built = build(rows)
    served = {state["feature"]["name"] for state in built.document["feature_states"]}
    features = [feature for feature in rows.features if feature.name in served]
    return Snapshot(
        revision=rows.revision,
        updated_at=updated_at(rows),
        environment_id=environment.pk,
        document=built.document,
        compiled=_compiled(built),
        features={
            feature.name: feature_item(feature, hides_sensitive_data=environment.hide_sensitive_data)
            for feature in features
        },
        server_only=frozenset(feature.name for feature in features if feature.is_server_key_only),
        identity_overrides=_identity_overrides(built),
        hides_disabled_flags=environment.hides_disabled_flags,
        hides_sensitive_data=environment.hide_sensitive_data,
        allows_client_traits=environment.allow_client_traits,
        stores_traits=environment.project.organisation.persist_trait_data,
    )


def _compiled(built: BuiltEnvironment) -> CompiledEnvironment:
    context = environment_context(built.document)
    features, segments = context["features"] or {}, context["segments"] or {}
    for state in built.document["feature_states"]:
        _note_origin(features[state["feature"]["name"]], state, built)
    for segment in built.document["project"]["segments"]:
        overrides = segments[str(segment["id"])]["overrides"] or ()
        for override, state in zip(overrides, segment["feature_states"], strict=True):
            _note_origin(override, state, built)
    return compile_context(context)


def _identity_overrides(built: BuiltEnvironment) -> dict[str, dict[str, FeatureContext]]:
    by_identifier = {}
    for identifier, identity in built.identity_overrides.items():
        contexts = feature_contexts(identity["identity_features"])
        for state in identity["identity_features"]:
            _note_origin(contexts[state["feature"]["name"]], state, built, identity["django_id"])
        by_identifier[identifier] = contexts
    return by_identifier


def _note_origin(
    context: FeatureContext,
    state: FeatureStateDocument,
    built: BuiltEnvironment,
    identity_id: int | None = None,
) -> None:
    """Let evaluation carry through which row a flag comes from: the document has hash seeds, no ids."""
    context["metadata"] = {
        **(context["metadata"] or {}),
        "feature_state_id": built.state_ids[state["featurestate_uuid"]],
        "identity_id": identity_id,
    }


class SnapshotStore:
    """Keeps the snapshots of the environments that were read last. See the module for why this is right."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._by_environment: OrderedDict[int, Snapshot] = OrderedDict()
        self._building: dict[int, threading.Lock] = {}

    def current(self, environment_id: int) -> Snapshot:
        """Return the environment as it is now. One query when it is at hand.

        Raises:
            Environment.DoesNotExist: it, its project or its organisation is deleted.
        """
        if connection.in_atomic_block:
            return compile_snapshot(read_rows(environment_id))
        return self._find(current_revision(environment_id), environment_id) or self._build(environment_id)

    def _find(self, wanted: Revision | None, environment_id: int) -> Snapshot | None:
        with self._lock:
            snapshot = self._by_environment.get(environment_id)
            if snapshot is None or wanted is None or snapshot.revision != wanted:
                return None
            self._by_environment.move_to_end(environment_id)
            return snapshot

    def _build(self, environment_id: int) -> Snapshot:
        with self._lock:
            building = self._building.setdefault(environment_id, threading.Lock())
        with building:  # those who come meanwhile wait, and find what was built
            found = self._find(current_revision(environment_id), environment_id)
            if found is not None:
                return found
            snapshot = compile_snapshot(read_rows(environment_id))
            self._install(snapshot)
            return snapshot

    def _install(self, snapshot: Snapshot) -> None:
        if snapshot.revision is None:
            return  # without a name it could never be found
        with self._lock:
            self._by_environment[snapshot.environment_id] = snapshot
            self._by_environment.move_to_end(snapshot.environment_id)
            while len(self._by_environment) > self._most:
                forgotten, _ = self._by_environment.popitem(last=False)
                self._building.pop(forgotten, None)


snapshots = SnapshotStore(settings.SNAPSHOTS_IN_MEMORY)
