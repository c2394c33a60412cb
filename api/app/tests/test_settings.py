"""Settings: one place reads the environment, refuses what it can't parse, and documents what there is."""

import json
import subprocess
import sys
from dataclasses import astuple
from pathlib import Path

import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from app import configuration
from app.settings.environment import Environment, env
from app.settings.secret_key import kept_secret_key
from app.tests.commands import MACHINE, manage

# Of these every text is one.
TEXTS = {"string", "secret", "comma separated list", "comma separated list of secrets"}
URL = "postgres://kim:p%40ss@db.example.org:6432/flags"


def test_settings_load_with_an_empty_environment(load):
    loaded = load()

    assert loaded["DATABASES"] == {}
    assert [loaded[name] for name in ("DEBUG", "ENV", "LOG_LEVEL", "ALLOWED_HOSTS")] == [
        False,
        "local",
        "WARNING",
        [],
    ]


def test_an_empty_value_counts_as_unset(load):
    unset = load()["env"].declared

    empty = load(**{variable.name: " " for variable in env.declared})["env"].declared

    assert list(map(astuple, empty)) == list(map(astuple, unset))


@pytest.mark.parametrize(
    "variable",
    [each for each in env.declared if each.type not in TEXTS],
    ids=lambda variable: variable.name,
)
def test_a_value_of_the_wrong_type_is_refused_by_name_and_not_repeated(load, variable):
    with pytest.raises(ImproperlyConfigured, match=rf"^{variable.name} is not a valid") as refusal:
        load(**{variable.name: "s3cret-nonsense"})

    assert "s3cret" not in str(refusal.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "-1"),
        ("PORT", "8000.5"),
        ("AXES_COOLOFF_TIME", "nan"),
        ("AXES_COOLOFF_TIME", "1x5"),
        ("DEBUG", "ture"),
        ("LOG_LEVEL", "LOUD"),
        ("LOGIN_THROTTLE_RATE", "20 a minute"),
    ],
)
def test_what_is_nearly_right_is_refused_too(load, name, value):
    with pytest.raises(ImproperlyConfigured, match=rf"^{name} is not a valid"):
        load(**{name: value})


@pytest.mark.parametrize("password", ["$ecret", "#1", "a=b", "'quoted'"])
def test_a_secret_is_taken_as_it_is(load, password):
    assert load(DJANGO_SECRET_KEY=password)["SECRET_KEY"] == password


def test_the_secret_key_has_an_older_name(load):
    assert load(SECRET_KEY="older")["SECRET_KEY"] == "older"
    assert load(SECRET_KEY="older", DJANGO_SECRET_KEY="newer")["SECRET_KEY"] == "newer"


def test_log_levels_may_be_written_in_small_letters(load):
    assert load(LOG_LEVEL="debug")["LOG_LEVEL"] == "DEBUG"


@pytest.mark.parametrize(
    ("text", "expected"),
    [("true", True), ("1", True), ("Yes", True), ("ON", True), ("false", False), ("0", False), ("No", False)],
)
def test_booleans_are_read_as_words(load, text, expected):
    assert load(DEBUG=text)["DEBUG"] is expected


def test_lists_are_separated_by_commas(load):
    assert load(DJANGO_ALLOWED_HOSTS="a.example.org, b.example.org,")["ALLOWED_HOSTS"] == [
        "a.example.org",
        "b.example.org",
    ]


def test_trusted_origins_get_a_scheme_where_they_have_none(load):
    loaded = load(DJANGO_CSRF_TRUSTED_ORIGINS="flags.example.org,https://other.example.org")

    assert loaded["CSRF_TRUSTED_ORIGINS"] == [
        "https://flags.example.org",
        "http://flags.example.org",
        "https://other.example.org",
    ]


