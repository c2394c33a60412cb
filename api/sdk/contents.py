"""What a snapshot is compiled from, as plain values: so that one worker reads the rows, and all compile.

A content is the document and what SDKs are shown but the document doesn't say. It can be written as bytes
and read back by another worker, from another host, or after a start without database.
"""

import json
import struct
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from json.encoder import encode_basestring
from typing import Any, NamedTuple

from core.version import VERSION
from documents.builder import BuiltEnvironment, build, updated_at
from documents.rows import EnvironmentRows, Revision, RevisionName
from engine.documents import EnvironmentDocument
from sdk.feature_items import FeatureItem, feature_item
from sdk.keys import key_name
from sdk.overrides import EncodedOverrides, IdentityOverrides, OverridesIndex

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
# Of the part apart from the document, of the document, and of the overrides of identities.
_LENGTHS = struct.Struct("!QQQ")
_UNNAMED = uuid.UUID(int=0)
# How a document without overrides of identities ends: they are its last key.
_END = b"]}"


def encode(value: object) -> bytes:
    """Return a value's compact JSON."""
    # What the encoder does in the end. Calling it takes longer, and for numbers it is set up anew.
    if type(value) is str:
        return encode_basestring(value).encode()
    if type(value) is int:
        return b"%d" % value
    return _ENCODER.encode(value).encode()


class ServedSettings(NamedTuple):
    """What environment, project and organisation say about answers.

    Attributes:
        tells_of_identities: other services hear whose flags are read.
    """

    hides_disabled_flags: bool
    hides_sensitive_data: bool
    allows_client_traits: bool
    stores_traits: bool
    serves_flags: bool
    streams_changes: bool
    tells_of_identities: bool = False


@dataclass(frozen=True, slots=True)
class Content:
    """One environment at one revision.

    Attributes:
        revision: numbered 0 where no change of the environment has been committed yet.
        document: without overrides of identities.
        document_body: the document as SDKs with local evaluation are given it; with them, if they are.
        identity_overrides: of all identities that have any, whether or not the document carries them.
        state_ids: the ids of the other feature states, by the uuid that the document has.
        features: what answers show of each feature, in the order of ids; only those that have a state.
        server_only: the names of the features that client-side keys don't see.
        keys: what opens the environment, by `key_name`, and the Unix seconds until which it does.
        version: of the server that made this.
    """

    revision: Revision
    project_id: int
    document: EnvironmentDocument
    document_body: bytes
    identity_overrides: IdentityOverrides
    state_ids: Mapping[str, int]
    features: Sequence[FeatureItem]
    server_only: frozenset[str]
    settings: ServedSettings
    keys: Mapping[str, float | None]
    version: str = VERSION

    def to_bytes(self) -> bytes:
        carries_overrides = self.document["use_identity_overrides_in_local_eval"]
        rest = encode(
            {
                "updated_at": self.revision.updated_at.isoformat(),
                "previous_updated_at": _text(self.revision.previous_updated_at),
                "project_id": self.project_id,
                "overrides": self.identity_overrides.index,
                "state_ids": self.state_ids,
                "features": self.features,
                "server_only": sorted(self.server_only),
                "settings": self.settings,
                "keys": self.keys,
                "version": self.version,
            }
        )
        apart = b"" if carries_overrides else self.identity_overrides.text
        lengths = _LENGTHS.pack(len(rest), len(self.document_body), self.identity_overrides.size_bytes)
        return b"".join((lengths, rest, self.document_body, apart))

    @classmethod
    def from_bytes(cls, name: RevisionName, content: bytes) -> "Content":
        """Raises ValueError or KeyError: the bytes are not a content."""
        in_rest, in_document, in_overrides = _LENGTHS.unpack_from(content)
        document_starts = _LENGTHS.size + in_rest
        document_ends = document_starts + in_document
        rest: dict[str, Any] = json.loads(content[_LENGTHS.size : document_starts])
        document_body = content[document_starts:document_ends]
        index = OverridesIndex(*rest["overrides"])
        if len(content) > document_ends or not in_overrides:
            document: EnvironmentDocument = json.loads(document_body)
            overrides = IdentityOverrides(index, content[document_ends:])
        else:
            overrides_start = in_document - len(_END) - in_overrides
            document = json.loads(document_body[:overrides_start] + _END)
            overrides = IdentityOverrides(index, document_body, overrides_start)
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
            identity_overrides=overrides,
            state_ids=rest["state_ids"],
            features=rest["features"],
            server_only=frozenset(rest["server_only"]),
            settings=ServedSettings(*rest["settings"]),
            keys=rest["keys"],
            version=rest["version"],
        )


