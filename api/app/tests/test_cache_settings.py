"""Which cache each variable chooses: its back end, its location, and for how long it keeps what."""

import importlib
import sys
from collections.abc import Callable
from types import ModuleType

import pytest
from django.test import Client

from core.caches import DATABASE, DUMMY, LOCAL_MEMORY, MEMCACHED, REDIS
from core.checks import check_caches_do_what_was_asked_for

Load = Callable[..., ModuleType]
BYTES_IN_DATABASE = "core.database_cache.BytesInDatabase"


@pytest.fixture
def load(monkeypatch) -> Load:
    """Return the settings of caches with just these variables set: `load(CACHE_FLAGS_SECONDS="60")`."""

    def settings_with(**variables: str) -> ModuleType:
        for name in ("app.settings.common.caches", "app.settings.environment"):
            monkeypatch.delitem(sys.modules, name, raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        return importlib.import_module("app.settings.common.caches")

    return settings_with


def chosen(loaded: ModuleType) -> dict[str, tuple[str, str | None, int | None]]:
    return {
        alias: (cache["BACKEND"], cache.get("LOCATION"), cache.get("TIMEOUT"))
        for alias, cache in loaded.CACHES.items()
    }


def test_without_variables_only_what_costs_nothing_is_on(load):
    off = (DUMMY, None, None)

    assert chosen(load()) == {
        "default": (LOCAL_MEMORY, None, 60),
        "environments": (LOCAL_MEMORY, "environment-objects", 86_400),
        "environment-documents": off,
        "environment-flags": off,
        "flags": off,
        "identities": off,
        "project-segments": off,
        "segments": off,
    }


def test_each_variable_chooses_a_back_end_a_location_or_the_seconds(load):
    loaded = load(
        ENVIRONMENT_CACHE_BACKEND=MEMCACHED,
        ENVIRONMENT_CACHE_LOCATION="a:11211,b:11211",
        ENVIRONMENT_CACHE_SECONDS="1",
        CACHE_ENVIRONMENT_DOCUMENT_SECONDS="2",
        CACHE_ENVIRONMENT_DOCUMENT_OPTIONS="MAX_ENTRIES=7",
        CACHE_FLAGS_SECONDS="3",
        GET_FLAGS_ENDPOINT_CACHE_SECONDS="4",
        GET_FLAGS_ENDPOINT_CACHE_BACKEND=REDIS,
        GET_FLAGS_ENDPOINT_CACHE_LOCATION="redis://flags:6379/1",
        GET_IDENTITIES_ENDPOINT_CACHE_SECONDS="5",
        GET_IDENTITIES_ENDPOINT_CACHE_BACKEND=LOCAL_MEMORY,
        CACHE_PROJECT_SEGMENTS_SECONDS="6",
        CACHE_ENVIRONMENT_SEGMENTS_SECONDS="7",
        CACHE_ENVIRONMENT_SEGMENTS_BACKEND=DATABASE,
        ENVIRONMENT_SEGMENTS_CACHE_LOCATION="kept-segments",
        CACHE_BAD_ENVIRONMENTS_SECONDS="8",
        CACHE_BAD_ENVIRONMENTS_AFTER_FAILURES="9",
        USER_THROTTLE_CACHE_BACKEND=REDIS,
        USER_THROTTLE_CACHE_LOCATION="redis://counters:6379/0",
        USER_THROTTLE_CACHE_OPTIONS="socket_timeout=0.5,db=3,username=7,password=123456,client_name=007",
    )

    assert chosen(loaded) == {
        "default": (LOCAL_MEMORY, None, 60),
        "environments": (MEMCACHED, "a:11211,b:11211", 1),
        "environment-documents": (BYTES_IN_DATABASE, "environment-documents", 2),
        "environment-flags": (LOCAL_MEMORY, "environment-flags", 3),
        "flags": (REDIS, "redis://flags:6379/1", 4),
        "identities": (LOCAL_MEMORY, "get_identities_endpoint_cache", 5),
        "project-segments": (LOCAL_MEMORY, "project-segments", 6),
        "segments": (BYTES_IN_DATABASE, "kept-segments", 7),
        "user_throttle": (REDIS, "redis://counters:6379/0", None),
    }
    assert loaded.CACHES["environment-documents"]["OPTIONS"]["MAX_ENTRIES"] == 7
    assert loaded.CACHES["user_throttle"]["OPTIONS"] == {
        "serializer": "core.caches.Numbers",
        "socket_connect_timeout": 0.1,
        "socket_timeout": 0.5,
        "db": 3,
        "username": "7",
        "password": "123456",
        "client_name": "007",
    }
    assert (loaded.CACHE_BAD_ENVIRONMENTS_SECONDS, loaded.CACHE_BAD_ENVIRONMENTS_AFTER_FAILURES) == (8, 9)


def test_throttles_that_are_to_count_in_the_database_need_no_cache(load):
    assert "user_throttle" not in load(USER_THROTTLE_CACHE_BACKEND=DATABASE).CACHES


def test_persistent_documents_are_kept_whatever_the_seconds(load):
    loaded = load(
        CACHE_ENVIRONMENT_DOCUMENT_MODE="persistent",
        CACHE_ENVIRONMENT_DOCUMENT_SECONDS="60",
        CACHE_ENVIRONMENT_DOCUMENT_BACKEND=REDIS,
        CACHE_ENVIRONMENT_DOCUMENT_LOCATION="redis://documents:6379/0",
    )

    assert chosen(loaded)["environment-documents"] == (REDIS, "redis://documents:6379/0", None)


@pytest.mark.parametrize(
    ("variables", "found"),
    [
        ({}, []),
        ({"CACHE_ENVIRONMENT_DOCUMENT_MODE": "PERSISTENT"}, []),
        (
            {
                "CACHE_ENVIRONMENT_DOCUMENT_MODE": "PERSISTENT",
                "CACHE_ENVIRONMENT_DOCUMENT_SECONDS": "60",
                "CACHE_ENVIRONMENT_DOCUMENT_BACKEND": LOCAL_MEMORY,
            },
            ["core.W002", "core.W003"],
        ),
        ({"GET_FLAGS_ENDPOINT_CACHE_SECONDS": "60"}, ["core.W004"]),
        ({"GET_IDENTITIES_ENDPOINT_CACHE_SECONDS": "60"}, ["core.W004"]),
        (
            {
                "GET_IDENTITIES_ENDPOINT_CACHE_SECONDS": "60",
                "GET_IDENTITIES_ENDPOINT_CACHE_BACKEND": DATABASE,
            },
            ["core.W005"],
        ),
        ({"DJANGO_REDIS_IGNORE_EXCEPTIONS": "false"}, ["core.W006"]),
    ],
)
def test_a_variable_that_has_no_effect_is_told(load, settings, variables, found):
    loaded = load(**variables)
    for name in (name for name in vars(loaded) if name.isupper()):
        setattr(settings, name, getattr(loaded, name))

    assert [each.id for each in check_caches_do_what_was_asked_for()] == found


def test_caches_between_may_be_left_to_themselves(settings, db):
    assert "no-store" in Client().get("/version/")["Cache-Control"]

    settings.ADD_NEVER_CACHE_HEADERS = False

    assert "Cache-Control" not in Client().get("/version/")
