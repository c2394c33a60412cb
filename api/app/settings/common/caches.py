"""Django's caches."""

from app.settings.environment import env
from core.caches import bytes_cache

CACHES = {
    "default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache", "TIMEOUT": 60},
    # What workers of several hosts share. Its entries are named by revision, so how long they are kept
    # doesn't decide how old an answer may be.
    "environments": bytes_cache(
        env.text(
            "ENVIRONMENT_CACHE_BACKEND",
            "django.core.cache.backends.locmem.LocMemCache",
            help="Django cache back end in which hosts share snapshots; one of local memory isn't used.",
        ),
        env.text("ENVIRONMENT_CACHE_LOCATION", "environment-objects", help="Location of that cache."),
        env.integer(
            "ENVIRONMENT_CACHE_SECONDS",
            86_400,
            help="Seconds that a snapshot is kept there; 0 keeps none. Never how old an answer may be.",
        ),
    ),
}
_user_throttle_backend = env.text(
    "USER_THROTTLE_CACHE_BACKEND",
    help="Cache back end, shared by all workers, that counts the throttle `user`; empty: the database.",
)
_user_throttle_location = env.text("USER_THROTTLE_CACHE_LOCATION", help="Location of that cache.")
_user_throttle_options = env.pairs("USER_THROTTLE_CACHE_OPTIONS", help="Its options, `name=value,…`.")
if _user_throttle_backend:
    CACHES["user_throttle"] = {
        "BACKEND": _user_throttle_backend,
        "LOCATION": _user_throttle_location,
        "OPTIONS": _user_throttle_options,
    }
