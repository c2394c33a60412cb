"""Each variable has a test that shows what it does; docs/variables.toml names it.

What a part does with its parameters is shown beside that part. Here it is shown that a variable becomes that
parameter.
"""

import json
import os
import re
import runpy
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured
from django.core.management import load_command_class
from django.test import Client
from rest_framework.serializers import ValidationError

from accounts.lockout import locked_out
from accounts.mfa.totp import enrolment_link
from accounts.services.use import note_use
from analytics.tallies import Tally
from app import configuration
from app.settings.environment import env
from app.tests.conftest import LoadSettings
from core.middleware import max_body_bytes
from core.service_routes.key import ServiceKeyAuthentication
from features.serializers.values import within_limit
from operations.metrics import folder
from organisations.models import Organisation
from sdk.store import SnapshotStore
from sdk.streams.hub import Streams
from segments.rules import problem_of
from tasks.registry import Task
from users.tests.factories import make_user

# Where somebody is a parameter who has nothing to do with it.
NOBODY: Any = None
ORIGIN = "https://shop.example.org"


def test_each_variable_has_a_test_that_shows_what_it_does():
    tests = configuration.notes()["tests"]
    declared = {each.name for each in env.declared}

    shown = {name for names in tests.values() for name in names}
    assert sorted(declared - shown) == [], "docs/variables.toml names no test of these"
    assert sorted(shown - declared) == []
    for test in tests:
        path, _, function = test.partition("::")
        assert re.search(rf"def {function}\(", (django_settings.API_DIR / path).read_text()), test


def test_variables_that_others_know_are_read_or_answered():
    notes = configuration.notes()
    entries = [*notes["around"], *notes["without_effect"]]
    answered = {name for each in entries for name in each["names"]}
    declared = {each.name for each in env.declared}

    assert sorted(set(notes["known_elsewhere"]) - declared - answered - set(notes["not_yet"])) == []
    assert sorted(declared & answered) == []
    assert [name for each in notes["not_tried"] for name in each["names"] if name not in declared] == []


# A variable, a text, and what becomes of it. The setting has the same name.
BECOMES = [
    ("TASK_PROCESSOR_NUM_THREADS", "7", 7),
    ("TASK_PROCESSOR_SLEEP_INTERVAL_MS", "250", 250),
    ("TASK_PROCESSOR_GRACE_PERIOD_MS", "1000", 1000),
    ("TASK_PROCESSOR_QUEUE_POP_SIZE", "3", 3),
    ("TASK_BACKOFF_DEFAULT_DELAY_SECONDS", "9", 9),
    ("TASK_DELETE_RETENTION_DAYS", "3", 3),
    ("TASK_DELETE_RUN_EVERY", "60", 60),
    ("ENABLE_API_USAGE_TRACKING", "no", False),
    ("API_USAGE_CACHE_SECONDS", "0", 1),
    ("FEATURE_EVALUATION_CACHE_SECONDS", "20", 20),
    ("MAX_WAITING_COUNTS", "5", 5),
    ("MAX_WAITING_IDENTITY_READS", "5", 5),
    ("KEPT_ANSWERS_BYTES", "1000", 1000),
    ("SNAPSHOT_MEMORY_BYTES", "1000", 1000),
    ("MAX_STREAMS", "3", 3),
    ("MAX_UNKNOWN_KEYS", "3", 3),
    ("MAX_WAITING_REQUESTS", "3", 3),
    ("GOOGLE_CLIENT_ID", "g", "g"),
    ("GITHUB_CLIENT_ID", "h", "h"),
    ("GITHUB_CLIENT_SECRET", "s", "s"),
    ("GITHUB_URL", "https://git.example.org/", "https://git.example.org"),
    ("GITHUB_API_URL", "https://git.example.org/api/", "https://git.example.org/api"),
    ("GOOGLE_USERINFO_URL", "https://g.example.org/me", "https://g.example.org/me"),
    ("GOOGLE_TOKENINFO_URL", "https://g.example.org/token", "https://g.example.org/token"),
    ("SLACK_CLIENT_ID", "c", "c"),
    ("SLACK_CLIENT_SECRET", "s", "s"),
    ("SLACK_URL", "https://slack-gov.com/", "https://slack-gov.com"),
    ("OIDC_REDIRECT_ORIGINS", "https://a.example.org", ["https://a.example.org"]),
    ("WEBHOOK_LOG_RETENTION_DAYS", "3", 3),
    ("EMAIL_TIMEOUT", "3", 3),
]


