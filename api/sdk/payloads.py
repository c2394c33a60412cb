"""What SDKs are answered: plain functions of a snapshot and of what was asked. They know no HTTP library.

Bodies are bytes of JSON, joined from pieces that were encoded when the environment was compiled.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple

from django.conf import settings
from django.utils.http import http_date, parse_etags, parse_http_date_safe

from core.version import VERSION
from documents.prerequisites import is_made_up
from engine.evaluation import Evaluation
from engine.flags import Flag
from environments.revisions import REVISION_HEADER
from sdk.contents import encode
from sdk.identities import KnownIdentity, KnownTrait
from sdk.inputs import GivenTraitOf
from sdk.kept_answers import Answer, kept_answers
from sdk.snapshots import Snapshot

UPDATED_AT_HEADER = "x-flagsmith-document-updated-at"
DEGRADED_HEADER = "X-Burgee-Degraded"
PERSISTED_HEADER = "X-Burgee-Persisted"
# How the ETag of a compressed body ends: it is another representation.
GZIP_ETAG_END = '-gzip"'
FEATURE_NOT_FOUND = "Given feature not found"
MISSING_IDENTIFIER = "Missing identifier"

# HTTP dates have whole seconds: within this time of a change another could come and look the same.
_SETTLED_AFTER = timedelta(seconds=2)


class SdkResponse(NamedTuple):
    """A status, a body of JSON (empty with 304) and headers.

    Attributes:
        compressed: returns the body in gzip where that is kept; otherwise it has to be made.
    """

    status: int
    body: bytes
    headers: Mapping[str, str] = MappingProxyType({})
    compressed: Callable[[], bytes] | None = None


def flags(snapshot: Snapshot, *, to_server: bool, if_none_match: str | None = None) -> SdkResponse:
    """Answer all flags of the environment: `[{"id": 311, "feature": {...}, "enabled": true, ...}, ...]`.

    Args:
        if_none_match: the header; where it names what would be answered, that is 304.
    """
    headers = _lasting(snapshot, to_server=to_server)
    if _is_known(headers, if_none_match):
        return SdkResponse(304, b"", headers)
    return _whole(snapshot, snapshot.flags_to_servers if to_server else snapshot.flags_to_clients, headers)


def flag(
    snapshot: Snapshot, feature_name: str, *, to_server: bool, if_none_match: str | None = None
) -> SdkResponse:
    """Answer one flag of the environment; its name may be in any letter case."""
    found = _find_flag(snapshot, feature_name, to_server=to_server)
    if found is None:
        return _one_item(snapshot, None)
    headers = _lasting(snapshot, to_server=to_server)
    if _is_known(headers, if_none_match):
        return SdkResponse(304, b"", headers)
    return SdkResponse(200, snapshot.environment_item(found), headers)


def identity(snapshot: Snapshot, known: KnownIdentity, *, to_server: bool) -> SdkResponse:
    """Answer an identity's flags and traits: `{"identifier": "kim", "traits": [...], "flags": [...]}`."""
    return SdkResponse(200, _identity_body(snapshot, known, to_server=to_server), _headers(snapshot))


def identities(snapshot: Snapshot, known: Iterable[KnownIdentity], *, to_server: bool) -> SdkResponse:
    """Answer several identities, in their order."""
    bodies = (_identity_body(snapshot, each, to_server=to_server) for each in known)
    return SdkResponse(200, b"[%b]" % b",".join(bodies), _headers(snapshot))


def identity_flag(
    snapshot: Snapshot, known: KnownIdentity, feature_name: str, *, to_server: bool
) -> SdkResponse:
    """Answer one flag of an identity; its name has to be exact."""
    found = _evaluate(snapshot, known).flags.get(feature_name)
    item = snapshot.identity_items.of(found, to_server=to_server) if found else b""
    return _one_item(snapshot, item or None)


def identity_flags(snapshot: Snapshot, known: KnownIdentity, *, to_server: bool) -> SdkResponse:
    """Answer an identity's flags without the identity, as old clients ask for them."""
    body = b"[%b]" % _flag_items(snapshot, known, to_server=to_server)
    return SdkResponse(200, body, _headers(snapshot))


