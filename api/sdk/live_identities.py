"""What the workers of a server know of identities: asked in batches, on the event loop.

All that a worker has to store, and all it has to look up, goes through one connection each, many requests
in one statement (`sdk.batching`). While the database is away identities are evaluated with the traits of
the request and with what this worker still has to store of them, and what it has to store waits.

What holds for what has waited: within a worker, changes of one identity are made in the order in which they
came, each at least once, which is as good as once. Workers don't know of each other: a change that waited in
one is made when the database is back there, also where somebody has changed the same trait through another
worker in between. Traits carry no time by which the database could tell. Only answers that say
`X-Burgee-Persisted: false` are followed by that.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar

import psycopg2
from django.conf import settings
from rest_framework.exceptions import ValidationError

from core.reconnecting import Reconnecting
from identities.batches import (
    IdentityKey,
    StoredIdentity,
    TraitChanges,
    add_trait_keys,
    changed_identities,
    identities_of,
    look_up,
    remember_trait_keys,
    trait_keys_of,
    unseen_trait_keys,
    upsert,
)
from identities.kept_traits import kept_traits
from identities.writes import noted_writes
from sdk.batching import Batches, NotPossible, Unanswered
from sdk.identities import (
    UNSTORABLE,
    EnvironmentGone,
    Knowledge,
    KnownIdentity,
    TraitPolicy,
    accepted,
    anonymous,
    changes_of,
    is_worth_keeping,
    know_directly,
    known,
    store_directly,
    stored_traits,
)
from sdk.inputs import GivenIdentity

T = TypeVar("T")

_STOP_SECONDS = 5.0
_CACHE_THREADS = 4
# A cache that is slow, and no failure, would make a queue: who comes then is quicker with the database.
_MOST_ASKING, _CACHE_SECONDS = 32, 0.1
# A loop that hasn't answered a thread by then has ended.
_LOOP_SECONDS = 10.0
# Of a Python object, a dictionary's entry and a text, beside what is in them.
_ENTRY_BYTES, _TRAIT_BYTES = 600, 150


class LiveIdentities:
    """The identities of one worker, from `start` to `stop`."""

    def __init__(self) -> None:
        self._stores = Reconnecting("burgee identities, stored")
        self._reads = Reconnecting("burgee identities, read")
        self._to_store: Batches[IdentityKey, TraitChanges, StoredIdentity] = Batches(
            self._store,
            merge=TraitChanges.then,
            size_bytes=_size_bytes,
            most_bytes=settings.TRAIT_BUFFER_BYTES,
        )
        self._to_read: Batches[IdentityKey, None, StoredIdentity] = Batches(
            self._read, merge=lambda earlier, later: None
        )
        # Where traits are kept in a cache: the threads that ask it, and what they are asked.
        self._kept: ThreadPoolExecutor | None = None
        self._asking: set[asyncio.Future[Any]] = set()

    def start(self) -> None:
        """Start taking requests. After forking."""
        self.loop = asyncio.get_running_loop()
        self._to_store.start()
        self._to_read.start()
        if kept_traits.is_on:
            self._kept = ThreadPoolExecutor(_CACHE_THREADS, thread_name_prefix="kept traits")

    async def stop(self) -> None:
        """Store what is still waiting, as far as that is possible."""
        await asyncio.gather(self._to_store.stop(_STOP_SECONDS), self._to_read.stop(0))
        self._stores.close()
        self._reads.close()
        if self._kept is not None:
            await asyncio.gather(*self._asking, return_exceptions=True)
            self._kept.shutdown()
            self._kept = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Take requests inside the block, those of Django's threads as well."""
        global _live
        self.start()
        _live = self
        try:
            yield
        finally:
            _live = None
            await self.stop()

    async def know(
        self,
        environment_id: int,
        given: Sequence[GivenIdentity],
        policy: TraitPolicy,
        *,
        kept_as: str | None = None,
    ) -> Knowledge:
        """Store what is to be stored, and return the identities with all their traits.

        Never waits for a database that is away.

        Args:
            kept_as: the environment's client key, where one identity may be as a cache has it, if that is on.

        Raises:
            EnvironmentGone: answer that the key is unknown.
            ValidationError: the database can't hold what is to be stored.
        """
        if kept_as is not None and self._kept is not None:
            return await self._know_as_kept(environment_id, kept_as, given[0], policy)
        asked = [accepted(each, policy) for each in given]
        answers = [self._ask(environment_id, each, policy) for each in asked]
        if len(answers) > 1:  # so that none is left alone when another one fails
            await asyncio.gather(*filter(None, answers), return_exceptions=True)
        known_ones: list[KnownIdentity] = []
        is_persisted, away_seconds = True, None
        for each, answer in zip(asked, answers, strict=True):
            if answer is None:
                known_ones.append(anonymous(each))
                continue
            key = environment_id, each.identifier
            stored: StoredIdentity | None
            try:
                stored = await answer
            except Unanswered:
                stored = None
                is_persisted &= each.transient
                away_seconds = self._away_seconds()
            except NotPossible as error:
                raise _refusal(error) from error
            if (each.transient or away_seconds is not None) and (
                unsettled := self._to_store.unsettled(key)
            ) is not None:
                stored = _changed(stored, unsettled)
            known_ones.append(known(each, stored))
        return Knowledge(known_ones, is_persisted, away_seconds)

    async def _know_as_kept(
        self, environment_id: int, client_key: str, given: GivenIdentity, policy: TraitPolicy
    ) -> Knowledge:
        """Do so for one identity that says nothing of itself, as a cache has it if it has it."""
        key = environment_id, given.identifier
        if self._to_store.unsettled(key) is None:
            finding = self._asking_the_cache(kept_traits.find, key, client_key)
            if finding is not None and not finding.done():
                await asyncio.wait({finding}, timeout=_CACHE_SECONDS)
            if finding is not None and finding.done() and (stored := finding.result()) is not None:
                return Knowledge([known(given, stored)])
        read_at = time.monotonic()
        knowledge = await self.know(environment_id, [given], policy)
        if is_worth_keeping(given, knowledge):
            traits = stored_traits(knowledge.known[0])
            # Nobody waits for it.
            self._asking_the_cache(kept_traits.keep, key, client_key, traits, read_at=read_at)
        return knowledge

    def _asking_the_cache(
        self, ask: Callable[..., T], *arguments: Any, **named: Any
    ) -> "asyncio.Future[T] | None":
        """Have a thread ask it; None where so much is asked already that the database is quicker."""
        if not kept_traits.may_block:
            answer: asyncio.Future[T] = self.loop.create_future()
            answer.set_result(ask(*arguments, **named))
            return answer
        if len(self._asking) >= _MOST_ASKING:
            return None
        asking = self.loop.run_in_executor(self._kept, partial(ask, *arguments, **named))
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)
        return asking

    async def store(self, batch: Sequence[TraitChanges]) -> bool:
        """Store changes, and return whether they are durable already.

        Raises:
            EnvironmentGone: answer that the key is unknown.
            ValidationError: the database can't hold what is to be stored.
        """
        answers = [self._to_store.ask((each.environment_id, each.identifier), each) for each in batch]
        outcomes = await asyncio.gather(*answers, return_exceptions=True)
        for outcome in outcomes:
            if isinstance(outcome, NotPossible):
                raise _refusal(outcome) from outcome
        return not any(isinstance(outcome, Unanswered) for outcome in outcomes)

    def state(self) -> dict[str, float]:
        """Return what metrics and readiness show."""
        return {
            f"identities_{name}_{what}": value
            for name, batches, connection in (
                ("stored", self._to_store, self._stores),
                ("read", self._to_read, self._reads),
            )
            for what, value in {**batches.state(), "connections_lost": connection.lost_count}.items()
        }

    def _ask(
        self, environment_id: int, given: GivenIdentity, policy: TraitPolicy
    ) -> "asyncio.Future[StoredIdentity | None] | None":
        if not given.identifier:
            return None
        key = environment_id, given.identifier
        if given.transient:
            return self._to_read.ask(key, None)
        return self._to_store.ask(key, changes_of(environment_id, given, policy))

    def _away_seconds(self) -> int:
        since = [each.away_since for each in (self._to_store, self._to_read) if each.away_since is not None]
        return int(self.loop.time() - min(since)) if since else 0

    async def _store(self, batch: Mapping[IdentityKey, TraitChanges]) -> Mapping[IdentityKey, StoredIdentity]:
        changes = list(batch.values())
        unseen = unseen_trait_keys(trait_keys_of(changes))
        if unseen:
            await self._stores.execute(*add_trait_keys(unseen))
            remember_trait_keys(unseen)
        stored = identities_of(await self._stores.execute(*upsert(changes, seen=True)))
        noted_writes.note(changed_identities(changes))
        return stored

    async def _read(self, batch: Mapping[IdentityKey, None]) -> Mapping[IdentityKey, StoredIdentity]:
        return identities_of(await self._reads.execute(*look_up(batch)))


