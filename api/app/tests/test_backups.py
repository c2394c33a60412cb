"""Backup and restore: everything comes back, and nobody goes on with what came after."""

import io
import json
import os
import stat
import subprocess
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from rest_framework.test import APIClient

from app import embedded_postgres
from app.tests.commands import manage
from app.tests.world import World, build_world
from core.tests.thoroughness import EVERYTHING
from documents.builder import build
from documents.rows import read_rows
from environments.models import Environment, EnvironmentRevision
from environments.publishing import publish_all, silent_triggers
from features.models import Feature, FeatureState
from operations.backups import BackupError, restore_backup, write_backup
from operations.backups.tables import OF_THE_MOMENT
from sdk.tests.workers import Worker, eventually
from users.models import User

pytestmark = pytest.mark.django_db(transaction=True)

# What is other after a restore, or goes on being written.
NEVER_THE_SAME = {"environments_environmentrevision", "environments_projectrevision", *OF_THE_MOMENT}


@pytest.fixture
def world() -> World:
    return build_world("kept")


def rows() -> dict[str, str | None]:
    """Return a digest of each table's rows."""
    with connection.cursor() as cursor:
        digests = {}
        tables = set(connection.introspection.django_table_names(only_existing=True))
        for table in tables - NEVER_THE_SAME - {"environments_publishedrevision"}:
            cursor.execute(f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {table} AS t")
            digests[table] = cursor.fetchone()[0]
        return digests


def documents() -> dict[str, Any]:
    """Return all environment documents, but for when they last changed."""
    found = {}
    for environment in Environment.objects.all():
        document = build(read_rows(environment.pk)).document
        found[environment.api_key] = {**document, "updated_at": None}
    return found


def revisions() -> dict[int, EnvironmentRevision]:
    return EnvironmentRevision.objects.in_bulk()


def names() -> set[tuple[int, int, str]]:
    return {(each.environment_id, each.revision, each.nonce.hex) for each in revisions().values()}


def flags(key: str, **headers: str) -> Any:
    return APIClient(headers={"X-Environment-Key": key}).get("/api/v1/flags/", headers=headers)


@contextmanager
def worker(folder: Path) -> Iterator[Worker]:
    started = Worker(folder)
    try:
        yield started
    finally:
        started.stop()


def test_the_drill(world, tmp_path, settings, caplog):
    """The one of docs/backups.md: back up, lose something, restore, compare."""
    file = tmp_path / "burgee.zip"
    key, gone = world.environment.api_key, world.versioned
    publish_all()
    at_backup = flags(key)["ETag"]
    rows_before, documents_before, told = rows(), documents(), io.StringIO()

    settings.COUNTS_ARE_IN_INFLUXDB = True
    call_command("backup", str(file), stderr=told)
    settings.COUNTS_ARE_IN_INFLUXDB = False

    assert "InfluxDB, and not in this file" in told.getvalue()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == [file.name]
    assert rows() == rows_before  # nothing was written

    with worker(tmp_path / "host") as live:
        # What is lost by going back: other values, under numbers that would be given again.
        for value in ("later", "latest"):
            FeatureState.objects.filter(environment=world.environment).update(
                type="unicode", string_value=value, integer_value=None, boolean_value=None
            )
        gone.delete()
        added = Environment.objects.create(project=world.project, name="Made after the backup")
        later = {key: flags(key)["ETag"], added.api_key: flags(added.api_key)["ETag"]}
        seen = live.load(key).snapshot.name
        live.load(added.api_key)
        names_before, revisions_before = names(), revisions()

        with pytest.raises(CommandError, match="--overwrite"):
            call_command("restore", str(file))
        assert rows() != rows_before
        call_command("restore", str(file), overwrite=True, stdout=told)

        assert rows() == rows_before
        assert documents() == documents_before
        # Every name is new, and no number was ever given: not here, and in no cache of any host.
        assert not names() & names_before
        for environment_id, revision in revisions().items():
            if environment_id in revisions_before:
                assert revision.revision > revisions_before[environment_id].revision
                assert revision.updated_at > revisions_before[environment_id].updated_at
        for etag in (at_backup, later[key]):
            answer = flags(key, **{"If-None-Match": etag})
            assert answer.status_code == 200
            assert all(flag["feature_state_value"] != "latest" for flag in answer.json())
        assert flags(added.api_key, **{"If-None-Match": later[added.api_key]}).status_code == 403
        # Workers that have run all the time follow.
        eventually(lambda: live.load(key).snapshot.name.number > seen.number)
        eventually(lambda: live.live.get(added.api_key) is None)

    # It goes on as before: what changes is published, and what is new gets numbers of its own.
    assert silent_triggers() == []
    number = revisions()[world.environment.pk].revision
    assert Feature.objects.create(project=world.project, name="new").pk > world.feature.pk
    assert revisions()[world.environment.pk].revision > number
    for secret in (world.environment.server_side_keys.first().key, world.token, world.admin.password):
        assert secret not in told.getvalue() + caplog.text


def test_what_is_no_whole_backup_of_this_installation_changes_nothing(world, tmp_path, settings):
    whole = io.BytesIO()
    write_backup(whole)
    User.objects.create_user("after@example.org", "a password")
    before = rows()

    def refused(content: bytes, reason: str, **options: Any) -> None:
        with pytest.raises(BackupError, match=reason):
            restore_backup(io.BytesIO(content), **{"overwrite": True, **options})
        assert rows() == before

    def other(parts: Mapping[str, bytes] = MappingProxyType({}), **manifest: Any) -> bytes:
        """Return the backup with something else in its manifest, or instead of a table's rows."""
        changed = io.BytesIO()
        with zipfile.ZipFile(whole) as source, zipfile.ZipFile(changed, "w") as target:
            for name in dict.fromkeys([*source.namelist(), *parts]):
                content = parts[name] if name in parts else source.read(name)
                if name == "manifest.json":
                    content = json.dumps(json.loads(content) | manifest).encode()
                target.writestr(name, content)
        return changed.getvalue()

    manifest = json.loads(zipfile.ZipFile(whole).read("manifest.json"))
    migrations, tables = manifest["migrations"], manifest["tables"]
    refused(b"", "no backup")
    refused(b"a dump of something else", "no backup")
    refused(whole.getvalue()[:-5000], "no backup")
    refused(other(kind="holiday photos"), "no backup")
    refused(other(format=2), "form 2")
    refused(
        other(version="9.0.0", migrations={**migrations, "features": ["0999_later"]}), "9.0.0.*0999_later"
    )
    refused(other(migrations={**migrations, "features": migrations["features"][:-1]}), "empty database")
    refused(other({"tables/users_user": b""}), "users_user has 0 rows")
    # What is in a row isn't repeated, as PostgreSQL does.
    refused(other({"tables/projects_project": b"secret\n"}), r"in: \w+ in COPY projects_project, line 1\.$")
    unknown = {"columns": ["id) FROM PROGRAM 'true' --\""], "rows": 0}
    refused(other(tables={**tables, "users_user": unknown}), "users_user has no column")
    refused(other({"tables/pg_authid": b""}, tables={**tables, "pg_authid": unknown}), "no table pg_authid")
    manifests: list[Any] = [None, [], {"users_user": None}, {"users_user": {"rows": 0}}]
    for strange in manifests:
        refused(other(tables=strange), "manifest")
    refused(other(migrations=[], sequences={"users_user": {"id": 7}}), "manifest")
    no_organisations = {
        **tables,
        "organisations_organisation": {**tables["organisations_organisation"], "rows": 0},
    }
    refused(other({"tables/organisations_organisation": b""}, tables=no_organisations), "can't be taken in")
    # That failed at the very end; numbers go on from where they were.
    last = User.objects.create_user("another@example.org", "a password").pk
    before = rows()
    flipped = bytearray(whole.getvalue())
    with zipfile.ZipFile(whole) as archive:
        flipped[archive.getinfo("tables/audit_rowchange").header_offset + 100] ^= 0xFF
    refused(bytes(flipped), "damaged")
    settings.SECRET_KEY = "another one, of another installation"
    refused(whole.getvalue(), "DJANGO_SECRET_KEY")
    refused(whole.getvalue(), "--overwrite", other_secret_key=True, overwrite=False)

    restore_backup(whole, overwrite=True, other_secret_key=True)
    assert not User.objects.filter(email="after@example.org").exists()
    assert User.objects.create_user("new@example.org", "a password").pk > last


def test_tables_of_caches_and_of_other_programs_are_neither_saved_nor_emptied():
    tables = {"a_cache", "another_programs"}
    try:
        call_command("createcachetable", "a_cache")
        with connection.cursor() as cursor:
            cursor.execute("CREATE TABLE another_programs (id serial)")
            cursor.execute("INSERT INTO another_programs DEFAULT VALUES")
        whole = io.BytesIO()

        saved = write_backup(whole)
        restore_backup(whole, overwrite=True)

        # Beside these, every table of the database is in it.
        left_out = tables | OF_THE_MOMENT | {"django_migrations", "environments_touch"}
        assert saved.tables.keys() == set(connection.introspection.table_names()) - left_out
        assert saved.sequences.keys().isdisjoint(tables)
        with connection.cursor() as cursor:
            cursor.execute("SELECT id FROM another_programs")
            assert cursor.fetchall() == [(1,)]
    finally:
        with connection.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS a_cache, another_programs")


def test_a_backup_leaves_files_alone_that_are_there(tmp_path):
    file = tmp_path / "burgee.zip"
    file.write_text("last week's")

    with pytest.raises(CommandError, match="already"):
        call_command("backup", str(file))

    assert file.read_text() == "last week's"


@pytest.fixture
def another_database() -> Iterator[str]:
    """The URL of an empty database on the tests' server."""
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path="/burgee_drill")
    with connection.cursor() as cursor:
        cursor.execute("DROP DATABASE IF EXISTS burgee_drill WITH (FORCE)")
        cursor.execute("CREATE DATABASE burgee_drill")
    yield url.geturl()
    with connection.cursor() as cursor:
        cursor.execute("DROP DATABASE burgee_drill WITH (FORCE)")