def test_what_is_read_once_at_the_start_is_what_the_variable_says(load: LoadSettings):
    loaded = load(**{name: text for name, text, _ in BECOMES})

    assert {name: loaded[name] for name, _, _ in BECOMES} == {name: value for name, _, value in BECOMES}


def test_older_names_are_read_where_the_newer_ones_are_unset(load: LoadSettings):
    older = load(PG_API_USAGE_CACHE_SECONDS="33", DISABLE_INFLUXDB_FEATURES="true", RUN_BY_PROCESSOR="true")
    both = load(
        PG_API_USAGE_CACHE_SECONDS="33", API_USAGE_CACHE_SECONDS="44", TASK_RUN_METHOD="synchronously"
    )

    assert (older["API_USAGE_CACHE_SECONDS"], both["API_USAGE_CACHE_SECONDS"]) == (33, 44)
    assert older["DISABLE_ANALYTICS_FEATURES"] is True
    assert (older["TASK_RUN_METHOD"], both["TASK_RUN_METHOD"]) == ("TASK_PROCESSOR", "SYNCHRONOUSLY")


def test_jobs_are_swept_when_the_variable_says(load: LoadSettings):
    assert load(TASK_DELETE_RUN_TIME="03:30")["TASK_DELETE_RUN_TIME"].isoformat() == "03:30:00"


def test_gunicorn_is_configured_by_variables(load: LoadSettings):
    load(
        APP_HOST="127.0.0.1",
        PORT="8123",
        GUNICORN_WORKERS="4",
        GUNICORN_THREADS="6",
        GUNICORN_TIMEOUT="77",
        GUNICORN_KEEP_ALIVE="75",
        ACCESS_LOG_LOCATION="-",
        ACCESS_LOG_FORMAT="%(h)s",
        LOG_LEVEL="ERROR",
        STATSD_HOST="datadog",
        STATSD_PORT="8126",
        STATSD_PREFIX="flags",
    )

    configured = runpy.run_path(str(django_settings.API_DIR / "app" / "gunicorn.py"))

    assert {name: configured[name] for name in ("bind", "workers", "threads", "timeout", "keepalive")} == {
        "bind": "127.0.0.1:8123",
        "workers": 4,
        "threads": 6,
        "timeout": 77,
        "keepalive": 75,
    }
    assert (configured["accesslog"], configured["access_log_format"]) == ("-", "%(h)s")
    assert configured["loglevel"] == "error"
    assert (configured["statsd_host"], configured["statsd_prefix"]) == ("datadog:8126", "flags")


def test_a_task_processor_is_configured_by_variables(settings):
    settings.TASK_PROCESSOR_NUM_THREADS, settings.TASK_PROCESSOR_SLEEP_INTERVAL_MS = 7, 250
    settings.TASK_PROCESSOR_GRACE_PERIOD_MS, settings.TASK_PROCESSOR_QUEUE_POP_SIZE = 1000, 3

    parser = load_command_class("operations", "run-task-processor").create_parser("", "")

    chosen = vars(parser.parse_args([]))
    assert {
        name: chosen[name] for name in ("numthreads", "sleepintervalms", "graceperiodms", "queuepopsize")
    } == {
        "numthreads": 7,
        "sleepintervalms": 250,
        "graceperiodms": 1000,
        "queuepopsize": 3,
    }


def test_a_job_that_failed_waits_as_long_as_the_variable_says(settings):
    settings.TASK_BACKOFF_DEFAULT_DELAY_SECONDS = 9

    assert Task("t", print).delay_after(2) == timedelta(seconds=18)


def test_parts_of_the_server_have_the_bounds_that_variables_say(settings):
    settings.SNAPSHOT_MEMORY_BYTES, settings.MAX_STREAMS, settings.MAX_WAITING_COUNTS = 1000, 3, 5

    assert SnapshotStore()._most_bytes == 1000
    assert Streams(NOBODY)._most == 3
    assert Tally()._most == 5


