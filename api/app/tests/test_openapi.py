"""The OpenAPI document is complete, is served, and docs/openapi.yaml is what it says."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.management import call_command
from django.test import Client

from core.openapi import singular

DOCUMENT = Path(settings.REPOSITORY_DIR) / "docs" / "openapi.yaml"


def read(text: bytes | str) -> Any:
    """Return what YAML says, or JSON, which is YAML too. Parsing it in Python takes seconds."""
    return yaml.load(text, Loader=yaml.CSafeLoader)


@pytest.fixture(scope="module")
def generated(tmp_path_factory) -> str:
    """The document as the code has it now. What the generator can't describe or name for sure is an error."""
    path = tmp_path_factory.mktemp("openapi") / "openapi.yaml"
    call_command("spectacular", "--file", str(path), "--validate", "--fail-on-warn")
    return path.read_text()


def test_the_written_document_is_what_the_code_says(generated):
    assert DOCUMENT.read_text() == generated, "docs/openapi.yaml is out of date: run `make docs`."


def test_operation_ids_are_words_and_no_two_are_the_same(generated):
    operations = [
        operation["operationId"]
        for methods in read(generated)["paths"].values()
        for operation in methods.values()
    ]

    assert [each for each in operations if not each.replace("_", "").isalnum()] == []
    assert len(set(operations)) == len(operations)


@pytest.mark.parametrize("path", ["/api/v1/swagger.json", "/api/v1/swagger.yaml"])
def test_anyone_may_read_the_document(client: Client, generated, path):
    response = client.get(path)

    assert read(response.content) == read(generated)


@pytest.mark.parametrize("path", ["/api/v1/swagger.json", "/api/v1/swagger.yaml", "/api/v1/docs/"])
def test_the_document_can_be_shown_to_nobody(path, superuser_client, settings):
    settings.DISABLE_API_DOCS = True

    assert superuser_client.get(path).status_code == 404


def test_the_page_of_the_document_loads_nothing_from_elsewhere(client: Client):
    page = client.get("/api/v1/docs/").content.decode()

    loaded = re.findall(r"""(?:src|href)=["']([^"']+)""", page)
    assert len(loaded) >= 3
    assert [url for url in loaded if not url.startswith("/static/")] == []
    assert finders.find("drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js")


def test_the_page_of_the_document_refuses_other_methods(client: Client):
    assert client.options("/api/v1/docs/").status_code == 405


@pytest.mark.parametrize(
    ("plural", "expected"),
    [("features", "feature"), ("identities", "identity"), ("analytics", "analytics"), ("login", "login")],
)
def test_the_singular_of_a_path(plural, expected):
    assert singular(plural) == expected
