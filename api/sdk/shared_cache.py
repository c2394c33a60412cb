"""Contents in the Django caches `environments` and `environment-documents`, for the workers of other hosts.

Every entry is named by its revision, so how long it is kept never decides how old an answer is. A cache is
not trusted: contents are packed, hints are only hints. A cache that belongs to one process shares nothing,
and is not used. Where both caches are, each holds what the other does, and the first that has it is asked.

    content:<name>        a content, in as many pieces as it takes
    latest:<environment>  the name of a recent content, to start from when the database is away
    key:<digest>          the environment that a key opened, for the same
    building:<name>       somebody builds it
"""

import hashlib
from collections.abc import Iterable

from core.cache_places import CachePlace
from documents.rows import RevisionName
from sdk.contents import keys_in
from sdk.packing import FORMAT, unpack

CACHE_ALIASES = ("environments", "environment-documents")

_CLAIM_SECONDS = 2
_PREFIX = FORMAT.decode()


class SharedCache:
    """The caches, as far as they can be reached. Every method gives up quietly."""

    def __init__(self, aliases: Iterable[str] = CACHE_ALIASES) -> None:
        self._places = [CachePlace(alias) for alias in aliases]

    @property
    def is_shared(self) -> bool:
        """Whether others can find here what this process puts."""
        return bool(self._used)

    @property
    def is_left_alone(self) -> bool:
        """Whether one of them has failed a moment ago."""
        return any(place.is_left_alone for place in self._used)

    @property
    def failures(self) -> int:
        """How often one has failed, since the start."""
        return sum(place.failures for place in self._places)

    def read(self, name: RevisionName) -> bytes | None:
        """Return a content, if it is there and whole."""
        for place in self._used:
            found = unpack(place.read(_content(name)))
            if found and found[0] == name:
                return found[1]
        return None

    def write(self, name: RevisionName, packed: bytes, *, keys: Iterable[str]) -> None:
        """Keep a content. `keys` are the names of those that open it."""
        hints = {
            _latest(name.environment_id): str(name).encode(),
            **{_key(key): b"%d" % name.environment_id for key in keys},
        }
        for place in self._used:
            before = self._latest_name(place, name.environment_id) if place.keeps_for_ever else None
            place.write(_content(name), packed, beside=hints)
            if before is not None and before.number < name.number:
                place.remove(_content(before))  # nobody asks for it any more, and nothing else would

    def claim(self, name: RevisionName) -> bool:
        """Take the right to build a content. False where somebody has taken it within two seconds.

        It saves work, no more: where a cache gives it to two, as one of files may, both build the same.
        """
        for place in self._used:
            is_ours = place.add(f"{_PREFIX}:building:{name}", b"1", _CLAIM_SECONDS)
            if is_ours is not None:
                return is_ours
        return True

    def latest(self, environment_id: int) -> tuple[RevisionName, bytes] | None:
        """Return a content of the environment that was current not long ago, if there is one.

        For when the database is away: a cache that is kept in it isn't asked.
        """
        for place in self._used:
            name = None if place.is_in_database else self._latest_name(place, environment_id)
            found = unpack(place.read(_content(name))) if name else None
            if found and found[0] == name:
                return found
        return None

    def environment_of(self, key: str) -> int | None:
        """Return the environment that a key, by its name, opened not long ago. For the same."""
        for place in self._used:
            text = "" if place.is_in_database else place.text(_key(key))
            if text.isascii() and text.isdigit():
                return int(text)
        return None

    def forget(self, environment_id: int) -> None:
        """Drop the newest content of an environment that is deleted, and what says who opens it."""
        for place in self._used:
            name = self._latest_name(place, environment_id)
            if name is not None:
                found = unpack(place.read(_content(name)))
                keys = keys_in(found[1]) if found and found[0] == name else []
                place.remove(_content(name), _latest(environment_id), *map(_key, keys))

    @property
    def _used(self) -> list[CachePlace]:
        return [place for place in self._places if place.is_shared]

    def _latest_name(self, place: CachePlace, environment_id: int) -> RevisionName | None:
        try:
            name = RevisionName.parse(place.text(_latest(environment_id)))
        except ValueError:
            return None
        return name if name.environment_id == environment_id else None


def _content(name: RevisionName) -> str:
    return f"{_PREFIX}:content:{name}"


def _latest(environment_id: int) -> str:
    return f"{_PREFIX}:latest:{environment_id}"


def _key(key: str) -> str:
    return f"{_PREFIX}:key:{hashlib.sha256(key.encode(errors='surrogatepass')).hexdigest()}"
