"""A dashboard that was built elsewhere: its page, its files, and what it must not hide."""

import pytest
from django.conf import settings as django_settings
from django.test import Client

from app.front_end import PAGE, is_page
from app.routes import all_routes

BUNDLE = """{% load static %}<!doctype html><title>Dummy</title>
<script src="/config/project-overrides"></script><script src="{% static 'main.js' %}"></script>
"""


@pytest.fixture
def bundle(tmp_path, settings, monkeypatch) -> None:
    """Lay a dashboard where a build of it puts one."""
    page, static = tmp_path / "templates" / PAGE, tmp_path / "static"
    page.parent.mkdir(parents=True)
    static.mkdir()
    page.write_text(BUNDLE)
    (static / "main.js").write_text("console.log('dummy')")
    (templates,) = django_settings.TEMPLATES
    settings.TEMPLATES = [{**templates, "DIRS": [page.parent.parent]}]
    settings.STATIC_ROOT = static


def get(path: str, **headers: str) -> tuple[int, str]:
    response = Client().get(path, headers={"Accept": "text/html,*/*;q=0.8", **headers})
    return response.status_code, b"".join(response).decode()


def test_the_dashboards_page_is_at_every_address_of_its_own_and_its_files_below_static(bundle):
    pages = [get(path) for path in ("/", "/login", "/project/7/environment/abc/features/", "/invite/s3cret")]
    files = get("/static/main.js")

    assert {status for status, _ in pages} == {200}
    (page,) = {text for _, text in pages}
    assert '<script src="/static/main.js"></script>' in page
    # Nothing of ours stands in the page: a policy that forbids scripts within pages has nothing to forbid.
    assert page == BUNDLE.replace("{% load static %}", "").replace(
        "{% static 'main.js' %}", "/static/main.js"
    )
    assert files == (200, "console.log('dummy')")


def test_the_page_says_that_nobody_may_keep_or_frame_it(bundle):
    response = Client().get("/login")

    assert "no-store" in response["Cache-Control"]
    assert response["X-Frame-Options"] == "DENY"
    assert response["Content-Type"] == "text/html; charset=utf-8"
    assert Client().head("/login").content == b""


@pytest.mark.parametrize(
    "path",
    ["/api/", "/api/v1/unknown/", "/api", "/static/gone.js", "/ofrep/v2/", "/sse/x", "/metrics/x"],
)
def test_what_programs_ask_for_in_vain_is_not_the_page(bundle, db, path):
    assert get(path, Accept="*/*")[0] == 404
    assert not is_page(f"/{path}")


def test_the_page_hides_no_route(bundle, db):
    paths = [route.path for route in all_routes()]

    assert [path for path in paths if is_page(path.format_map(Anything()))] == []
    assert get("/health/liveness")[1] == '{"status":"ok"}'
    assert get("/robots.txt")[1].startswith("User-agent")
    assert "projectOverrides" in get("/config/project-overrides")[1]
    assert Client().get("/admin").status_code == 302


class Anything(dict):
    def __missing__(self, name: str) -> str:
        return "7"


def test_other_methods_and_programs_that_read_no_pages_are_told_that_nothing_is_there(bundle, db):
    assert Client().post("/login").status_code == 404
    assert Client().get("/login", headers={"Accept": "application/json"}).status_code == 404


def test_the_dashboard_can_be_switched_off(bundle, db, settings):
    settings.DISABLE_FLAGSMITH_UI = True

    assert get("/login")[0] == 404
    assert Client().get("/")["Location"] == "/admin/"


def test_without_a_bundle_home_leads_to_the_admin(db):
    assert get("/login")[0] == 404
    assert Client().get("/")["Location"] == "/admin/"
