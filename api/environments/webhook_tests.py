"""Trying a webhook out: what it would be sent is posted to it, made up, and told is how it answered."""

import time
from typing import Any
from uuid import uuid4

from django.utils import timezone

from core.errors import InvalidInput
from core.outgoing import Answer, TargetForbiddenError, as_bytes, post
from environments.models import Environment
from organisations.models import Organisation
from webhooks.services.headers import headers_of


def try_webhook(url: str, secret: str, target: Environment | Organisation) -> Answer:
    """Post to `url` what a webhook of an environment or an organisation is sent.

    Raises:
        InvalidInput: the URL leads into a private network by now.
        CallFailedError: nobody answered.
    """
    body = as_bytes(_flag_updated(target) if isinstance(target, Environment) else _audit_log_created(target))
    try:
        return post(url, body, headers_of(f"msg_{uuid4().hex}", int(time.time()), body, secret))
    except TargetForbiddenError as error:
        raise InvalidInput({"webhook_url": [str(error)]}) from error


def _flag_updated(environment: Environment) -> dict[str, Any]:
    state: dict[str, Any] = {
        "feature": {
            "id": 1,
            "created_date": "2026-01-01T10:00:00.000000Z",
            "default_enabled": False,
            "description": "A feature that was made up for this test",
            "initial_value": None,
            "name": "test_feature",
            "project": {"id": environment.project_id, "name": environment.project.name},
            "type": "STANDARD",
        },
        "environment": {"id": environment.pk, "name": environment.name},
        "identity": None,
        "identity_identifier": None,
        "feature_segment": None,
        "enabled": True,
        "feature_state_value": "a new value",
        "multivariate_feature_state_values": [],
    }
    return {
        "event_type": "FLAG_UPDATED",
        "data": {
            "changed_by": "test@example.com",
            "timestamp": timezone.now(),
            "new_state": state,
            "previous_state": {**state, "enabled": False, "feature_state_value": "an old value"},
        },
    }


def _audit_log_created(organisation: Organisation) -> dict[str, Any]:
    return {
        "event_type": "AUDIT_LOG_CREATED",
        "data": {
            "id": 1,
            "created_date": timezone.now(),
            "log": "New Flag / Remote Config created: test_feature",
            "author": {"id": 1, "email": "test@example.com", "first_name": "Test", "last_name": "Person"},
            "environment": None,
            "project": {"id": 1, "name": "Test project", "organisation": organisation.pk},
            "related_object_id": 1,
            "related_object_uuid": None,
            "related_object_type": "FEATURE",
            "is_system_event": False,
        },
    }