DASHBOARD = {
    "amplitude": ("AMPLITUDE_API_KEY", "a"),
    "api": ("API_URL", "/flags/api/v1/"),
    "assetURL": ("ASSET_URL", "/assets/"),
    "cookieAuthEnabled": ("COOKIE_AUTH_ENABLED", "true"),
    "cookieSameSite": ("COOKIE_SAME_SITE", "Strict"),
    "crispChat": ("CRISP_CHAT_API_KEY", "c"),
    "disableAnalytics": ("DISABLE_ANALYTICS_FEATURES", "true"),
    "flagsmith": ("FLAGSMITH_ON_FLAGSMITH_API_KEY", "f"),
    "flagsmithAnalytics": ("FLAGSMITH_ANALYTICS", "true"),
    "flagsmithClientAPI": ("FLAGSMITH_ON_FLAGSMITH_API_URL", "https://f.example.org/"),
    "flagsmithRealtime": ("ENABLE_FLAGSMITH_REALTIME", "true"),
    "ga": ("GOOGLE_ANALYTICS_API_KEY", "g"),
    "githubAppURL": ("GITHUB_APP_URL", "https://github.com/apps/flags"),
    "headway": ("HEADWAY_API_KEY", "h"),
    "hideInviteLinks": ("DISABLE_INVITE_LINKS", "true"),
    "linkedinPartnerTracking": ("LINKEDIN_PARTNER_TRACKING", "l"),
    "maintenance": ("MAINTENANCE_MODE", "true"),
    "preventEmailPassword": ("PREVENT_EMAIL_PASSWORD", "true"),
    "preventSignup": ("PREVENT_SIGNUP", "true"),
    "reo": ("REO_API_KEY", "r"),
    "sentry": ("SENTRY_API_KEY", "s"),
    "useSecureCookies": ("USE_SECURE_COOKIES", "true"),
}


def test_dashboards_are_told_what_variables_say(load: LoadSettings, settings):
    loaded = load(**dict(DASHBOARD.values()))
    for name, _ in DASHBOARD.values():
        setattr(settings, name, loaded[name])

    script = Client().get("/config/project-overrides").content.decode()

    told = json.loads(script.partition("= ")[2].rstrip(";\n"))
    expected = {key: True if text == "true" else text for key, (_, text) in DASHBOARD.items()}
    assert {key: told[key] for key in DASHBOARD} == expected


def test_rates_and_throttles_are_what_variables_say(load: LoadSettings):
    rates = {
        "login": ("LOGIN_THROTTLE_RATE", "1/min"),
        "signup": ("SIGNUP_THROTTLE_RATE", "2/hour"),
        "user": ("USER_THROTTLE_RATE", "3/min"),
        "master_api_key": ("MASTER_API_KEY_THROTTLE_RATE", "4/day"),
    }
    throttle = "core.throttling.UserRateThrottle"

    loaded = load(**dict(rates.values()), DEFAULT_THROTTLE_CLASSES=throttle)["REST_FRAMEWORK"]

    assert loaded["DEFAULT_THROTTLE_CLASSES"] == [throttle]
    assert {scope: loaded["DEFAULT_THROTTLE_RATES"][scope] for scope in rates} == {
        scope: rate for scope, (_, rate) in rates.items()
    }
    shipped = load()["REST_FRAMEWORK"]["DEFAULT_THROTTLE_RATES"]
    assert [shipped[scope] for scope in rates] == ["20/min", "10000/min", None, None]


def test_mail_is_configured_by_variables(load: LoadSettings):
    smtp = load(
        EMAIL_HOST="mail.example.org",
        EMAIL_PORT="25",
        EMAIL_HOST_USER="kim",
        EMAIL_HOST_PASSWORD="s3cret",
        EMAIL_USE_TLS="false",
        SENDER_EMAIL="flags@example.org",
    )
    ses = load(
        EMAIL_BACKEND="django_ses.SESBackend",
        AWS_SES_REGION_NAME="eu-west-1",
        AWS_ACCESS_KEY_ID="AKIA",
        AWS_SECRET_ACCESS_KEY="s3cret",
    )
    elsewhere = load(
        EMAIL_BACKEND="django_ses.SESBackend", AWS_SES_REGION_ENDPOINT="email.eu-north-1.amazonaws.com"
    )
    sendgrid = load(SENDGRID_API_KEY="SG.1")

    names = ("EMAIL_HOST", "EMAIL_PORT", "EMAIL_HOST_USER", "EMAIL_HOST_PASSWORD", "EMAIL_USE_TLS")
    assert [smtp[name] for name in names] == ["mail.example.org", 25, "kim", "s3cret", False]
    assert smtp["DEFAULT_FROM_EMAIL"] == smtp["SERVER_EMAIL"] == "flags@example.org"
    assert (ses["EMAIL_HOST"], ses["EMAIL_HOST_USER"]) == ("email-smtp.eu-west-1.amazonaws.com", "AKIA")
    assert ses["EMAIL_HOST_PASSWORD"] not in ("", "s3cret")
    assert elsewhere["EMAIL_HOST"] == "email-smtp.eu-north-1.amazonaws.com"
    assert (sendgrid["EMAIL_HOST"], sendgrid["EMAIL_HOST_PASSWORD"]) == ("smtp.sendgrid.net", "SG.1")


