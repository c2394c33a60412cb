"""What the test suite runs with: a database of its own, cheap password hashes, mail in memory."""

import os
import secrets

# Before the common settings read it. The first process starts the server; the workers it starts inherit
# the variable.
if not os.environ.get("DATABASE_URL"):
    from app import embedded_postgres

    os.environ["DATABASE_URL"] = embedded_postgres.start_temporary()

from app.settings.common import *  # noqa: F403
from app.settings.common import DATABASES, REST_FRAMEWORK

ENV = "test"
# A signal doesn't reach a test that waits in libpq: what waits too long is ended by the server.
DATABASES["default"].setdefault("OPTIONS", {})["options"] = "-c statement_timeout=2min -c lock_timeout=1min"
SECRET_KEY = secrets.token_urlsafe(48)
AUTH_KEY = secrets.token_urlsafe(24)
ALLOWED_HOSTS = ["*"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
REST_FRAMEWORK = {
    **REST_FRAMEWORK,
    "DEFAULT_THROTTLE_RATES": dict.fromkeys(REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"]),
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
# Where no server runs, each request is written at once: a statement more than tests of other things expect.
ENABLE_API_USAGE_TRACKING = False
ENABLE_ADMIN_ACCESS_USER_PASS = True
PROMETHEUS_ENABLED = True
SCHEDULER_API_ENABLED = True
