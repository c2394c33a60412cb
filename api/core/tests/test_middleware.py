"""What every answer has in common."""

from io import BytesIO

import pytest
from django.http import HttpRequest, JsonResponse
from django.test import Client, RequestFactory

from core.middleware import BodyLimitMiddleware


def test_every_answer_names_the_version_and_forbids_caching(client: Client):
    response = client.get("/nowhere")

    assert response.status_code == 404
    assert response["Flagsmith-Version"]
    assert "no-store" in response["Cache-Control"]


def test_an_unknown_path_is_answered_in_json(client: Client):
    response = client.get("/api/v1/nowhere/")

    assert (response.status_code, response.json()["detail"]) == (404, "Not found.")


def test_the_root_leads_to_the_admin(client: Client):
    response = client.get("/")

    assert (response.status_code, response["Location"]) == (302, "/admin/")


def test_a_body_over_the_limit_is_refused(client: Client, settings):
    settings.MAX_REQUEST_BODY_BYTES = 10

    response = client.post("/api/v1/nowhere/", data="12345678901", content_type="application/json")

    assert (response.status_code, response.json()) == (
        413,
        {"detail": "The request body is larger than 10 bytes."},
    )


class Chunks(BytesIO):
    """A body without a length, as a server hands it on. Says how much was read of it."""

    @property
    def taken(self) -> int:
        return self.tell()


def chunked(body: Chunks, *, terminated: bool) -> HttpRequest:
    request = RequestFactory().post("/", HTTP_TRANSFER_ENCODING="chunked")
    request.META.update({"wsgi.input": body, "wsgi.input_terminated": terminated, "CONTENT_LENGTH": ""})
    return request


def echo(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"body": request.body.decode()})


def test_a_body_in_chunks_is_read_where_the_server_marks_its_end(settings):
    settings.MAX_REQUEST_BODY_BYTES = 10

    response = BodyLimitMiddleware(echo)(chunked(Chunks(b"1234567890"), terminated=True))

    assert response.content == b'{"body": "1234567890"}'


@pytest.mark.parametrize(
    ("terminated", "status", "taken"),
    [(True, 413, 111), (False, 411, 0)],
    ids=["the end is marked", "the end is not marked"],
)
def test_no_more_than_ten_times_the_limit_is_read_of_a_body(settings, terminated, status, taken):
    settings.MAX_REQUEST_BODY_BYTES = 10
    body = Chunks(b"1" * 1000)

    response = BodyLimitMiddleware(echo)(chunked(body, terminated=terminated))

    assert (response.status_code, body.taken) == (status, taken)


def test_a_form_of_too_many_fields_is_refused_in_json(client: Client, db):
    response = client.post("/admin/login/", data={f"field{number}": "" for number in range(1001)})

    assert (response.status_code, response.json()["detail"]) == (400, "Bad request.")