@pytest.mark.parametrize("scheme", ["postgres", "postgresql"])
def test_the_database_is_read_from_its_url(load, scheme):
    database = load(DATABASE_URL=URL.replace("postgres", scheme, 1))["DATABASES"]["default"]

    assert {name: database[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")} == {
        "NAME": "flags",
        "USER": "kim",
        "PASSWORD": "p@ss",
        "HOST": "db.example.org",
        "PORT": 6432,
    }


@pytest.mark.parametrize(
    "url", ["mysql://db/flags", "sqlite:///flags.db", "db.example.org", "postgres://h:port/flags"]
)
def test_a_url_of_no_postgresql_database_is_refused(load, url):
    with pytest.raises(ImproperlyConfigured, match=r"^DATABASE_URL is not a valid PostgreSQL URL"):
        load(DATABASE_URL=url)


def test_the_database_is_read_from_its_parts(load):
    parts = {
        "DJANGO_DB_NAME": "flags",
        "DJANGO_DB_USER": "kim",
        "DJANGO_DB_PASSWORD": "p",
        "DJANGO_DB_HOST": "db",
    }
    assert load(**parts, DJANGO_DB_PORT="6432")["DATABASES"]["default"]["PORT"] == 6432

    database = load(**parts)["DATABASES"]["default"]

    assert [database[name] for name in ("NAME", "USER", "PASSWORD", "HOST", "PORT")] == [
        "flags",
        "kim",
        "p",
        "db",
        5432,
    ]


def test_the_url_of_a_database_wins_over_its_parts(load):
    loaded = load(DATABASE_URL=URL, DJANGO_DB_NAME="other", DJANGO_DB_HOST="elsewhere")

    assert loaded["DATABASES"]["default"]["NAME"] == "flags"


@pytest.mark.parametrize(("seconds", "kept"), [("", 60), ("5", 5), ("0", 0), ("-1", 0)])
def test_how_long_connections_are_kept(load, seconds, kept):
    loaded = load(DATABASE_URL=URL, DJANGO_DB_CONN_MAX_AGE=seconds)

    assert loaded["DATABASES"]["default"]["CONN_MAX_AGE"] == kept


REPLICA = "postgres://kim:p%40ss@replica-{}:5432/flags"


@pytest.mark.parametrize(
    "variables",
    [
        {"REPLICA_DATABASE_URLS": f"{REPLICA.format(1)},{REPLICA.format(2)}"},
        {
            "REPLICA_DATABASE_URLS": f"{REPLICA.format(1)}|{REPLICA.format(2)}",
            "REPLICA_DATABASE_URLS_DELIMITER": "|",
        },
        {
            "REPLICA_DATABASE_URLS": REPLICA.format(7),
            "REPLICA_DATABASE_URL_0": REPLICA.format(1),
            "REPLICA_DATABASE_URL_1": REPLICA.format(2),
            "REPLICA_DATABASE_URL_3": REPLICA.format(4),
        },
    ],
    ids=["listed", "delimited", "numbered"],
)
def test_replicas_are_read_beside_the_database(load, monkeypatch, variables):
    databases = load(DATABASE_URL=URL, **variables)["DATABASES"]

    assert {alias: database["HOST"] for alias, database in databases.items()} == {
        "default": "db.example.org",
        "replica_1": "replica-1",
        "replica_2": "replica-2",
    }
    assert databases["replica_1"]["PASSWORD"] == "p@ss"


@pytest.mark.parametrize(
    "variables",
    [
        {"CROSS_REGION_REPLICA_DATABASE_URLS": f"{REPLICA.format(1)},{REPLICA.format(2)}"},
        {
            "CROSS_REGION_REPLICA_DATABASE_URLS": f"{REPLICA.format(1)}|{REPLICA.format(2)}",
            "CROSS_REGION_REPLICA_DATABASE_URLS_DELIMITER": "|",
        },
        {
            "CROSS_REGION_REPLICA_DATABASE_URLS": REPLICA.format(7),
            "CROSS_REGION_REPLICA_DATABASE_URL_0": REPLICA.format(1),
            "CROSS_REGION_REPLICA_DATABASE_URL_1": REPLICA.format(2),
        },
    ],
    ids=["listed", "delimited", "numbered"],
)
def test_replicas_of_other_regions_are_read_apart(load, variables):
    databases = load(DATABASE_URL=URL, REPLICA_DATABASE_URLS=REPLICA.format(0), **variables)["DATABASES"]

    assert {alias: database["HOST"] for alias, database in databases.items()} == {
        "default": "db.example.org",
        "replica_1": "replica-0",
        "cross_region_replica_1": "replica-1",
        "cross_region_replica_2": "replica-2",
    }


def test_a_password_may_have_the_comma_that_another_delimiter_leaves_free(load):
    listed = f"{REPLICA.format(1).replace('p%40ss', 'p,ss')};{REPLICA.format(2)}"

    databases = load(DATABASE_URL=URL, REPLICA_DATABASE_URLS=listed, REPLICA_DATABASE_URLS_DELIMITER=";")[
        "DATABASES"
    ]

    assert [databases[f"replica_{number}"]["PASSWORD"] for number in (1, 2)] == ["p,ss", "p@ss"]


def test_there_are_no_replicas_without_the_url_of_a_database(load):
    assert load(REPLICA_DATABASE_URLS=REPLICA.format(1))["DATABASES"] == {}
    assert list(load(DJANGO_DB_NAME="flags", REPLICA_DATABASE_URLS=REPLICA.format(1))["DATABASES"]) == [
        "default"
    ]


COUNTS = {f"DJANGO_DB_{name}_ANALYTICS": f"counts-{name}" for name in ("NAME", "USER", "PASSWORD", "HOST")}


@pytest.mark.parametrize(
    ("variables", "host"),
    [
        ({"DATABASE_URL": URL, "ANALYTICS_DATABASE_URL": REPLICA.format("counts")}, "replica-counts"),
        ({"DJANGO_DB_NAME": "flags", **COUNTS, "DJANGO_DB_PORT_ANALYTICS": "6000"}, "counts-HOST"),
        ({"DATABASE_URL": URL, **COUNTS}, None),
        ({"DJANGO_DB_NAME": "flags", "ANALYTICS_DATABASE_URL": REPLICA.format("counts")}, None),
        ({"ANALYTICS_DATABASE_URL": REPLICA.format("counts")}, None),
    ],
    ids=["by URL", "in parts", "parts beside a URL", "a URL beside parts", "alone"],
)
def test_the_database_of_counts_is_given_in_the_way_of_the_main_one(load, variables, host):
    databases = load(**variables)["DATABASES"]

    assert databases.get("analytics", {}).get("HOST") == host
    if host == "counts-HOST":
        assert [databases["analytics"][name] for name in ("NAME", "USER", "PASSWORD", "PORT")] == [
            "counts-NAME",
            "counts-USER",
            "counts-PASSWORD",
            6000,
        ]


def test_a_way_around_a_pooler_says_that_there_is_one(load):
    databases = load(DATABASE_URL=URL, DIRECT_DATABASE_URL=REPLICA.format("direct"))["DATABASES"]

    assert databases["direct"]["HOST"] == "replica-direct"
    assert databases["default"]["DISABLE_SERVER_SIDE_CURSORS"] is True
    assert load(DATABASE_URL=URL)["DATABASES"]["default"]["DISABLE_SERVER_SIDE_CURSORS"] is False


def test_connections_are_looked_at_before_they_are_used_unless_that_is_switched_off(load):
    def looks(**variables: str) -> bool:
        return load(DATABASE_URL=URL, **variables)["DATABASES"]["default"]["CONN_HEALTH_CHECKS"]

    assert looks()
    assert not looks(DJANGO_DB_CONN_HEALTH_CHECKS="false")


@pytest.mark.parametrize(("given", "expected"), [("", "DISTRIBUTED"), ("sequential", "SEQUENTIAL")])
def test_the_strategy_of_reading_replicas_is_chosen(load, given, expected):
    assert load(REPLICA_READ_STRATEGY=given)["REPLICA_READ_STRATEGY"] == expected


def test_databases_have_older_names(load):
    parts = {"DATABASE_NAME": "flags", "DATABASE_USER": "kim", "DATABASE_HOST": "db", "DATABASE_PORT": "6432"}

    by_parts = load(**parts, DJANGO_DB_USER="ann")["DATABASES"]["default"]

    assert [by_parts[name] for name in ("NAME", "USER", "HOST", "PORT")] == ["flags", "ann", "db", 6432]
    assert load(SQLALCHEMY_DATABASE_URI=URL)["DATABASES"]["default"]["HOST"] == "db.example.org"


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"ENVIRONMENT": "staging"}, "staging"),
        ({"ENV": "production", "ENVIRONMENT": "staging"}, "production"),
    ],
)
def test_the_environment_has_an_older_name(load, environment, expected):
    assert load(**environment)["ENV"] == expected


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, (True, False, [])),
        ({"COOKIE_AUTH_ENABLED": "true"}, (False, True, [])),
        ({"COOKIE_AUTH_ENABLED": "true", "CORS_ORIGIN_ALLOW_ALL": "true"}, (True, True, [])),
        (
            {"FLAGSMITH_DOMAIN": "https://flags.example.org/"},
            (True, False, ["https://flags.example.org", "http://flags.example.org"]),
        ),
    ],
)
def test_which_pages_browsers_let_in_depends_on_cookie_mode(load, variables, expected):
    loaded = load(**variables)

    names = ("CORS_ALLOW_ALL_ORIGINS", "CORS_ALLOW_CREDENTIALS", "CORS_ALLOWED_ORIGINS")
    assert tuple(loaded[name] for name in names) == expected