def matching_segment_ids(snapshot: Snapshot, known: KnownIdentity) -> list[int]:
    """Return the ids of the segments that an identity is in."""
    matching = _evaluate(snapshot, known).segments
    return [(segment["metadata"] or {})["id"] for segment in matching if not is_made_up(segment)]


def identity_with_segments(
    snapshot: Snapshot, known: KnownIdentity, segments: list[dict[str, Any]], *, to_server: bool
) -> SdkResponse:
    """Answer an identity as old clients know it: `{"flags": [...], "traits": [...], "segments": [...]}`."""
    body = b'{"flags":[%b],"traits":[%b],"segments":%b}' % (
        _flag_items(snapshot, known, to_server=to_server),
        b"" if snapshot.settings.hides_sensitive_data else _trait_items(known),
        encode([{**each, "description": None} for each in segments])
        if snapshot.settings.hides_sensitive_data
        else encode(segments),
    )
    return SdkResponse(200, body, _headers(snapshot))


def variants(snapshot: Snapshot, feature_id: int, *, to_server: bool) -> SdkResponse:
    """Answer what values a feature may have: `{"control_value": "blue", "options": [{"value": "green"}]}`."""
    name = next((name for name, feature in snapshot.features.items() if feature.id == feature_id), "")
    found = _find_flag(snapshot, name, to_server=to_server)
    if found is None:
        return _one_item(snapshot, None)
    options = [{"value": variant["value"]} for variant in found.feature.get("variants") or ()]
    return SdkResponse(200, encode({"control_value": found.value, "options": options}), _headers(snapshot))


def document(
    snapshot: Snapshot, *, if_modified_since: str | None, now: datetime, if_none_match: str | None = None
) -> SdkResponse:
    """Answer the environment document, or 304 where it is the one that the client has.

    Args:
        if_modified_since: the header's HTTP date; one that can't be read counts as absent, as does any
            beside `if_none_match`.
    """
    changed_at = int(snapshot.updated_at.timestamp())
    headers = {**_validated(snapshot, to_server=True), "Last-Modified": http_date(changed_at)}
    whole = _whole(snapshot, snapshot.document_body, headers)
    if if_none_match is not None:
        is_known = _is_known(headers, if_none_match)
        return SdkResponse(304, b"", headers) if is_known else whole
    seen_at = parse_http_date_safe(if_modified_since) if if_modified_since else None
    # The client may have what came earlier in the same second.
    unmistakable = now - snapshot.updated_at >= _SETTLED_AFTER and snapshot.revision.is_alone_in_its_second
    if seen_at is not None and changed_at <= seen_at and unmistakable:
        return SdkResponse(304, b"", headers)
    return whole


def unsettled(is_persisted: bool, away_seconds: int | None) -> dict[str, str]:
    """Return the headers of an answer that the database had its part in, or should have had.

    Args:
        is_persisted: whether everything that should be stored is.
        away_seconds: for how long the database hasn't said what is stored; None: it has.
    """
    headers = {} if is_persisted else {PERSISTED_HEADER: "false"}
    if away_seconds is not None:
        headers[DEGRADED_HEADER] = str(away_seconds)
    return headers


def missing_identifier() -> SdkResponse:
    """Answer a GET that names nobody. Not an error: old clients rely on the status."""
    return SdkResponse(200, encode({"detail": MISSING_IDENTIFIER}))


def trait_set(given: GivenTraitOf) -> SdkResponse:
    """Answer whoever has set one trait: `{"identity": {"identifier": "kim"}, "trait_value": "pro", …}`."""
    return SdkResponse(200, encode(_set(given)))


def traits_set(given: Iterable[GivenTraitOf]) -> SdkResponse:
    """Answer whoever has set traits of any identities; those that were deleted are left out."""
    return SdkResponse(200, encode([_set(each) for each in given if each.value is not None]))


def _set(given: GivenTraitOf) -> dict[str, object]:
    return {
        "identity": {"identifier": given.identifier},
        "trait_value": given.value,
        "trait_key": given.key,
    }


def trait_item(key: str, trait: KnownTrait) -> dict[str, Any]:
    """Return a trait as it is answered."""
    return {"id": None, "trait_key": key, "trait_value": trait.value, "transient": trait.transient}


