"""Static files, language and time."""

from app.settings.common.installation import API_DIR

STATIC_URL = "/static/"
STATIC_ROOT = API_DIR / "static"
LANGUAGE_CODE = "en-gb"
TIME_ZONE = "UTC"
USE_TZ = True
