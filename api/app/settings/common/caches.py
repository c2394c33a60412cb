"""Django's caches: where which of them are, and for how long they keep what."""

from app.settings.environment import env
from core.caches import DATABASE, DUMMY, LOCAL_MEMORY, bytes_cache, counting_cache, kept_for

CACHES = {
    "default": {"BACKEND": LOCAL_MEMORY, "TIMEOUT": 60},
    # What workers of several hosts share. Its entries are named by revision, so how long they are kept
    # doesn't decide how old an answer may be.
    "environments": bytes_cache(
        env.text(
            "ENVIRONMENT_CACHE_BACKEND",
            LOCAL_MEMORY,
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

# The same once more, in a place of its own.
CACHE_ENVIRONMENT_DOCUMENT_MODE = env.choice(
    "CACHE_ENVIRONMENT_DOCUMENT_MODE",
    "EXPIRING",
    ["EXPIRING", "PERSISTENT"],
    help="Whether the cache of documents keeps them for some seconds, or until the next revision.",
)
CACHE_ENVIRONMENT_DOCUMENT_SECONDS = env.integer(
    "CACHE_ENVIRONMENT_DOCUMENT_SECONDS",
    0,
    help="Seconds that a document is kept in a cache of its own; 0 keeps none. Not used if PERSISTENT.",
)
_document_backend = env.text(
    "CACHE_ENVIRONMENT_DOCUMENT_BACKEND",
    DATABASE,
    help="Django cache back end of documents that hosts share.",
)
_document_location = env.text(
    "CACHE_ENVIRONMENT_DOCUMENT_LOCATION",
    "environment-documents",
    help="Location of that cache; of one in the database, the table that `createcachetable` makes.",
)
_document_options = env.pairs("CACHE_ENVIRONMENT_DOCUMENT_OPTIONS", help="Its options, `name=value,…`.")
CACHES["environment-documents"] = kept_for(
    None if CACHE_ENVIRONMENT_DOCUMENT_MODE == "PERSISTENT" else CACHE_ENVIRONMENT_DOCUMENT_SECONDS,
    _document_backend,
    _document_location,
    options=_document_options,
    prefix="burgee-documents",
)

# What was asked for, whether or not there is a back end.
KEPT_SECONDS = {
    "flags": env.integer(
        "GET_FLAGS_ENDPOINT_CACHE_SECONDS",
        0,
        help="Seconds that answers of `flags/` are kept, by revision; 0 keeps none.",
    ),
    # The one whose seconds may be seen: what is stored of identities has no revision.
    "identities": env.integer(
        "GET_IDENTITIES_ENDPOINT_CACHE_SECONDS",
        0,
        help="How old stored traits may be that `GET identities/` uses and another host has changed; "
        "0: as they are.",
    ),
}

# Answers of `flags/`, by revision: in the memory of each process, and in a cache that they may share.
CACHES["environment-flags"] = kept_for(
    env.integer(
        "CACHE_FLAGS_SECONDS",
        0,
        help="Seconds that each process keeps the flags of a revision in memory; 0 keeps none.",
    ),
    LOCAL_MEMORY,
    "environment-flags",
)
CACHES["flags"] = kept_for(
    KEPT_SECONDS["flags"],
    env.text("GET_FLAGS_ENDPOINT_CACHE_BACKEND", DUMMY, help="Django cache back end that keeps them."),
    env.text("GET_FLAGS_ENDPOINT_CACHE_LOCATION", "get_flags_endpoint_cache", help="Location of that cache."),
    prefix="burgee-flags",
)
# What is stored of identities.
CACHES["identities"] = kept_for(
    KEPT_SECONDS["identities"],
    env.text(
        "GET_IDENTITIES_ENDPOINT_CACHE_BACKEND", DUMMY, help="Django cache back end that keeps stored traits."
    ),
    env.text(
        "GET_IDENTITIES_ENDPOINT_CACHE_LOCATION",
        "get_identities_endpoint_cache",
        help="Location of that cache.",
    ),
    prefix="burgee-identities",
)
# Environments with their segments, by revision, for whoever looks at single identities.
CACHES["project-segments"] = kept_for(
    env.integer(
        "CACHE_PROJECT_SEGMENTS_SECONDS",
        0,
        help="Seconds that each process keeps in memory what an identity's segments are worked out from.",
    ),
    LOCAL_MEMORY,
    "project-segments",
)
CACHES["segments"] = kept_for(
    env.integer(
        "CACHE_ENVIRONMENT_SEGMENTS_SECONDS",
        0,
        help="Seconds that it is kept in a cache that processes may share; 0 keeps none.",
    ),
    env.text("CACHE_ENVIRONMENT_SEGMENTS_BACKEND", LOCAL_MEMORY, help="Django cache back end that keeps it."),
    env.text("ENVIRONMENT_SEGMENTS_CACHE_LOCATION", "environment-segments", help="Location of that cache."),
    prefix="burgee-segments",
)

CACHE_BAD_ENVIRONMENTS_SECONDS = env.integer(
    "CACHE_BAD_ENVIRONMENTS_SECONDS",
    0,
    help="Seconds that an unknown key is refused without asking the database, unless one comes into being; "
    "0: less than one.",
)
CACHE_BAD_ENVIRONMENTS_AFTER_FAILURES = env.integer(
    "CACHE_BAD_ENVIRONMENTS_AFTER_FAILURES",
    1,
    at_least=1,
    help="How often a key must have been unknown before that.",
)
MAX_UNKNOWN_KEYS = env.integer(
    "MAX_UNKNOWN_KEYS",
    10_000,
    at_least=1,
    help="How many unknown keys a process remembers; at one more it forgets them all.",
)

# What the throttle `user` counts in.
_user_throttle_backend = env.text(
    "USER_THROTTLE_CACHE_BACKEND",
    help="Cache back end, shared by all workers, that counts the throttle `user`; empty: the database.",
)
_user_throttle_location = env.text("USER_THROTTLE_CACHE_LOCATION", help="Location of that cache.")
_user_throttle_options = env.pairs("USER_THROTTLE_CACHE_OPTIONS", help="Its options, `name=value,…`.")
# In the database there is a table for it, which needs no cache.
if _user_throttle_backend not in {"", DATABASE}:
    CACHES["user_throttle"] = counting_cache(
        _user_throttle_backend, _user_throttle_location, _user_throttle_options
    )

DJANGO_REDIS_IGNORE_EXCEPTIONS = env.boolean(
    "DJANGO_REDIS_IGNORE_EXCEPTIONS", True, help="Always so: a cache that is away never fails a request."
)
DJANGO_REDIS_LOG_IGNORED_EXCEPTIONS = env.boolean(
    "DJANGO_REDIS_LOG_IGNORED_EXCEPTIONS", True, help="Whether a cache that fails is told to the log."
)
ADD_NEVER_CACHE_HEADERS = env.boolean(
    "ADD_NEVER_CACHE_HEADERS",
    True,
    help="Whether answers forbid caches between to keep them, where nothing else is said.",
)
