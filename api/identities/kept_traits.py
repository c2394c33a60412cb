"""What is stored of identities, kept in the Django cache `identities` where that is switched on.

Identities have no revision, so what is kept may be old: by GET_IDENTITIES_ENDPOINT_CACHE_SECONDS where
another host has changed it. On the host that did, everyone sees it at once. It notes when it last wrote to
whom, and for so many seconds after that takes nothing from the cache and puts nothing there: an entry from
before has expired by then.
"""

import hashlib
import json
import time
from collections.abc import Collection, Mapping

from django.conf import settings
from django.db import transaction

from core.cache_places import CachePlace
from core.kept_bytes import sealed, unsealed
from core.version import VERSION
from identities.batches import IdentityKey, StoredIdentity
from identities.traits import TraitValue, from_column, to_column
from identities.writes import noted_writes

# Memcached counts whole seconds, and an entry takes its time to get there.
_MARGIN_SECONDS = 2.0
# What was read longer ago isn't put there any more.
_PROMPT_SECONDS = 1.0


class KeptTraits:
    """The cache, where it is on."""

    def __init__(self) -> None:
        self._place = CachePlace("identities")

    @property
    def is_on(self) -> bool:
        # A table of the database would be asked to spare asking the database.
        return noted_writes.are_needed and self._place.is_on and not self._place.is_in_database

    @property
    def may_block(self) -> bool:
        """Whether another process has to be asked."""
        return self._place.is_shared

    def find(self, identity: IdentityKey) -> StoredIdentity | None:
        """Return an identity, without its id, with the traits stored no longer ago than the seconds say."""
        if not self._may_use(identity):
            return None
        name = _name(identity)
        content = unsealed(name, self._place.read(name))
        return StoredIdentity(0, identity[1], from_column(json.loads(content))) if content else None

    def keep(self, identity: IdentityKey, traits: Mapping[str, TraitValue], *, read_at: float) -> None:
        """Keep what was stored of an identity after `read_at`, by the monotonic clock."""
        if self._may_use(identity) and time.monotonic() - read_at < _PROMPT_SECONDS:
            name = _name(identity)
            self._place.write(name, sealed(name, json.dumps(to_column(traits)).encode()))

    def drop_at_commit(self, identities: Collection[IdentityKey]) -> None:
        """Forget identities, on all hosts that share the cache."""
        if self.is_on and identities:
            transaction.on_commit(lambda: self._place.remove(*map(_name, identities)))

    def _may_use(self, identity: IdentityKey) -> bool:
        seconds = settings.KEPT_SECONDS["identities"] + _MARGIN_SECONDS
        file = noted_writes.file
        return file is not None and file.seconds_since(identity) > seconds


def _name(identity: IdentityKey) -> str:
    environment_id, identifier = identity
    digest = hashlib.sha256(identifier.encode(errors="surrogatepass")).hexdigest()
    return f"identity:{VERSION}:{environment_id}:{digest}"


kept_traits = KeptTraits()
