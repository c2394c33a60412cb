"""The databases: the main one, its replicas, and the one for what SDKs are counted in.

What lives where, and who reads it there, is in `core.routing`.
"""

from typing import Any

from app.settings.environment import env

_older_url = env.database("SQLALCHEMY_DATABASE_URI", help="Read when DATABASE_URL is unset.")
_database_url = (
    env.database("DATABASE_URL", help="The main database, postgres://user:password@host:port/name.")
    or _older_url
)
_connection_settings: dict[str, Any] = {
    "CONN_MAX_AGE": max(
        env.integer(
            "DJANGO_DB_CONN_MAX_AGE",
            60,
            at_least=-1,
            help="Seconds a database connection is kept; -1 closes it after each request.",
        ),
        0,
    ),
    # One that the server has closed meanwhile, as when it was restarted, is opened anew.
    "CONN_HEALTH_CHECKS": env.boolean(
        "DJANGO_DB_CONN_HEALTH_CHECKS",
        True,
        help="Ask before each request whether its database connection still stands, and open another if not.",
    ),
    "DISABLE_SERVER_SIDE_CURSORS": env.boolean(
        "DJANGO_DB_DISABLE_SERVER_SIDE_CURSORS",
        help="Keep no cursor open between transactions, as behind a pooler; DIRECT_DATABASE_URL implies it.",
    ),
}
# A server that takes connections and says nothing must not hold up a thread for ever.
_CONNECT_SECONDS = 5
# Whoever asks a replica could ask the main database instead. The driver knows no less than this.
_CONNECT_TO_REPLICA_SECONDS = 2


def with_connection_settings(
    database: dict[str, Any], *, connect_seconds: int = _CONNECT_SECONDS
) -> dict[str, Any]:
    """Return a database's settings with those that hold for all; what its URL says of its options wins."""
    options = {"connect_timeout": connect_seconds} | database.get("OPTIONS", {})
    return database | _connection_settings | {"OPTIONS": options}


_COPY = {"TEST": {"MIRROR": "default"}}  # tests have one server, and no copies of it


def _main(database: dict[str, Any]) -> dict[str, Any]:
    # A standby that the address leads to before it is promoted knows of the past only. Of several hosts this
    # finds the one that writes.
    options = {"target_session_attrs": "read-write"} | database.get("OPTIONS", {})
    return with_connection_settings(database | {"OPTIONS": options})


def _copy_of_main(database: dict[str, Any]) -> dict[str, Any]:
    return with_connection_settings(database, connect_seconds=_CONNECT_TO_REPLICA_SECONDS) | _COPY


def _in_parts(name: str, user: str, password: str, host: str, port: int) -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": name,
        "USER": user,
        "PASSWORD": password,
        "HOST": host,
        "PORT": port,
    }


_database_parts = _in_parts(
    env.text(
        "DJANGO_DB_NAME",
        env.text("DATABASE_NAME", help="Read when DJANGO_DB_NAME is unset."),
        help="Database name; used with the other DJANGO_DB_* when DATABASE_URL is unset.",
    ),
    env.text(
        "DJANGO_DB_USER",
        env.text("DATABASE_USER", help="Read when DJANGO_DB_USER is unset."),
        help="Database user.",
    ),
    env.secret(
        "DJANGO_DB_PASSWORD",
        env.secret("DATABASE_PASSWORD", help="Read when DJANGO_DB_PASSWORD is unset."),
        help="Database password.",
    ),
    env.text(
        "DJANGO_DB_HOST",
        env.text("DATABASE_HOST", help="Read when DJANGO_DB_HOST is unset."),
        help="Database host.",
    ),
    env.integer(
        "DJANGO_DB_PORT",
        env.integer("DATABASE_PORT", 5432, help="Read when DJANGO_DB_PORT is unset."),
        help="Database port.",
    ),
)
_direct_url = env.database(
    "DIRECT_DATABASE_URL",
    help="The main database without the pooler that DATABASE_URL leads to, for hearing of changes at once.",
)
_replicas = env.databases(
    "REPLICA_DATABASE_URLS",
    delimiter=env.text(
        "REPLICA_DATABASE_URLS_DELIMITER", ",", help="What stands between the URLs of replicas."
    ),
    help="Read replicas, beside DATABASE_URL; they spare it the reads of what SDKs are served.",
)
_replicas = (
    env.numbered_databases(
        "REPLICA_DATABASE_URL",
        help="Replicas one by one, instead of the list: _0, _1, _2, up to the first that is missing.",
    )
    or _replicas
)
_cross_region_replicas = env.databases(
    "CROSS_REGION_REPLICA_DATABASE_URLS",
    delimiter=env.text(
        "CROSS_REGION_REPLICA_DATABASE_URLS_DELIMITER",
        ",",
        help="What stands between the URLs of replicas in other regions.",
    ),
    help="Replicas in other regions, which are asked when none of REPLICA_DATABASE_URLS answers.",
)
_cross_region_replicas = (
    env.numbered_databases(
        "CROSS_REGION_REPLICA_DATABASE_URL",
        help="Those one by one, instead of the list: _0, _1, _2, up to the first that is missing.",
    )
    or _cross_region_replicas
)
REPLICA_READ_STRATEGY = env.choice(
    "REPLICA_READ_STRATEGY",
    "DISTRIBUTED",
    ["DISTRIBUTED", "SEQUENTIAL"],
    help="Which replica is asked: any, or the next one each time.",
)
_analytics_url = env.database(
    "ANALYTICS_DATABASE_URL",
    help="A database of its own for the counts of requests and evaluations, beside DATABASE_URL.",
)
_analytics_parts = _in_parts(
    env.text(
        "DJANGO_DB_NAME_ANALYTICS",
        help="Name of that database; used with the other DJANGO_DB_*_ANALYTICS beside DJANGO_DB_NAME.",
    ),
    env.text("DJANGO_DB_USER_ANALYTICS", help="Its user."),
    env.secret("DJANGO_DB_PASSWORD_ANALYTICS", help="Its password."),
    env.text("DJANGO_DB_HOST_ANALYTICS", help="Its host."),
    env.integer("DJANGO_DB_PORT_ANALYTICS", 5432, help="Its port."),
)

# With neither set the settings still load: `collectstatic` runs while an image is built.
DATABASES: dict[str, Any] = {}
if _database_url:
    DATABASES["default"] = _main(_database_url)
    for _number, _replica in enumerate(_replicas, start=1):
        DATABASES[f"replica_{_number}"] = _copy_of_main(_replica)
    for _number, _replica in enumerate(_cross_region_replicas, start=1):
        DATABASES[f"cross_region_replica_{_number}"] = _copy_of_main(_replica)
    if _analytics_url:
        DATABASES["analytics"] = with_connection_settings(_analytics_url)
elif _database_parts["NAME"]:
    DATABASES["default"] = _main(_database_parts)
    if _analytics_parts["NAME"]:
        DATABASES["analytics"] = with_connection_settings(_analytics_parts)
if _direct_url and DATABASES:
    DATABASES["direct"] = _main(_direct_url) | _COPY
    # That there is a way around a pooler says that there is one.
    DATABASES["default"]["DISABLE_SERVER_SIDE_CURSORS"] = True
DATABASE_ROUTERS = ["core.routing.AnalyticsRouter", "core.routing.MainRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"  # SDKs read ids as 31-bit integers
