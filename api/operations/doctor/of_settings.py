"""What can be seen without asking anybody."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.cache import caches
from django.core.checks import run_checks
from django.core.checks.messages import ERROR as CHECK_ERROR
from django.core.checks.messages import WARNING as CHECK_WARNING

from core.safety import given_secret, secret_weakness
from core.version import VERSION
from operations.doctor.findings import Finding, Severity, error, ok, warning
from sdk.feed import POLL_SECONDS
from sdk.live import DEGRADED_AFTER_SECONDS

_ADVISED_SECRET = 50
_JOBS = {
    "SEPARATE_THREAD": "by a thread of each server process",
    "TASK_PROCESSOR": "by manage.py run-task-processor",
    "SYNCHRONOUSLY": "inside of requests",
}
# By the ends of their names, so that a subclass of somebody's own is told by its kind, too.
_KINDS = {
    "LocMemCache": "memory of each process",
    "RedisCache": "Redis",
    "PyMemcacheCache": "Memcached",
    "PyLibMCCache": "Memcached",
    "DatabaseCache": "a table of the database",
    "BytesInDatabase": "a table of the database",
    "FileBasedCache": "files",
    "DummyCache": "none",
}


def of_settings() -> Iterator[Finding]:
    """Look at what this process was told."""
    for look in (
        _installation,
        _secret,
        _hosts,
        _tls,
        _admin,
        _caches,
        _snapshots,
        _freshness,
        _processes,
        _checks,
    ):
        yield from look()


def _installation() -> Iterator[Finding]:
    module = os.environ.get("DJANGO_SETTINGS_MODULE", "")
    words = f"Burgee {VERSION}, {module}, environment {settings.ENV}"
    yield ok("installation", words)
    if settings.DEBUG:
        found = error if settings.REFUSE_UNSAFE_SETTINGS else ok
        yield found("debug mode", "on: errors show the code and its values to whoever causes them")


def _secret() -> Iterator[Finding]:
    secret = given_secret()
    if weakness := secret_weakness(secret):
        yield error("secret key", weakness)
    elif len(secret) < _ADVISED_SECRET:
        yield warning("secret key", f"has {len(secret)} characters; {_ADVISED_SECRET} or more are advised")
    else:
        earlier = len(settings.SECRET_KEY_FALLBACKS)
        yield ok(
            "secret key", f"has {len(secret)} characters" + (f", and {earlier} earlier" if earlier else "")
        )


def _hosts() -> Iterator[Finding]:
    hosts = settings.ALLOWED_HOSTS
    if not hosts:
        yield error("allowed hosts", "none: every request is refused. Set DJANGO_ALLOWED_HOSTS.")
    elif "*" in hosts and settings.REFUSE_UNSAFE_SETTINGS:
        yield warning("allowed hosts", "all: whoever asks says what this server is called")
    else:
        yield ok("allowed hosts", ", ".join(hosts))


def _tls() -> Iterator[Finding]:
    """Tell of TLS. Where nobody relies on an installation, it is told and not asked for."""
    found = warning if settings.REFUSE_UNSAFE_SETTINGS else ok
    redirects = settings.SECURE_SSL_REDIRECT
    yield (ok if redirects else found)(
        "TLS redirect",
        "on" if redirects else "off: requests without TLS are answered. DJANGO_SECURE_SSL_REDIRECT.",
    )
    seconds = settings.SECURE_HSTS_SECONDS
    yield (ok if seconds else found)(
        "HSTS",
        f"{seconds} seconds"
        if seconds
        else "off: browsers may come without TLS. DJANGO_SECURE_HSTS_SECONDS.",
    )
    is_secure = settings.SESSION_COOKIE_SECURE and settings.CSRF_COOKIE_SECURE and settings.USE_SECURE_COOKIES
    yield (ok if is_secure else found)(
        "cookies", "for TLS only" if is_secure else "sent without TLS, too. USE_SECURE_COOKIES."
    )
    name, value = settings.SECURE_PROXY_SSL_HEADER
    peers = ", ".join(settings.FORWARDED_ALLOW_IPS) or "nobody"
    header = name.removeprefix("HTTP_").replace("_", "-").title()
    is_open = "*" in settings.FORWARDED_ALLOW_IPS
    yield (found if is_open else ok)("proxies", f"{header}: {value} means TLS, if it comes from {peers}")


def _admin() -> Iterator[Finding]:
    yield ok(
        "password sign-in",
        "people sign in to /admin/ with their password"
        if settings.ENABLE_ADMIN_ACCESS_USER_PASS
        else "nobody signs in to /admin/ with a password, superusers neither. ENABLE_ADMIN_ACCESS_USER_PASS.",
    )


def _caches() -> Iterator[Finding]:
    for alias, configured in settings.CACHES.items():
        yield _cache(alias, configured)


def _cache(alias: str, configured: dict[str, Any]) -> Finding:
    subject, backend = f"cache {alias}", configured["BACKEND"]
    kind = next((words for end, words in _KINDS.items() if backend.endswith(end)), backend)
    if kind == _KINDS["DatabaseCache"]:
        return ok(subject, kind)  # the database is looked at by itself
    if kind == _KINDS["DummyCache"] or any(_keeps(alias, value) for value in (b"1", 1)):
        return ok(subject, kind)
    return warning(subject, f"{kind}: doesn't answer; it is done without")


def _keeps(alias: str, value: object) -> bool:
    """Whether a cache gives back what it was given. Some take bytes only, and some take numbers only."""
    key = "doctor"
    try:
        caches[alias].set(key, value, 10)
        is_kept = bool(caches[alias].get(key))
        caches[alias].delete(key)
    except Exception:  # noqa: BLE001  # each back end has its own
        return False
    return is_kept


def _snapshots() -> Iterator[Finding]:
    folder = Path(settings.SNAPSHOT_DIR)
    there = next((each for each in (folder, *folder.parents) if each.exists()), folder)
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        yield ok("snapshots", f"{folder}, {settings.SNAPSHOT_MEMORY_BYTES >> 20} MiB in each process")
    else:
        yield warning("snapshots", f"{folder} can't be written: a start without the database serves nothing")


def _freshness() -> Iterator[Finding]:
    words = (
        f"a change is visible within 0.5 seconds, without notifications {POLL_SECONDS + 0.5:g}; "
        f"answers say how old they may be after {DEGRADED_AFTER_SECONDS:g} seconds without the database"
    )
    yield ok("freshness", words)
    if settings.FLAGS_MAX_AGE_SECONDS:
        seconds = settings.FLAGS_MAX_AGE_SECONDS
        words = f"caches between may show flags that are {seconds} seconds old, or twice that"
        yield warning("flags in caches", f"{words}. FLAGS_MAX_AGE_SECONDS.")


def _processes() -> Iterator[Finding]:
    workers, threads = settings.GUNICORN_WORKERS, settings.GUNICORN_THREADS
    by_hand = ", unless GUNICORN_CMD_ARGS says otherwise" if os.environ.get("GUNICORN_CMD_ARGS") else ""
    yield ok("processes", f"{workers} with {threads} threads each, on {_cores()} cores{by_hand}")
    yield ok("jobs are run", _JOBS[settings.TASK_RUN_METHOD])


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _checks() -> Iterator[Finding]:
    """Repeat what Django and the apps find in settings."""
    for message in run_checks():
        if message.level >= CHECK_WARNING and not message.is_silenced():
            severity = Severity.ERROR if message.level >= CHECK_ERROR else Severity.WARNING
            hint = f" {message.hint}" if message.hint else ""
            yield Finding(message.id or "check", severity, f"{message.msg}{hint}")
