"""Telemetry: to whom the operator names, of nothing but numbers, and to nobody else."""

import json

import pytest
from django.test import Client

from core.tests.receivers import answering, receiver, status
from operations.tasks import report_telemetry
from tasks import registry


def test_nothing_is_told_unless_somebody_is_named_and_it_is_not_switched_off(feature, settings):
    with receiver() as received:
        report_telemetry()
        settings.TELEMETRY_URL, settings.ENABLE_TELEMETRY = received.url(), False
        report_telemetry()

    assert received.requests == []
    assert report_telemetry in registry.recurring_tasks()


def test_who_is_named_is_told_numbers_only_and_another_server_takes_them(feature, admin, settings):
    with receiver(answering(status(201))) as received:
        settings.TELEMETRY_URL = received.url()
        report_telemetry()

    told = json.loads(received.body)
    assert told == {
        "organisations": 1,
        "projects": 1,
        "environments": 1,
        "features": 1,
        "segments": 0,
        "users": 1,
        "debug_enabled": False,
        "env": "test",
    }
    assert received.headers["user-agent"].startswith("burgee/")
    taken = Client().post("/api/v1/analytics/telemetry/", told, content_type="application/json")
    assert taken.status_code == 201


@pytest.mark.parametrize("code", [404, 500])
def test_who_takes_no_telemetry_disturbs_nothing(db, settings, code, caplog):
    with receiver(answering(status(code))) as received:
        settings.TELEMETRY_URL = received.url()
        report_telemetry()
    report_telemetry()  # nobody listens there any more

    assert len(received.requests) == 1
    assert [record.levelname for record in caplog.records] == ["INFO"] * len(caplog.records)