def _trait_items(known: KnownIdentity) -> bytes:
    """Return the members of the array of an identity's traits: `trait_item` of each, encoded."""
    return b",".join(
        [
            b'{"id":null,"trait_key":%b,"trait_value":%b,"transient":%b}'
            % (encode(key), encode(trait.value), b"true" if trait.transient else b"false")
            for key, trait in sorted(known.traits.items())
        ]
    )


def _identity_body(snapshot: Snapshot, known: KnownIdentity, *, to_server: bool) -> bytes:
    if snapshot.settings.hides_sensitive_data:
        return _joined_body(snapshot, known, b"", to_server=to_server)
    # With their types: all of an identity that evaluating reads.
    traits = _trait_items(known)
    return kept_answers.answer(
        ("identities", snapshot.number, to_server, known.identifier, traits),
        lambda: Answer(_joined_body(snapshot, known, traits, to_server=to_server)),
    ).body


def _joined_body(snapshot: Snapshot, known: KnownIdentity, traits: bytes, *, to_server: bool) -> bytes:
    # Joined, since what formatting makes of tens of kilobytes is copied as it grows.
    return b"".join(
        (
            b'{"identifier":',
            encode(known.identifier),
            b',"traits":[',
            traits,
            b'],"flags":[',
            _flag_items(snapshot, known, to_server=to_server),
            b"]}",
        )
    )


def _flag_items(snapshot: Snapshot, known: KnownIdentity, *, to_server: bool) -> bytes:
    """Return the members of the array of an identity's flags."""
    return snapshot.identity_items.joined(_evaluate(snapshot, known).flags.values(), to_server=to_server)


def _evaluate(snapshot: Snapshot, known: KnownIdentity) -> Evaluation:
    return snapshot.evaluate(known.identifier, {key: trait.value for key, trait in known.traits.items()})


def _find_flag(snapshot: Snapshot, feature_name: str, *, to_server: bool) -> Flag | None:
    """Return the environment's flag of a feature, unless it is hidden from this key."""
    name = snapshot.names_in_lower_case.get(feature_name.lower())
    found = snapshot.compiled.evaluate(None).flags[name] if name is not None else None
    return found if found and snapshot.shows(found, to_server=to_server) else None


def _one_item(snapshot: Snapshot, item: bytes | None) -> SdkResponse:
    if item is None:
        return SdkResponse(404, encode({"detail": FEATURE_NOT_FOUND}), _headers(snapshot))
    return SdkResponse(200, item, _headers(snapshot))


def _headers(snapshot: Snapshot) -> dict[str, str]:
    return {UPDATED_AT_HEADER: snapshot.updated_at_seconds, REVISION_HEADER: str(snapshot.name.number)}


def _validated(snapshot: Snapshot, *, to_server: bool) -> dict[str, str]:
    """Return the headers of what the revision, the kind of key and the URL determine to the byte."""
    headers, name = _headers(snapshot), snapshot.name
    if name.number:  # without a revision nothing says when it changes
        kind = "s" if to_server else "c"
        headers["ETag"] = f'"{name.environment_id}-{name.number}-{name.nonce.hex}-{kind}-{VERSION}"'
    return headers


def _lasting(snapshot: Snapshot, *, to_server: bool) -> dict[str, str]:
    """Return the headers of flags, which caches may keep for as long as the operator says."""
    headers = _validated(snapshot, to_server=to_server)
    if settings.FLAGS_MAX_AGE_SECONDS > 0:
        # What servers see may hold secrets; a cache that many use has no business with it.
        reach = "private" if to_server else "public"
        headers["Cache-Control"] = f"{reach}, max-age={settings.FLAGS_MAX_AGE_SECONDS}"
    return headers


def _whole(snapshot: Snapshot, body: bytes, headers: Mapping[str, str]) -> SdkResponse:
    return SdkResponse(200, body, headers, partial(snapshot.compressed, body))


def _is_known(headers: Mapping[str, str], if_none_match: str | None) -> bool:
    """Whether the client has what these headers belong to, in whichever encoding.

    Weak comparison, as a GET has it.
    """
    etag = headers.get("ETag")
    if etag is None or if_none_match is None:
        return False
    known = {etag, etag.removesuffix('"') + GZIP_ETAG_END, "*"}
    return if_none_match in known or any(
        each.removeprefix("W/") in known for each in parse_etags(if_none_match)
    )
