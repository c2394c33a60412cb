"""What goes wrong outside of the API's own views: JSON for programs, a page for people, one log record."""

import logging

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from app.tests.commands import manage

BROWSER = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
FAULT = "the secret cause"
UNUSED = "postgres://127.0.0.1:9/none"


def raises(request: HttpRequest) -> HttpResponse:
    raise RuntimeError(FAULT)


class RaisingView(APIView):
    authentication_classes = ()
    permission_classes = ()

    def get(self, request: Request) -> Response:
        raise RuntimeError(FAULT)


urlpatterns = [
    path("raises/", raises),
    path("api/v1/raises/", RaisingView.as_view()),
    path("", include("app.urls")),
]
handler400 = "core.errors.bad_request"
handler404 = "core.errors.not_found"
handler500 = "core.errors.server_error"


@pytest.fixture
def client() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "text/plain", "nonsense"])
@pytest.mark.parametrize("at", ["/nowhere", "/api/v1/nowhere/"])
def test_a_path_that_leads_nowhere_is_told_to_programs_in_json(at, accept, client, db):
    response = client.get(at, headers={"Accept": accept} if accept else None)

    assert (response.status_code, response["Content-Type"]) == (404, "application/json")
    assert response.json() == {
        "detail": "Not found.",
        "msg": "Not Found",
        "reason": "There is nothing at this address.",
    }


def test_a_path_that_leads_nowhere_is_told_to_people_on_a_page(client, db):
    response = client.get("/nowhere", headers={"Accept": BROWSER})

    assert (response.status_code, response["Content-Type"]) == (404, "text/html; charset=utf-8")
    assert "There is nothing at this address." in response.content.decode()


def test_the_apis_own_404_stays_as_it_is(admin_client):
    assert list(admin_client.get("/api/v1/projects/999999/").json()) == ["detail"]


@pytest.mark.urls(__name__)
@pytest.mark.parametrize("at", ["/raises/", "/api/v1/raises/"])
def test_a_view_that_raises_is_told_without_its_cause_and_logged_once(at, client, caplog):
    with caplog.at_level(logging.WARNING):
        response = client.get(at)

    assert (response.status_code, response["Content-Type"]) == (500, "application/json")
    assert response.json()["detail"] == "Internal server error."
    assert {"msg", "reason"} <= set(response.json())
    assert FAULT not in response.content.decode()
    assert "Traceback" not in response.content.decode()
    assert [record.name for record in caplog.records if record.exc_info] == ["django.request"]
    assert len(caplog.records) == 1


@pytest.mark.urls(__name__)
def test_a_view_that_raises_is_told_to_people_on_a_page(client):
    response = client.get("/raises/", headers={"Accept": BROWSER})

    assert (response.status_code, response["Content-Type"]) == (500, "text/html; charset=utf-8")
    assert FAULT not in response.content.decode()


@pytest.mark.parametrize("debug", ["false", "true"])
def test_a_record_is_written_once(debug, tmp_path):
    script = "import logging; logging.getLogger('django.request').error('a fault')"

    result = manage("shell", "-c", script, DEBUG=debug, DATA_DIR=str(tmp_path), DATABASE_URL=UNUSED)

    assert result.stderr.count("a fault") == 1