@pytest.mark.parametrize(
    ("variables", "is_there"),
    [
        ({}, True),
        ({"USE_POSTGRES_FOR_ANALYTICS": "true"}, False),
        ({"INFLUXDB_BUCKET": ""}, False),
        ({"INFLUXDB_TOKEN": ""}, False),
    ],
)
def test_counts_are_in_influxdb_where_it_is_named_whole(load, variables, is_there):
    influxdb = {f"INFLUXDB_{name}": "x" for name in ("URL", "TOKEN", "ORG", "BUCKET")}

    assert load()["COUNTS_ARE_IN_INFLUXDB"] is False
    assert load(**{**influxdb, **variables})["COUNTS_ARE_IN_INFLUXDB"] is is_there


def test_static_files_are_on_s3_where_that_is_said(load):
    bucket = {"AWS_STORAGE_BUCKET_NAME": "acme", "AWS_S3_REGION_NAME": "eu-west-1"}

    loaded = load(USE_S3_STORAGE="true", **bucket)["STORAGES"]["staticfiles"]

    assert loaded["OPTIONS"]["custom_domain"] == "acme.s3.eu-west-1.amazonaws.com"
    assert "OPTIONS" not in load(**bucket)["STORAGES"]["staticfiles"]


def test_every_variable_is_declared_once_and_explained():
    names = [variable.name for variable in env.declared]

    assert sorted(names) == sorted(set(names))
    assert [variable.name for variable in env.declared if not variable.help] == []


