"""A developer's own machine: everything allowed, mail to the console, a key of its own."""

from app.settings.common import *  # noqa: F403
from app.settings.common import ALLOWED_HOSTS, REPOSITORY_DIR, SECRET_KEY
from app.settings.secret_key import kept_secret_key

SECRET_KEY = SECRET_KEY or kept_secret_key(REPOSITORY_DIR / ".data" / "secret-key")
ALLOWED_HOSTS = ALLOWED_HOSTS or ["*"]
EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
