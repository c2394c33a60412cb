"""How `manage.py migrate` keeps out of the way of those who use the database meanwhile."""

from app.settings.environment import env

MIGRATION_LOCK_TIMEOUT_SECONDS = env.number(
    "MIGRATION_LOCK_TIMEOUT_SECONDS",
    2.0,
    help="Seconds a migration waits for a lock, while others wait behind it; then it lets them go by.",
)
MIGRATION_LOCK_RETRIES = env.integer(
    "MIGRATION_LOCK_RETRIES", 10, help="How often it tries again, with growing pauses, before it gives up."
)
MIGRATION_STATEMENT_TIMEOUT_SECONDS = env.number(
    "MIGRATION_STATEMENT_TIMEOUT_SECONDS",
    60.0,
    help="Seconds one statement of a migration may take before it is undone; 0: any. Not for indexes that are"
    " built beside the running server.",
)
