"""System checks: settings of the server that must not be combined."""

from importlib.util import find_spec
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.core.cache.backends.dummy import DummyCache
from django.core.cache.backends.locmem import LocMemCache
from django.core.checks import CheckMessage, Error, Tags, Warning, register

from core.database_cache import BytesInDatabase


@register(Tags.security)
def check_there_is_a_key_to_require(**options: Any) -> list[CheckMessage]:
    """Find a server that refuses everyone."""
    if not settings.REQUIRE_AUTH_KEY or settings.AUTH_KEY:
        return []
    return [
        Error(
            "REQUIRE_AUTH_KEY is on and there is no AUTH_KEY: nobody can use this server.",
            hint="Set AUTH_KEY, or switch REQUIRE_AUTH_KEY off.",
            id="core.E001",
        )
    ]


@register()
def check_nothing_is_expected_of_what_is_gone(**options: Any) -> list[CheckMessage]:
    """Find variables of services that there are no more."""
    names = [
        name
        for name in ("GOOGLE_ANALYTICS_KEY", "GOOGLE_SERVICE_ACCOUNT", "GA_TABLE_ID")
        if getattr(settings, name)
    ]
    if not names:
        return []
    return [
        Warning(
            f"{', '.join(names)}: Google has switched Universal Analytics off, and nothing is sent there.",
            hint="Requests and evaluations are counted in the database; PROMETHEUS_ENABLED shows more.",
            id="core.W001",
        )
    ]


@register(Tags.caches)
def check_caches_do_what_was_asked_for(**options: Any) -> list[CheckMessage]:
    """Find variables of caches that have no effect, or not the one that they have by their names."""
    documents, identities = caches["environment-documents"], caches["identities"]
    is_persistent = settings.CACHE_ENVIRONMENT_DOCUMENT_MODE == "PERSISTENT"
    seconds = settings.KEPT_SECONDS
    found: list[CheckMessage] = []
    if is_persistent and isinstance(documents, LocMemCache | DummyCache):
        found.append(
            Warning(
                "CACHE_ENVIRONMENT_DOCUMENT_BACKEND belongs to one process, so nothing is kept in it.",
                hint="Name one that processes share: of the database, Redis or Memcached.",
                id="core.W002",
            )
        )
    if is_persistent and settings.CACHE_ENVIRONMENT_DOCUMENT_SECONDS:
        found.append(
            Warning(
                "CACHE_ENVIRONMENT_DOCUMENT_SECONDS has no effect: documents are PERSISTENT.",
                hint="Unset it, or CACHE_ENVIRONMENT_DOCUMENT_MODE.",
                id="core.W003",
            )
        )
    for alias in ("flags", "identities"):
        name = f"GET_{alias.upper()}_ENDPOINT_CACHE"
        if seconds[alias] and isinstance(caches[alias], DummyCache):
            found.append(
                Warning(
                    f"{name}_SECONDS has no effect without {name}_BACKEND.",
                    hint="Name a back end, as that of Redis or Memcached.",
                    id="core.W004",
                )
            )
    if isinstance(identities, BytesInDatabase):
        found.append(
            Warning(
                "GET_IDENTITIES_ENDPOINT_CACHE_BACKEND is the database, which is not asked to spare itself.",
                hint="Name that of Redis, Memcached or local memory.",
                id="core.W005",
            )
        )
    if not settings.DJANGO_REDIS_IGNORE_EXCEPTIONS:
        found.append(
            Warning(
                "DJANGO_REDIS_IGNORE_EXCEPTIONS is off, and has no effect: a cache that is away never fails "
                "a request.",
                hint="Unset it; caches that fail are told to the log, and by /health/readiness/.",
                id="core.W006",
            )
        )
    return found


@register(Tags.staticfiles)  # collectstatic looks at these
def check_static_files_have_somewhere_to_go(**options: Any) -> list[CheckMessage]:
    """Find a server whose pages look for their static files on S3, and that can't put any there."""
    if not settings.USE_S3_STORAGE:
        return []
    problems: list[CheckMessage] = []
    if not settings.AWS_STORAGE_BUCKET_NAME:
        problems.append(
            Error(
                "USE_S3_STORAGE is on and no bucket is named.",
                hint="Set AWS_STORAGE_BUCKET_NAME.",
                id="core.E002",
            )
        )
    if find_spec("storages") is None or find_spec("boto3") is None:
        problems.append(
            Error(
                "USE_S3_STORAGE is on and the libraries for S3 are not installed.",
                hint='Install them: pip install "django-storages[s3]".',
                id="core.E003",
            )
        )
    return problems
