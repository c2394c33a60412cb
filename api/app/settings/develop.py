"""A shared installation for trying things out."""

from app.settings.common import *  # noqa: F403
from app.settings.common import ALLOWED_HOSTS, DATA_DIR, SECRET_KEY
from app.settings.secret_key import kept_secret_key

SECRET_KEY = SECRET_KEY or kept_secret_key(DATA_DIR / "secret-key")
ALLOWED_HOSTS = ALLOWED_HOSTS or ["*"]
