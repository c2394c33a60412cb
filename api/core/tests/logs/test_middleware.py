"""What a request's answer and the log say of each other, by either door."""

import json
import logging

import pytest
from django.contrib.sites.models import Site
from django.db import connection
from django.test import Client

from core.logs.formats import Json
from core.logs.middleware import HEADER
from core.logs.statements import note_statement


def test_an_answer_says_the_id_that_the_request_brought_or_one_of_its_own(db):
    brought = Client().get("/robots.txt", headers={HEADER: "from-a-proxy"})
    unfit = Client().get("/robots.txt", headers={HEADER: "x" * 65})

    assert brought[HEADER] == "from-a-proxy"
    assert len(unfit[HEADER]) == len(Client().get("/robots.txt")[HEADER]) == 32


def test_a_line_that_is_written_during_a_request_says_which_it_was(db, caplog):
    Client().get("/nowhere?feature=a", headers={HEADER: "from-a-proxy"})

    assert [
        (said["logger_name"], said["path"], said["parameters"], said["status"], said["request_id"])
        for said in (json.loads(Json().format(record)) for record in caplog.records)
    ] == [("django.request", "/nowhere", "feature=a", 404, "from-a-proxy")]


@pytest.mark.parametrize("is_silenced", [False, True])
@pytest.mark.parametrize(
    "broken", ["operations.views.VersionView.get", "core.middleware.OptionalSlashMiddleware.__call__"]
)
def test_a_fault_is_logged_once_whether_or_not_the_framework_may_speak(
    db, settings, caplog, monkeypatch, broken, is_silenced
):
    settings.DISABLE_FRAMEWORK_LOGS = is_silenced
    monkeypatch.setattr(logging.getLogger("django.request"), "disabled", is_silenced)
    monkeypatch.setattr(broken, lambda *_, **__: 1 / 0)

    response = Client(raise_request_exception=False).get("/version/", headers={"Accept": "application/json"})

    assert (response.status_code, response.json()["msg"]) == (500, "Internal Server Error")
    assert "Traceback" not in response.content.decode()
    names = [record.name for record in caplog.records if record.exc_info]
    assert names == ["core.logs.middleware" if is_silenced else "django.request"]


def test_statements_are_logged_without_their_values(db, caplog):
    with caplog.at_level("DEBUG", "burgee.statements"), connection.execute_wrapper(note_statement):
        Site.objects.filter(domain="canary.example.org").exists()

    assert [record.getMessage()[:20] for record in caplog.records] == ['SELECT %s AS "a" FRO']
    assert "canary" not in caplog.text
    assert caplog.records[0].duration_in_ms > 0
