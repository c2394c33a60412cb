"""What production asks for before it serves or migrates, and what is said of TLS."""

import os
import runpy

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.test import Client, RequestFactory, override_settings

from app.tests.commands import manage
from core.safety import refuse_unsafe_settings, secret_weakness

SECRET = "correct horse battery staple, and some more letters"
TLS = {
    "DJANGO_SECURE_SSL_REDIRECT": "true",
    "DJANGO_SECURE_HSTS_SECONDS": "31536000",
    "DJANGO_SECURE_HSTS_INCLUDE_SUBDOMAINS": "true",
    "DJANGO_SECURE_HSTS_PRELOAD": "true",
}
NEEDED = {"DJANGO_SECRET_KEY": SECRET, "DJANGO_ALLOWED_HOSTS": "flags.example.org"}


@pytest.mark.parametrize(
    ("secret", "words"),
    [
        ("", "is not set"),
        ("django-insecure-#^k3!s8v0q2m7z4x1c6b9n5l0p8o7i6u5y4t3r2e1w", "for trying things out"),
        ("changeme", "can be guessed"),
        ("k" * 64, "can be guessed"),
    ],
)
def test_an_unsafe_secret_is_named_and_not_shown(secret, words):
    weakness = secret_weakness(secret)

    assert words in weakness
    assert "\n" not in weakness
    assert not secret or secret not in weakness
    assert secret_weakness(SECRET) == ""


def test_production_neither_serves_nor_migrates_without_a_secret_and_hosts(settings):
    settings.REFUSE_UNSAFE_SETTINGS, settings.SECRET_KEY, settings.ALLOWED_HOSTS = True, "changeme", []
    both = r"^DJANGO_SECRET_KEY can be guessed.*DJANGO_ALLOWED_HOSTS is not set[^\n]*$"

    with pytest.raises(SystemExit, match=r"^Burgee can't start: DJANGO_SECRET_KEY can be guessed"):
        runpy.run_path(str(settings.API_DIR / "app" / "gunicorn.py"))
    with pytest.raises(ImproperlyConfigured, match=both):
        runpy.run_path(str(settings.API_DIR / "app" / "wsgi.py"))
    with pytest.raises(ImproperlyConfigured, match=both):
        call_command("migrate", verbosity=0)
    with pytest.raises(ImproperlyConfigured, match=both):
        call_command("restore", os.devnull)
    with pytest.raises(ImproperlyConfigured, match=both):
        call_command("run-task-processor")
    settings.SECRET_KEY, settings.ALLOWED_HOSTS = SECRET, ["flags.example.org"]
    refuse_unsafe_settings()
    settings.REFUSE_UNSAFE_SETTINGS, settings.ALLOWED_HOSTS = False, []
    refuse_unsafe_settings()


def test_the_refusal_of_production_is_one_line():
    result = manage("migrate", DJANGO_SETTINGS_MODULE="app.settings.production")

    assert result.returncode == 1
    assert result.stderr.startswith("Burgee can't start: DJANGO_SECRET_KEY is not set; ")
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("module", ["local", "develop"])
def test_a_developers_machine_makes_a_secret_and_keeps_it(load, module, tmp_path):
    first = load(module, DATA_DIR=str(tmp_path))
    again = load(module, DATA_DIR=str(tmp_path))
    given = load(module, DATA_DIR=str(tmp_path), **NEEDED)

    assert first["SECRET_KEY"] == again["SECRET_KEY"] == (tmp_path / "secret-key").read_text()
    assert (first["ALLOWED_HOSTS"], first["REFUSE_UNSAFE_SETTINGS"]) == (["*"], False)
    assert (given["SECRET_KEY"], given["ALLOWED_HOSTS"]) == (SECRET, ["flags.example.org"])


def warnings_in(settings: dict, **options) -> list[str | None]:
    ours = {name: value for name, value in settings.items() if name.isupper() and name not in UNMOVED}
    with override_settings(**ours):
        found = run_checks(include_deployment_checks=True, **options)
    return [each.id for each in found if not each.is_silenced()]


# What a running Django doesn't let go of.
UNMOVED = {"DATABASES", "CACHES", "INSTALLED_APPS", "LOGGING", "AUTH_USER_MODEL", "API_DIR", "REPOSITORY_DIR"}


@pytest.mark.django_db
def test_the_checks_of_a_deployment_are_silent_in_production_with_tls(load):
    assert warnings_in(load("production", **NEEDED, **TLS)) == []


def test_without_tls_they_say_that_and_nothing_else(load):
    found = warnings_in(load("production", **NEEDED), tags=["security"])

    assert sorted(map(str, found)) == ["security.W004", "security.W008"]


@pytest.mark.parametrize(("variable", "is_secure"), [("", True), ("true", True), ("false", False)])
def test_cookies_of_production_are_for_tls_unless_that_is_switched_off(load, variable, is_secure):
    loaded = load("production", USE_SECURE_COOKIES=variable)

    assert (loaded["SESSION_COOKIE_SECURE"], loaded["CSRF_COOKIE_SECURE"]) == (is_secure, is_secure)


def answered(client: Client, path: str, **more) -> tuple[int, str]:
    response = client.get(path, **more)
    return response.status_code, response.headers.get("Location", "")


@pytest.mark.django_db
def test_requests_without_tls_are_redirected_except_for_health(load):
    loaded = load(
        DJANGO_SECURE_SSL_REDIRECT="true",
        DJANGO_SECURE_SSL_HOST="tls.example.org",
        DJANGO_SECURE_REDIRECT_EXEMPT="^version",
        DJANGO_SECURE_HSTS_SECONDS="60",
        DJANGO_SECURE_HSTS_INCLUDE_SUBDOMAINS="true",
        DJANGO_SECURE_HSTS_PRELOAD="true",
        DJANGO_SECURE_REFERRER_POLICY="no-referrer,strict-origin",
        DJANGO_SECURE_CROSS_ORIGIN_OPENER_POLICY="same-origin-allow-popups",
    )
    with override_settings(**{name: value for name, value in loaded.items() if name.startswith("SECURE_")}):
        client = Client()

        assert answered(client, "/robots.txt") == (301, "https://tls.example.org/robots.txt")
        assert answered(client, "/health/liveness/")[0] == 200
        assert [answered(client, path)[0] for path in ("/healthy", "/version")] == [301, 200]
        response = client.get("/robots.txt", headers={"X-Forwarded-Proto": "https"})

    assert response.status_code == 200
    assert response["Strict-Transport-Security"] == "max-age=60; includeSubDomains; preload"
    assert response["Referrer-Policy"] == "no-referrer,strict-origin"
    assert response["Cross-Origin-Opener-Policy"] == "same-origin-allow-popups"


@pytest.mark.parametrize("name", ["X-Proto", "HTTP_X_PROTO", "x_proto"])
def test_a_proxy_says_by_headers_of_its_own_what_was_asked_and_how(load, name):
    loaded = load(
        SECURE_PROXY_SSL_HEADER_NAME=name, SECURE_PROXY_SSL_HEADER_VALUE="on", USE_X_FORWARDED_HOST="true"
    )
    names = ("SECURE_PROXY_SSL_HEADER", "USE_X_FORWARDED_HOST")
    request = RequestFactory().get("/", headers={"X-Proto": "on", "X-Forwarded-Host": "flags.example.org"})

    with override_settings(**{name: loaded[name] for name in names}):
        assert request.build_absolute_uri() == "https://flags.example.org/"
