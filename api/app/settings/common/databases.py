"""The main database and its replicas."""

from typing import Any

from app.settings.environment import env

_database_url = env.database(
    "DATABASE_URL", help="The main database, postgres://user:password@host:port/name."
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
    "CONN_HEALTH_CHECKS": True,
}
# A server that takes connections and says nothing must not hold up a thread for ever.
_CONNECT_SECONDS = 5


def with_connection_settings(database: dict[str, Any]) -> dict[str, Any]:
    """Return a database's settings with those that hold for all; what its URL says of its options wins."""
    options = {"connect_timeout": _CONNECT_SECONDS} | database.get("OPTIONS", {})
    return database | _connection_settings | {"OPTIONS": options}


_database_parts: dict[str, Any] = {
    "ENGINE": "django.db.backends.postgresql",
    "NAME": env.text(
        "DJANGO_DB_NAME", help="Database name; used with the other DJANGO_DB_* when DATABASE_URL is unset."
    ),
    "USER": env.text("DJANGO_DB_USER", help="Database user."),
    "PASSWORD": env.secret("DJANGO_DB_PASSWORD", help="Database password."),
    "HOST": env.text("DJANGO_DB_HOST", help="Database host."),
    "PORT": env.integer("DJANGO_DB_PORT", 5432, help="Database port."),
}
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
# With neither set the settings still load: `collectstatic` runs while an image is built.
DATABASES: dict[str, Any] = {}
if _database_url:
    DATABASES["default"] = with_connection_settings(_database_url)
    for _number, _replica in enumerate(_replicas, start=1):
        DATABASES[f"replica_{_number}"] = with_connection_settings(_replica)
elif _database_parts["NAME"]:
    DATABASES["default"] = with_connection_settings(_database_parts)
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"  # SDKs read ids as 31-bit integers
