"""Signing in to /admin/."""

from app.settings.environment import env

ENABLE_ADMIN_ACCESS_USER_PASS = env.boolean(
    "ENABLE_ADMIN_ACCESS_USER_PASS",
    help="Let people sign in to /admin/ with their password; local settings do unless this says no.",
)
ALLOWED_ADMIN_IP_ADDRESSES = env.items(
    "ALLOWED_ADMIN_IP_ADDRESSES", help="Addresses and networks that reach /admin/; unset: all."
)
