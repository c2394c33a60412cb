"""An installation that people rely on."""

from app.settings.common import *  # noqa: F403
from app.settings.common import USE_SECURE_COOKIES

# Serving and migrating are refused while a setting is unsafe. Importing isn't: an image is built without any.
REFUSE_UNSAFE_SETTINGS = True
# Of the admin. Without TLS browsers keep such cookies for `localhost` only.
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = USE_SECURE_COOKIES
