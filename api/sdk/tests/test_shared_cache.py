"""The shared cache: large contents in pieces, nothing taken on faith, nobody waits for a dead one.

Against every back end: test_cache_back_ends.
"""

import os
import uuid
from typing import Any

import pytest
from django.core.cache import caches
from django.core.cache.backends.filebased import FileBasedCache

from core.caches import RawBytes, bytes_cache
from documents.rows import RevisionName, read_rows
from environments.models import Environment
from sdk.contents import content_of
from sdk.keys import key_name
from sdk.packing import pack
from sdk.shared_cache import SharedCache
from sdk.tasks import forget_deleted_environments

NAME = RevisionName(12, 345, uuid.UUID("8f9b4d5e-0d3c-4a0e-9f57-5d6b9c1f0b11"))
# Doesn't become smaller by compressing.
LARGE = os.urandom(5_000_000)


class OneMegabyteCache(FileBasedCache):
    """Keeps at most what Memcached does, and bytes only."""

    def set(self, key: Any, value: Any, *arguments: Any, **options: Any) -> None:
        if len(RawBytes().dumps(value)) > 1024 * 1024 - 200:
            return  # as Memcached, without a word
        super().set(key, value, *arguments, **options)


class DeadCache(FileBasedCache):
    asked = 0

    def get(self, *arguments: Any, **options: Any) -> Any:
        type(self).asked += 1
        raise ConnectionError


@pytest.fixture
def use_cache(settings, tmp_path):
    def use(backend: str, location: str = str(tmp_path), seconds: int = 60) -> SharedCache:
        settings.CACHES = {**settings.CACHES, "environments": bytes_cache(backend, location, seconds)}
        return SharedCache()

    return use


def path_of(cache: type) -> str:
    return f"{cache.__module__}.{cache.__name__}"


@pytest.mark.parametrize("content", [b"{}", LARGE], ids=["small", "5 MB"])
def test_others_read_what_was_written(use_cache, content):
    use_cache(path_of(OneMegabyteCache)).write(NAME, pack(NAME, content), keys=["a-key"])

    other = SharedCache()
    assert other.read(NAME) == content
    assert other.latest(12) == (NAME, content)
    assert other.environment_of("a-key") == 12


def test_what_nobody_has_written_is_not_there(use_cache):
    cache = use_cache(path_of(OneMegabyteCache))

    assert cache.read(NAME) is None
    assert cache.latest(12) is None
    assert cache.environment_of("a-key") is None


def test_a_content_that_lost_a_piece_is_as_good_as_none(use_cache):
    cache = use_cache(path_of(OneMegabyteCache))
    cache.write(NAME, pack(NAME, LARGE), keys=[])

    caches["environments"].delete(f"BRG2:content:{NAME}:3")

    assert cache.read(NAME) is None


@pytest.mark.parametrize("foreign", [b"", b"\0\1garbage", "text", 7, {"a": 1}])
def test_what_others_put_in_its_place_is_as_good_as_none(use_cache, foreign):
    cache = use_cache(path_of(FileBasedCache))
    caches["environments"].set(f"BRG2:content:{NAME}", foreign)
    caches["environments"].set("BRG2:latest:12", foreign)
    caches["environments"].set("BRG2:key:x", foreign)

    assert cache.read(NAME) is None
    assert cache.latest(12) is None


def test_a_content_under_another_name_is_not_taken(use_cache):
    cache = use_cache(path_of(FileBasedCache))
    other = NAME._replace(number=346)
    caches["environments"].set(f"BRG2:content:{other}", b"\0\1" + pack(NAME, b"{}"))

    assert cache.read(other) is None


@pytest.mark.django_db
def test_a_deleted_environment_goes_although_no_worker_holds_it_and_its_keys_too(
    use_cache, project, environment
):
    cache = use_cache(path_of(FileBasedCache))
    environments = [
        environment,
        *(Environment.objects.create(project=project, name=name) for name in ("one", "two")),
    ]
    server_key = environments[0].server_side_keys.create(name="server").key
    contents = [content_of(read_rows(each.pk)) for each in environments]
    names = [NAME._replace(environment_id=each.pk) for each in environments]
    for name, content in zip(names, contents, strict=True):
        cache.write(name, pack(name, content.to_bytes()), keys=content.keys)
    environments[0].delete()
    environments[1].delete()
    Environment.all_objects.filter(pk=environments[1].pk).update(deleted_at="2020-01-01T00:00Z")

    forget_deleted_environments()

    assert [cache.read(name) is None for name in names] == [True, False, False]
    assert cache.latest(names[0].environment_id) is None
    opened = [cache.environment_of(key_name(key)) for key in (environments[0].api_key, server_key)]
    assert opened == [None, None]
    assert cache.environment_of(environments[2].api_key) == environments[2].pk


def test_only_one_may_build(use_cache):
    cache = use_cache(path_of(FileBasedCache))

    assert [cache.claim(NAME), SharedCache().claim(NAME)] == [True, False]
    assert cache.claim(NAME._replace(number=346))


def test_a_dead_cache_is_asked_once_and_then_left_alone(use_cache):
    cache = use_cache(path_of(DeadCache))

    for _ in range(5):
        assert cache.read(NAME) is None
        assert cache.claim(NAME)

    assert DeadCache.asked == 1


@pytest.mark.parametrize(
    ("backend", "seconds"),
    [
        ("django.core.cache.backends.locmem.LocMemCache", 60),
        ("django.core.cache.backends.dummy.DummyCache", 60),
        (path_of(FileBasedCache), 0),
    ],
)
def test_a_cache_that_shares_nothing_is_not_used(use_cache, backend, seconds):
    cache = use_cache(backend, seconds=seconds)

    cache.write(NAME, pack(NAME, b"{}"), keys=[])

    assert not cache.is_shared
    assert cache.read(NAME) is None