def test_browsers_may_send_the_headers_that_a_variable_adds(load: LoadSettings, settings):
    settings.CORS_ALLOW_HEADERS = load(FLAGSMITH_CORS_EXTRA_ALLOW_HEADERS="x-shop")["CORS_ALLOW_HEADERS"]

    answer = Client().options(
        "/api/v1/flags/",
        headers={"Origin": ORIGIN, "Access-Control-Request-Method": "GET"},
    )

    allowed = answer["Access-Control-Allow-Headers"].split(", ")
    assert {"x-shop", "x-environment-key"} <= set(allowed)
    assert "sentry-trace" not in allowed


def test_bodies_of_imports_have_a_bound_of_their_own(settings):
    settings.MAX_REQUEST_BODY_BYTES, settings.MAX_IMPORT_BODY_BYTES = 100, 200

    assert max_body_bytes("/api/v1/features/feature-import/1") == 200
    assert max_body_bytes("/api/v1/flags/") == 100


def test_a_feature_value_has_the_length_that_a_variable_says(settings):
    settings.FEATURE_VALUE_LIMIT = 3

    assert within_limit("two") == "two"
    with pytest.raises(ValidationError, match="no more than 3 characters"):
        within_limit("four")


def test_a_value_of_a_condition_has_the_length_that_a_variable_says(settings):
    settings.SEGMENT_CONDITION_VALUE_LIMIT = 3
    condition: Any = SimpleNamespace(value="four", operator="EQUAL")

    assert problem_of(condition) == "A condition's value has no more than 3 characters."


def test_new_organisations_store_traits_where_the_variable_says_so(settings):
    settings.DEFAULT_ORG_STORE_TRAITS_VALUE = False
    off = Organisation().persist_trait_data
    settings.DEFAULT_ORG_STORE_TRAITS_VALUE = True

    assert (off, Organisation().persist_trait_data) == (False, True)


def test_apps_show_codes_under_the_name_that_a_variable_says(settings):
    settings.MFA_ISSUER = "Acme"

    assert "issuer=Acme" in enrolment_link("JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP", "kim@example.org")


def test_a_lockout_lasts_as_many_minutes_as_a_variable_says(load: LoadSettings, settings):
    settings.AXES_COOLOFF_TIME = load(AXES_COOLOFF_TIME="2.5")["AXES_COOLOFF_TIME"]

    assert locked_out(NOBODY, None, None)["Retry-After"] == "150"


@pytest.mark.django_db
def test_the_last_login_is_as_exact_as_a_variable_says(settings):
    user = make_user()
    note_use(user)
    first = user.last_login

    note_use(user)
    settings.LAST_LOGIN_UPDATE_THRESHOLD_MINUTES, unchanged = 0, user.last_login
    note_use(user)

    assert first
    assert user.last_login
    assert (unchanged, first < user.last_login) == (first, True)


def test_who_has_the_service_key_is_called_what_a_variable_says(settings, rf):
    settings.AUTH_KEY, settings.AUTH_ALLOWED_CLIENT = "key", "billing"

    found = ServiceKeyAuthentication().authenticate(rf.get("/config", headers={"X-AUTH-API-KEY": "key"}))

    assert found
    assert str(found[0]) == "billing"


def test_processes_share_their_figures_in_the_folder_that_a_variable_says(monkeypatch, tmp_path):
    given = tmp_path / "figures"
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(given))

    assert folder.prepare() is None
    assert given.is_dir()
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR")
    made = folder.prepare()
    assert made == os.environ["PROMETHEUS_MULTIPROC_DIR"]
    folder.remove(made)


