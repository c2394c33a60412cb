"""Identities: searching for them, and how long they are kept."""

from app.settings.environment import env

IDENTITY_SEARCH_SECONDS = env.number(
    "IDENTITY_SEARCH_SECONDS",
    3.0,
    help="How long a search for a part of an identifier may take before it is refused with a remedy.",
)
IDENTITY_TTL_DAYS = env.integer(
    "IDENTITY_TTL_DAYS",
    0,
    help="Delete identities without overrides that no SDK asked for in so many days; 0 keeps them all.",
)
