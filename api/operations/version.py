"""Which version runs here, and from which build."""

import json
from functools import cache
from typing import Any

from django.conf import settings

from core.version import VERSION

UNKNOWN = "unknown"


@cache
def commit() -> str:
    """Return the commit that the image was built from, which the build leaves in a file."""
    for folder in (settings.API_DIR, settings.REPOSITORY_DIR):
        path = folder / "CI_COMMIT_SHA"
        if path.is_file():
            return path.read_text().strip() or UNKNOWN
    return UNKNOWN


@cache
def package_versions() -> dict[str, Any]:
    for folder in (settings.API_DIR, settings.REPOSITORY_DIR):
        path = folder / ".versions.json"
        if path.is_file():
            versions: dict[str, Any] = json.loads(path.read_text())
            return versions
    return {".": VERSION}


def can_send_mail() -> bool:
    """Whether a mail provider is configured, and not only the defaults."""
    return settings.EMAIL_BACKEND.endswith("smtp.EmailBackend") and bool(settings.EMAIL_HOST_USER)