def test_openid_connect_providers_are_described_by_variables_with_their_names(load: LoadSettings):
    (provider,) = load(
        OIDC_PROVIDERS="acme-corp",
        OIDC_ACME_CORP_TITLE="Acme",
        OIDC_ACME_CORP_ISSUER="https://id.acme.com",
        OIDC_ACME_CORP_CLIENT_ID="burgee",
        OIDC_ACME_CORP_CLIENT_SECRET="s3cret",
        OIDC_ACME_CORP_SCOPES="openid email",
        OIDC_TRUST_ADDRESSES="acme-corp",
    )["OIDC_PROVIDERS"]

    assert provider == {
        "slug": "acme-corp",
        "title": "Acme",
        "issuer": "https://id.acme.com",
        "client_id": "burgee",
        "client_secret": "s3cret",
        "scope": "openid email",
        "trusts_addresses": True,
    }


def test_domains_have_their_ways_of_signing_in_from_a_variable(load: LoadSettings):
    loaded = load(SIGN_IN_METHODS_BY_DOMAIN="@Acme.com=oidc:acme|google")

    assert loaded["SIGN_IN_METHODS_BY_DOMAIN"] == {"acme.com": ["oidc:acme", "google"]}
    assert load(AXES_ONLY_USER_FAILURES="false")["AXES_LOCKOUT_PARAMETERS"] == [["username", "ip_address"]]


@pytest.mark.django_db
def test_the_description_of_the_api_may_be_for_users_only(settings, admin_client):
    paths = ["/api/v1/docs/", "/api/v1/swagger.json", "/api/v1/swagger.yaml"]
    open_to_all = [Client().get(path).status_code for path in paths]
    settings.REQUIRE_AUTHENTICATION_FOR_API_DOCS = True
    browser = Client()
    browser.force_login(make_user(), backend="django.contrib.auth.backends.ModelBackend")

    assert open_to_all == [200, 200, 200]
    assert [Client().get(path).status_code for path in paths] == [401, 401, 401]
    assert [browser.get(path).status_code for path in paths] == [200, 200, 200]
    assert admin_client.get("/api/v1/swagger.json").status_code == 200


def test_the_description_of_the_api_names_the_servers_of_a_variable(load: LoadSettings):
    servers = load(OPENAPI_SERVERS='[{"url": "https://flags.example.org"}]')["SPECTACULAR_SETTINGS"][
        "SERVERS"
    ]

    assert servers == [{"url": "https://flags.example.org"}]
    with pytest.raises(ImproperlyConfigured, match=r"^OPENAPI_SERVERS is not a valid JSON list of objects"):
        load(OPENAPI_SERVERS='{"url": "x"}')


def test_variables_of_services_that_are_gone_are_answered_by_a_check(load: LoadSettings, settings):
    gone = ("GOOGLE_ANALYTICS_KEY", "GOOGLE_SERVICE_ACCOUNT", "GA_TABLE_ID")
    loaded = load(**dict.fromkeys(gone, "UA-1"))
    for name in gone:
        setattr(settings, name, loaded[name])

    (found,) = [each for each in run_checks() if each.id == "core.W001"]

    assert all(name in found.msg for name in gone)


def test_other_names_of_the_port_and_of_origins_are_read(load: LoadSettings):
    other = load(APP_PORT="9000", ALLOWED_ORIGINS=ORIGIN)
    both = load(APP_PORT="9000", PORT="9001", ALLOWED_ORIGINS="x", CORS_ALLOWED_ORIGINS=ORIGIN)

    assert (other["PORT"], both["PORT"]) == (9000, 9001)
    assert other["CORS_ALLOWED_ORIGINS"] == both["CORS_ALLOWED_ORIGINS"] == [ORIGIN]


def test_google_lets_people_into_the_admin_where_variables_name_an_application(load: LoadSettings):
    (provider,) = load(OAUTH_CLIENT_ID="burgee", OAUTH_CLIENT_SECRET="s3cret")["OIDC_PROVIDERS"]

    assert (provider["issuer"], provider["is_for_admin"]) == ("https://accounts.google.com", True)
    assert (provider["client_id"], provider["client_secret"]) == ("burgee", "s3cret")
    assert load(OAUTH_CLIENT_SECRET="s3cret")["OIDC_PROVIDERS"] == []
