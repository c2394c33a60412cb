"""Telling a server that the operator names how much there is here: numbers, and nobody's names.

By a job once a day, so that it is told once however many processes and hosts there are, and no start waits
for it.
"""

import logging
from typing import Any

from django.conf import settings

from core.outgoing import CallFailedError, as_bytes, post
from environments.models import Environment
from features.models import Feature
from organisations.models import Organisation
from projects.models import Project
from segments.models import Segment
from users.models import User

logger = logging.getLogger(__name__)

_SECONDS = 2.0


def report() -> None:
    """Tell it, if there is somebody to tell. That it can't be told disturbs nothing."""
    if not settings.ENABLE_TELEMETRY or not settings.TELEMETRY_URL:
        return
    try:
        answer = post(
            settings.TELEMETRY_URL, as_bytes(telemetry()), timeout_seconds=_SECONDS, may_be_private=True
        )
    except CallFailedError as error:
        logger.info("Telemetry was not told: %s", error)
        return
    if not answer.is_success:
        logger.info("Telemetry was answered with %d.", answer.status)


def telemetry() -> dict[str, Any]:
    """Return all that is told: `{"organisations": 1, …, "debug_enabled": false, "env": "production"}`."""
    return {
        "organisations": Organisation.objects.count(),
        "projects": Project.objects.count(),
        "environments": Environment.objects.count(),
        "features": Feature.objects.count(),
        "segments": Segment.objects.count(),
        "users": User.objects.count(),
        "debug_enabled": settings.DEBUG,
        "env": settings.ENV,
    }
