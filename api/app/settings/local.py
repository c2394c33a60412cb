"""A developer's own machine: all is allowed, mail goes to the console at first; its own key and database."""

import warnings

from app import embedded_postgres
from app.settings.common import *  # noqa: F403
from app.settings.common import (
    ALLOWED_HOSTS,
    DATA_DIR,
    DATABASES,
    ENABLE_ADMIN_ACCESS_USER_PASS,
    SECRET_KEY,
    with_connection_settings,
)
from app.settings.environment import env
from app.settings.secret_key import kept_secret_key

SECRET_KEY = SECRET_KEY or kept_secret_key(DATA_DIR / "secret-key")
ALLOWED_HOSTS = ALLOWED_HOSTS or ["*"]
ENABLE_ADMIN_ACCESS_USER_PASS = ENABLE_ADMIN_ACCESS_USER_PASS or not env.says("ENABLE_ADMIN_ACCESS_USER_PASS")
if not any(env.says(each) for each in ("EMAIL_BACKEND", "EMAIL_HOST", "SENDGRID_API_KEY")):
    EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
DATABASES = DATABASES or {
    "default": with_connection_settings(embedded_postgres.database(DATA_DIR / "postgres"))
}

# Static files come from where they are: nothing needs to be collected.
WHITENOISE_USE_FINDERS = True
warnings.filterwarnings("ignore", message="No directory at")
