"""Static files: from this server with WhiteNoise, or from S3."""

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.templatetags.static import static
from django.test import Client

from app.settings.static_storage import Bucket, static_storage
from app.tests.s3 import s3_server


@pytest.fixture
def one_file(tmp_path, settings) -> None:
    """Have one static file to collect."""
    (tmp_path / "admin").mkdir()
    (tmp_path / "admin" / "page.css").write_text("body { margin: 0 }")
    settings.STATICFILES_DIRS = [tmp_path]
    settings.STATICFILES_FINDERS = ["django.contrib.staticfiles.finders.FileSystemFinder"]


def bucket(**given: str) -> Bucket:
    return Bucket(**{"name": "acme", "region": "eu-west-2", "endpoint": "", "domain": "", **given})


def test_static_files_are_served_by_the_server_itself(one_file, settings, tmp_path):
    settings.STATIC_ROOT = tmp_path / "collected"

    call_command("collectstatic", verbosity=0, interactive=False)
    response = Client().get(static("admin/page.css"))

    assert b"".join(response) == b"body { margin: 0 }"
    assert (response["Content-Type"], response["Cache-Control"]) == (
        'text/css; charset="utf-8"',
        "max-age=60, public",
    )


def test_static_files_are_put_on_s3_and_pages_find_them_there(one_file, settings, monkeypatch):
    pytest.importorskip("storages", reason="django-storages is not installed")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s3cret")

    with s3_server() as s3:
        storage = static_storage(use_s3=True, bucket=bucket(endpoint=s3.url))
        settings.STORAGES = {**settings.STORAGES, "staticfiles": storage}
        call_command("collectstatic", verbosity=0, interactive=False)

    assert s3.files == {
        "/acme/static/admin/page.css": (b"body { margin: 0 }", "text/css", "public, max-age=60")
    }
    assert s3.signed_for == {"AKIA@eu-west-2"}
    assert static("admin/page.css") == f"{s3.url}/acme/static/admin/page.css"


@pytest.mark.parametrize(
    ("given", "host", "protocol"),
    [
        ({}, "acme.s3.eu-west-2.amazonaws.com", "https:"),
        ({"endpoint": "https://minio.example.org/"}, "minio.example.org/acme", "https:"),
        ({"endpoint": "http://minio:9000", "domain": "cdn.example.org"}, "cdn.example.org", "https:"),
    ],
)
def test_where_browsers_find_a_bucket(given, host, protocol):
    options = static_storage(use_s3=True, bucket=bucket(**given))["OPTIONS"]

    assert (options["custom_domain"], options["url_protocol"]) == (host, protocol)


def test_what_s3_needs_and_hasnt_got_is_told(settings, monkeypatch):
    settings.USE_S3_STORAGE, settings.AWS_STORAGE_BUCKET_NAME = True, ""
    monkeypatch.setattr("core.checks.find_spec", lambda name: None)

    assert {each.id for each in run_checks()}.issuperset({"core.E002", "core.E003"})