def keys_in(content: bytes) -> list[str]:
    """Return the names of the keys in what `to_bytes` has written; none if it is of another format."""
    try:
        in_rest, _, _ = _LENGTHS.unpack_from(content)
        return list(json.loads(content[_LENGTHS.size : _LENGTHS.size + in_rest])["keys"])
    except (ValueError, KeyError, TypeError, struct.error):
        return []


def content_of(rows: EnvironmentRows, known: IdentityOverrides | None = None) -> Content:
    """Return what `rows` hold. Pure: no queries.

    Args:
        known: has the overrides of identities that were not read, because they were known.
    """
    environment, project = rows.environment, rows.environment["project"]
    built = build(rows)
    state_ids = dict(built.state_ids)
    overrides = IdentityOverrides.of(_overrides(rows, built, state_ids, known))
    document = built.document
    document["identity_overrides"] = []
    document_body = encode(document)
    if environment["use_identity_overrides_in_local_eval"]:
        before = document_body.removesuffix(_END)
        document_body = b"".join((before, overrides.text, _END))
        overrides = overrides.inside(document_body, len(before))
    served = {state["feature"]["name"] for state in built.document["feature_states"]}
    features = [feature for feature in rows.features if feature["name"] in served]
    unnamed = Revision(RevisionName(environment["id"], 0, _UNNAMED), updated_at(rows), None)
    return Content(
        revision=rows.revision or unnamed,
        project_id=project["id"],
        document=document,
        document_body=document_body,
        identity_overrides=overrides,
        state_ids=state_ids,
        features=[
            feature_item(feature, hides_sensitive_data=environment["hide_sensitive_data"])
            for feature in features
        ],
        server_only=frozenset(feature["name"] for feature in features if feature["is_server_key_only"]),
        settings=ServedSettings(
            hides_disabled_flags=(
                project["hide_disabled_flags"]
                if environment["hide_disabled_flags"] is None
                else environment["hide_disabled_flags"]
            ),
            hides_sensitive_data=environment["hide_sensitive_data"],
            allows_client_traits=environment["allow_client_traits"],
            stores_traits=project["organisation"]["persist_trait_data"],
            serves_flags=not project["organisation"]["stop_serving_flags"],
            streams_changes=project["enable_realtime_updates"],
            tells_of_identities=environment["tells_of_identities"],
        ),
        keys={
            environment["api_key"]: None,
            **{
                key_name(each["key"]): datetime.fromisoformat(each["expires_at"]).timestamp()
                if each["expires_at"]
                else None
                for each in rows.server_side_keys
            },
        },
    )


def _overrides(
    rows: EnvironmentRows, built: BuiltEnvironment, state_ids: dict[str, int], known: IdentityOverrides | None
) -> Iterator[EncodedOverrides]:
    """Give each identity's overrides, and take the ids of their states out of `state_ids`."""
    encoded = known.encoded() if known else {}
    for identity_id, fingerprint in rows.fingerprints.items():
        document = built.identity_overrides.get(identity_id)
        if document is None:
            yield encoded[identity_id]
        else:
            own_ids = [state_ids.pop(state["featurestate_uuid"]) for state in document["identity_features"]]
            yield EncodedOverrides(
                identity_id, document["identifier"], list(fingerprint), own_ids, encode(document)
            )


def _text(instant: datetime | None) -> str | None:
    return instant.isoformat() if instant else None