LOGGERS = ("features.views", "library")
LOG = """
import logging, logging.config
from app.settings import common
logging.config.dictConfig(common.LOGGING)
for name in ("features.views", "library"):
    logging.getLogger(name).info("said")
    logging.getLogger(name).warning("warned")
for name in ("django.request", "django.server", "burgee.requests"):
    logging.getLogger(name).error("of a request")
"""


@pytest.mark.parametrize(
    ("variables", "logged"),
    [
        ({}, {"features.views warned", "library warned"}),
        ({"LOG_LEVEL": "ERROR"}, set()),
        ({"LOG_LEVEL": "info"}, {"features.views said", "features.views warned", "library warned"}),
        (
            {"LOG_LEVEL": "info", "APPLICATION_LOGGERS": "library"},
            {"library said", "library warned", "features.views warned"},
        ),
        ({"LOG_LEVEL": "DEBUG"}, {f"{name} {what}" for name in LOGGERS for what in ("said", "warned")}),
    ],
)
def test_logs_are_written_where_and_as_the_variables_say(tmp_path, variables, logged):
    log = tmp_path / "folder" / "log"
    silent = "LOG_LEVEL" in variables
    environment = {**MACHINE, "LOG_FORMAT": "json", "LOG_FILE": str(log), **variables}
    if silent:
        environment["DISABLE_FRAMEWORK_LOGS"] = "yes"

    result = subprocess.run(
        [sys.executable, "-c", LOG], cwd=settings.API_DIR, env=environment, capture_output=True, text=True
    )

    assert result.returncode == 0, result.stderr
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    of_requests = {"burgee.requests"} if silent else {"burgee.requests", "django.request", "django.server"}
    assert {f"{line['logger_name']} {line['message']}" for line in lines} == logged | {
        f"{name} of a request" for name in of_requests
    }
    assert log.read_text() == result.stdout


