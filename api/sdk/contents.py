"""What a snapshot is compiled from, as plain values: so that one worker reads the rows, and all compile.

A content is the document and what SDKs are shown but the document doesn't say. It can be written as bytes
and read back by another worker, from another host, or after a start without database.
"""

import json
import struct
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

from core.version import VERSION
from documents.builder import build, updated_at
from documents.rows import EnvironmentRows, Revision, RevisionName
from engine.documents import EnvironmentDocument, IdentityDocument
from sdk.flag_items import FeatureItem, feature_item
from sdk.keys import key_name

_LENGTH = struct.Struct("!Q")
_UNNAMED = uuid.UUID(int=0)


def encode(value: object) -> bytes:
    """Return a value's compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


class ServedSettings(NamedTuple):
    """What environment, project and organisation say about answers."""

    hides_disabled_flags: bool
    hides_sensitive_data: bool
    allows_client_traits: bool
    stores_traits: bool
    serves_flags: bool
    streams_changes: bool


@dataclass(frozen=True, slots=True)
class Content:
    """One environment at one revision.

    Attributes:
        revision: numbered 0 where no change of the environment has been committed yet.
        document_body: the document as SDKs with local evaluation are given it.
        identity_overrides: of all identities that have any, whether or not the document carries them.
        state_ids: the ids of the feature states, by the uuid that the document has.
        features: what answers show of each feature, in the order of ids; only those that have a state.
        server_only: the names of the features that client-side keys don't see.
        keys: what opens the environment, by `key_name`, and the Unix seconds until which it does.
        version: of the server that made this.
    """

    revision: Revision
    project_id: int
    document: EnvironmentDocument
    document_body: bytes
    identity_overrides: Sequence[IdentityDocument]
    state_ids: Mapping[str, int]
    features: Sequence[FeatureItem]
    server_only: frozenset[str]
    settings: ServedSettings
    keys: Mapping[str, float | None]
    version: str = VERSION

    def to_bytes(self) -> bytes:
        in_document = bool(self.document["identity_overrides"])
        rest = encode(
            {
                "updated_at": self.revision.updated_at.isoformat(),
                "previous_updated_at": _text(self.revision.previous_updated_at),
                "project_id": self.project_id,
                "identity_overrides": None if in_document else self.identity_overrides,
                "state_ids": self.state_ids,
                "features": self.features,
                "server_only": sorted(self.server_only),
                "settings": self.settings,
                "keys": self.keys,
                "version": self.version,
            }
        )
        return b"".join((_LENGTH.pack(len(rest)), rest, self.document_body))

    @classmethod
    def from_bytes(cls, name: RevisionName, content: bytes) -> "Content":
        """Raises ValueError or KeyError: the bytes are not a content."""
        (length,) = _LENGTH.unpack_from(content)
        rest: dict[str, Any] = json.loads(content[_LENGTH.size : _LENGTH.size + length])
        document_body = content[_LENGTH.size + length :]
        document: EnvironmentDocument = json.loads(document_body)
        overrides = rest["identity_overrides"]
        previous = rest["previous_updated_at"]
        return cls(
            revision=Revision(
                name,
                datetime.fromisoformat(rest["updated_at"]),
                datetime.fromisoformat(previous) if previous else None,
            ),
            project_id=rest["project_id"],
            document=document,
            document_body=document_body,
            identity_overrides=document["identity_overrides"] if overrides is None else overrides,
            state_ids=rest["state_ids"],
            features=rest["features"],
            server_only=frozenset(rest["server_only"]),
            settings=ServedSettings(*rest["settings"]),
            keys=rest["keys"],
            version=rest["version"],
        )


def content_of(rows: EnvironmentRows) -> Content:
    """Return what `rows` hold. Pure: no queries."""
    environment, project = rows.environment, rows.environment.project
    built = build(rows)
    served = {state["feature"]["name"] for state in built.document["feature_states"]}
    features = [feature for feature in rows.features if feature.name in served]
    unnamed = Revision(RevisionName(environment.pk, 0, _UNNAMED), updated_at(rows), None)
    return Content(
        revision=rows.revision or unnamed,
        project_id=project.pk,
        document=built.document,
        document_body=encode(built.document),
        identity_overrides=list(built.identity_overrides.values()),
        state_ids=built.state_ids,
        features=[
            feature_item(feature, hides_sensitive_data=environment.hide_sensitive_data)
            for feature in features
        ],
        server_only=frozenset(feature.name for feature in features if feature.is_server_key_only),
        settings=ServedSettings(
            hides_disabled_flags=environment.hides_disabled_flags,
            hides_sensitive_data=environment.hide_sensitive_data,
            allows_client_traits=environment.allow_client_traits,
            stores_traits=project.organisation.persist_trait_data,
            serves_flags=not project.organisation.stop_serving_flags,
            streams_changes=project.enable_realtime_updates,
        ),
        keys={
            environment.api_key: None,
            **{
                key_name(each.key): each.expires_at.timestamp() if each.expires_at else None
                for each in rows.server_side_keys
            },
        },
    )


def _text(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None
