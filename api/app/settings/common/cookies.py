"""Signing in with cookies instead of tokens."""

from app.settings.environment import env

COOKIE_AUTH_ENABLED = env.boolean(
    "COOKIE_AUTH_ENABLED", help="Answer a sign-in with a cookie instead of a token."
)
USE_SECURE_COOKIES = env.boolean(
    "USE_SECURE_COOKIES", True, help="Send cookies over TLS only, also those of /admin/ in production."
)
COOKIE_SAME_SITE = env.choice(
    "COOKIE_SAME_SITE",
    "LAX",
    ["LAX", "STRICT", "NONE"],
    help="Which other sites' pages send the cookie: lax, strict or none, which means all.",
).capitalize()
COOKIE_AUTH_JWT_ACCESS_TOKEN_LIFETIME_MINUTES = env.integer(
    "COOKIE_AUTH_JWT_ACCESS_TOKEN_LIFETIME_MINUTES",
    600,
    at_least=1,
    help="Minutes that a sign-in by cookie lasts.",
)
COOKIE_AUTH_JWT_SIGNING_KEY = env.secret(
    "COOKIE_AUTH_JWT_SIGNING_KEY", help="Signs cookies; unset: the secret key."
)