def test_a_file_may_configure_logging_in_its_place(load, tmp_path):
    (tmp_path / "logging.json").write_text('{"version": 1, "root": {"level": "ERROR"}}')
    (tmp_path / "list.json").write_text("[]")

    loaded = load(LOGGING_CONFIGURATION_FILE=str(tmp_path / "logging.json"))

    assert loaded["LOGGING"] == {"version": 1, "root": {"level": "ERROR"}}
    for name in ("list.json", "missing.json"):
        with pytest.raises(ImproperlyConfigured, match=r"^LOGGING_CONFIGURATION_FILE"):
            load(LOGGING_CONFIGURATION_FILE=str(tmp_path / name))


def test_the_page_and_the_example_of_all_variables_are_as_make_docs_writes_them():
    variables = configuration.declared()

    assert configuration.DOCUMENT.read_text() == configuration.document(variables, configuration.notes())
    assert configuration.EXAMPLE.read_text() == configuration.example(variables)


def test_a_variable_belongs_to_the_subject_of_the_module_that_declares_it():
    subjects = {variable.name: variable.subject for variable in env.declared}

    assert subjects["GUNICORN_WORKERS"] == "The server's processes"
    assert subjects["OIDC_<NAME>_TITLE"] == "Users, and the ways to sign in"
    assert all(subjects.values())


def test_what_is_secret_has_no_default():
    secrets = {variable.name: variable.default for variable in env.declared if variable.is_secret}

    assert {"DJANGO_SECRET_KEY", "DATABASE_URL", "DJANGO_SECRET_KEY_FALLBACKS"} <= secrets.keys()
    assert [name for name, default in secrets.items() if default] == []


def test_a_wrong_value_stops_the_start_with_one_line():
    result = manage("check", PORT="eighty", DATA_DIR="/nowhere")

    assert (result.returncode, result.stderr) == (
        1,
        "Burgee can't start: PORT is not a valid integer of at least 0.\n",
    )


def test_static_files_are_collected_in_production_without_any_variable():
    result = manage(
        "collectstatic", "--noinput", "--dry-run", DJANGO_SETTINGS_MODULE="app.settings.production"
    )

    assert result.returncode == 0, result.stderr
    assert "static files copied" in result.stdout


def test_production_makes_no_secret_key_of_its_own():
    reads_the_key = "from django.conf import settings; settings.SECRET_KEY"

    result = manage("shell", "-c", reads_the_key, DJANGO_SETTINGS_MODULE="app.settings.production")

    assert result.returncode == 1
    assert "SECRET_KEY setting must not be empty" in result.stderr


def test_a_secret_key_is_made_once_and_kept_private(tmp_path):
    path = tmp_path / "data" / "secret-key"

    key = kept_secret_key(path)

    assert len(key) >= 50
    assert kept_secret_key(path) == key
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


def test_the_secret_key_script_prints_a_fresh_key():
    script = Path(settings.API_DIR) / "secret-key-gen.py"

    keys = [
        subprocess.run([sys.executable, script], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]

    assert keys[0] != keys[1]
    assert all(len(key) >= 50 and key.strip().isascii() for key in keys)


def test_a_reader_notes_what_it_declares(monkeypatch):
    monkeypatch.setenv("SHARE", "0.25")
    env = Environment()

    assert env.number("SHARE", 1.0, help="A share.") == 0.25
    assert [(each.name, each.type, each.default) for each in env.declared] == [("SHARE", "number", 1.0)]
