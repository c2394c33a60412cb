"""Routes for whoever runs this server."""

from app.settings.environment import env

AUTH_KEY = env.secret("AUTH_KEY", help="Key of the service routes, such as /config; unset: they don't exist.")
# An underscore is a hyphen to WSGI, and dropped on the way there.
AUTH_HEADER = env.text("AUTH_HEADER", "X-AUTH-API-KEY", help="Header that brings it.").replace("_", "-")
AUTH_ALLOWED_CLIENT = env.text("AUTH_ALLOWED_CLIENT", "client", help="Name of whoever has it.")
REQUIRE_AUTH_KEY = env.boolean(
    "REQUIRE_AUTH_KEY",
    help="Demand that header of every request but those of SDKs and for health, /admin/ included.",
)
