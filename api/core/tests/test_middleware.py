"""What every answer has in common."""

from django.test import Client


def test_every_answer_names_the_version_and_forbids_caching(client: Client):
    response = client.get("/nowhere")

    assert response.status_code == 404
    assert response["Flagsmith-Version"]
    assert "no-store" in response["Cache-Control"]


def test_an_unknown_path_is_answered_in_json(client: Client):
    response = client.get("/api/v1/nowhere/")

    assert (response.status_code, response.json()) == (404, {"detail": "Not found."})


def test_the_root_leads_to_the_admin(client: Client):
    response = client.get("/")

    assert (response.status_code, response["Location"]) == (302, "/admin/")