# What a shell there prints of all environments: documents, names, and triggers that don't fire.
LOOK = """
import json
from app.tests.test_backups import documents, names, rows
from environments.publishing import silent_triggers
print("LOOK" + json.dumps([documents(), sorted(names()), rows(), silent_triggers()], default=str))
"""


@pytest.mark.skipif(not EVERYTHING, reason="migrates a database twice: with WALKS=full only")
def test_an_empty_database_takes_a_backup_and_what_pg_dump_wrote(world, tmp_path, another_database):
    there = {
        "DATABASE_URL": another_database,
        "DJANGO_SECRET_KEY": settings.SECRET_KEY,
        "DATA_DIR": str(tmp_path),
    }
    publish_all()

    def look() -> list[Any]:
        shown = manage("shell", "-v", "0", "-c", LOOK, **there, DJANGO_SETTINGS_MODULE="app.settings.test")
        assert "LOOK" in shown.stdout, shown.stderr
        found: list[Any] = json.loads(shown.stdout.partition("LOOK")[2])
        return found

    here = json.loads(json.dumps([documents(), rows()], default=str))
    file = tmp_path / "burgee.zip"
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE another_programs (id serial)")
    call_command("backup", str(file))
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE another_programs")
    restored = manage("restore", str(file), **there)
    assert restored.returncode == 0, restored.stderr
    documents_there, names_there, rows_there, silent = look()
    assert [documents_there, rows_there, silent] == [*here, []]
    assert not {(pk, number, nonce) for pk, number, nonce in names_there} & names()
    assert "--overwrite" in manage("restore", str(file), **there).stderr

    # PostgreSQL's own programs, as docs/backups.md has them.
    with connection.cursor() as cursor:
        cursor.execute("DROP DATABASE burgee_drill WITH (FORCE)")
        cursor.execute("CREATE DATABASE burgee_drill")
    dump = str(tmp_path / "burgee.dump")
    source = (
        urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    )
    programs = embedded_postgres.binaries()
    for command in (
        ["pg_dump", "--format=custom", "--no-owner", f"--file={dump}", source],
        [
            "pg_restore",
            "--no-owner",
            "--exit-on-error",
            "--single-transaction",
            f"--dbname={another_database}",
            dump,
        ],
    ):
        subprocess.run([programs / command[0], *command[1:]], check=True, capture_output=True)
    assert manage("migrate", **there).returncode == 0
    assert "Published" in manage("publish", "--all", **there).stdout
    documents_there, names_there, rows_there, silent = look()
    assert [documents_there, rows_there, silent] == [*here, []]
    assert not {(pk, number, nonce) for pk, number, nonce in names_there} & names()