# What runs in this process, if anything does.
_live: LiveIdentities | None = None


def know(
    environment_id: int, given: Sequence[GivenIdentity], policy: TraitPolicy, *, kept_as: str | None = None
) -> Knowledge:
    """Do as `LiveIdentities.know` does, from a thread; without one running, by queries of its own."""
    if _live is None:
        return know_directly(environment_id, given, policy, kept_as=kept_as)
    knowing = _live.know(environment_id, given, policy, kept_as=kept_as)
    return asyncio.run_coroutine_threadsafe(knowing, _live.loop).result(_LOOP_SECONDS)


def store(batch: Sequence[TraitChanges]) -> bool:
    """Do as `LiveIdentities.store` does, from a thread; without one running, by queries of its own."""
    if _live is None:
        store_directly(batch)
        return True
    return asyncio.run_coroutine_threadsafe(_live.store(batch), _live.loop).result(_LOOP_SECONDS)


def _changed(stored: StoredIdentity | None, changes: TraitChanges) -> StoredIdentity:
    """Lay what is still to be stored of an identity over what is stored."""
    traits = {**(stored.traits if stored else {}), **changes.values}
    for key in changes.removed:
        traits.pop(key, None)
    return StoredIdentity(stored.id if stored else 0, changes.identifier, traits)


def _refusal(error: NotPossible) -> Exception:
    if isinstance(error.__cause__, psycopg2.IntegrityError):
        return EnvironmentGone()
    return ValidationError({"detail": UNSTORABLE})


def _size_bytes(changes: TraitChanges) -> int:
    texts = sum(len(value) for value in changes.values.values() if isinstance(value, str))
    keys = [*changes.values, *changes.removed]
    return _ENTRY_BYTES + len(changes.identifier) + texts + sum(map(len, keys)) + _TRAIT_BYTES * len(keys)
