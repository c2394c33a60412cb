"""What is stored of identities, kept in the Django cache `identities` where that is switched on.

Identities have no revision, so what is kept may be old: by GET_IDENTITIES_ENDPOINT_CACHE_SECONDS where
another host has changed it. On the host that did, everyone sees it at once. It notes when it last wrote to
whom, and for so many seconds after that takes nothing from the cache and puts nothing there: an entry from
before has expired by then.
"""

import hashlib
import json
import time
from collections.abc import Mapping

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

    def find(self, identity: IdentityKey, client_key: str) -> StoredIdentity | None:
        """Return an identity, without its id, with the traits stored no longer ago than the seconds say.

        Args:
            client_key: of its environment.
        """
        if not self._may_use(identity):
            return None
        name = _name(identity, client_key)
        content = unsealed(name, self._place.read(name))
        return StoredIdentity(0, identity[1], from_column(json.loads(content))) if content else None

    def keep(
        self, identity: IdentityKey, client_key: str, traits: Mapping[str, TraitValue], *, read_at: float
    ) -> None:
        """Keep what was stored of an identity after `read_at`, by the monotonic clock."""
        if self._may_use(identity) and time.monotonic() - read_at < _PROMPT_SECONDS:
            name = _name(identity, client_key)
            self._place.write(name, sealed(name, json.dumps(to_column(traits)).encode()))

    def drop_at_commit(self, identities: Mapping[IdentityKey, str]) -> None:
        """Forget identities, by their environments' client keys, as far as the cache answers."""
        if self.is_on and identities:
            names = [_name(identity, client_key) for identity, client_key in identities.items()]
            transaction.on_commit(lambda: self._place.remove(*names))

    def _may_use(self, identity: IdentityKey) -> bool:
        seconds = settings.KEPT_SECONDS["identities"] + _MARGIN_SECONDS
        file = noted_writes.file
        return file is not None and file.seconds_since(identity) > seconds


def _name(identity: IdentityKey, client_key: str) -> str:
    """Return a name that means nobody else, and nothing that is kept for longer than the seconds say.

    The id alone may be another environment's: of a database that was restored, or shares the cache.
    """
    environment_id, identifier = identity
    whom = f"{client_key}/{identifier}"  # no key has a slash
    digest = hashlib.sha256(whom.encode(errors="surrogatepass")).hexdigest()
    return f"identity:{VERSION}:{settings.KEPT_SECONDS['identities']}:{environment_id}:{digest}"


kept_traits = KeptTraits()
