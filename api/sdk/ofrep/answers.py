"""What OFREP providers are answered: functions of a snapshot and of whom it is evaluated for.

The `ETag` is a hash of the body: what is answered depends on the context, on stored traits and on the kind of
key, and not on the environment's revision alone.
"""

import hashlib
from collections.abc import Iterable
from urllib.parse import quote

from engine.flags import Flag
from environments.revisions import REVISION_HEADER
from identities.traits import TraitValue
from sdk.contents import encode
from sdk.identities import KnownIdentity
from sdk.kept_answers import Answer, kept_answers
from sdk.keys import is_server_side
from sdk.ofrep.errors import ErrorCode
from sdk.ofrep.items import CIRCULAR, is_circular
from sdk.ofrep.refusals import refused
from sdk.payloads import GZIP_ETAG_END, UPDATED_AT_HEADER, SdkResponse
from sdk.snapshots import Snapshot

NOT_FOUND = "There is no such flag."
# For how long a browser's tab may be in the background before its stream is closed.
INACTIVITY_SECONDS = 120


def flags(
    snapshot: Snapshot, known: KnownIdentity | None, *, to_server: bool, if_none_match: str | None
) -> SdkResponse:
    """Answer all flags: `{"flags": [...], "metadata": {"version": "1769940000.123456"}}`.

    Args:
        known: whom they are evaluated for; None for the environment's own.
        if_none_match: the header; where it names what would be answered, that is 304.
    """
    if known is None:
        return _validated(snapshot, _flags(snapshot, None, to_server=to_server), if_none_match)
    answer = kept_answers.answer(
        ("ofrep", snapshot.number, to_server, known.identifier, encode(_values(known))),
        lambda: _flags(snapshot, known, to_server=to_server),
    )
    return _validated(snapshot, answer, if_none_match)


def flag(
    snapshot: Snapshot,
    known: KnownIdentity | None,
    key: str,
    *,
    to_server: bool,
    if_none_match: str | None,
) -> SdkResponse:
    """Answer one flag; its name has to be exact, but for the slash that some put behind a path."""
    found = _evaluate_one(snapshot, known, key) or _evaluate_one(snapshot, known, key.removesuffix("/"))
    item = snapshot.ofrep_items.of(found, to_server=to_server) if found else b""
    if found is None or not item:
        return refused(404, ErrorCode.FLAG_NOT_FOUND, NOT_FOUND, key, _headers(snapshot))
    if is_circular(found):
        return refused(400, ErrorCode.GENERAL, CIRCULAR, key, _headers(snapshot))
    return _validated(snapshot, _tagged(item), if_none_match)


def _flags(snapshot: Snapshot, known: KnownIdentity | None, *, to_server: bool) -> Answer:
    items = snapshot.ofrep_items.joined(_evaluate(snapshot, known), to_server=to_server)
    return _tagged(b"".join((b'{"flags":[', items, b"],", _about(snapshot))))


def _tagged(body: bytes) -> Answer:
    return Answer(body, hashlib.sha256(body).hexdigest()[:32])


def _evaluate(snapshot: Snapshot, known: KnownIdentity | None) -> Iterable[Flag]:
    if known is None:
        return snapshot.compiled.evaluate(None).flags.values()
    return snapshot.evaluate(known.identifier, _values(known)).flags.values()


def _evaluate_one(snapshot: Snapshot, known: KnownIdentity | None, name: str) -> Flag | None:
    if known is None:
        return snapshot.compiled.evaluate(None).flags.get(name)
    return snapshot.evaluate_feature(name, known.identifier, _values(known))


def _values(known: KnownIdentity) -> dict[str, TraitValue]:
    return {key: trait.value for key, trait in known.traits.items()}


def _about(snapshot: Snapshot) -> bytes:
    """Return what stands behind the flags, the same for everyone."""
    about: bytes | None = snapshot.prepared.get(_described)
    if about is None:
        about = snapshot.prepared[_described] = _described(snapshot)
    return about


def _described(snapshot: Snapshot) -> bytes:
    """Return the version, and where changes are told of."""
    about: dict[str, object] = {"metadata": {"version": snapshot.updated_at_seconds}}
    if snapshot.settings.streams_changes:
        # Without an origin: providers put the URL before it at which they reach this server.
        endpoint = {"requestUri": f"/ofrep/v1/events/{quote(_client_key(snapshot), safe='')}"}
        about["eventStreams"] = [
            {"type": "sse", "endpoint": endpoint, "inactivityDelaySec": INACTIVITY_SECONDS}
        ]
    return encode(about)[1:]


def _client_key(snapshot: Snapshot) -> str:
    """Return the key that anyone may see, whichever the request had: streams need no other."""
    return next(name for name in snapshot.keys if not is_server_side(name))


def _headers(snapshot: Snapshot) -> dict[str, str]:
    return {UPDATED_AT_HEADER: snapshot.updated_at_seconds, REVISION_HEADER: str(snapshot.name.number)}


def _validated(snapshot: Snapshot, answer: Answer, if_none_match: str | None) -> SdkResponse:
    headers = {**_headers(snapshot), "ETag": f'"{answer.tag}"'}
    if if_none_match is not None and _names(if_none_match, answer.tag):
        return SdkResponse(304, b"", headers)
    return SdkResponse(200, answer.body, headers)


def _names(if_none_match: str, tag: str) -> bool:
    """Whether the header has this tag: weak or strong, and without quotes too, as some providers send it."""
    known = {"*", tag, f"{tag}{GZIP_ETAG_END}".strip('"')}
    return any(each.strip().removeprefix("W/").strip('"') in known for each in if_none_match.split(","))
