"""The release before on this release's schema: `make release-before COMMIT=…`, before each release.

Its server is under load while the database is migrated, and goes on after it, beside one of this release.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings

from app.tests.databases import OwnDatabase
from app.tests.test_workers import FILL, Burgee, two_workers
from app.tests.traffic import Traffic
from core.tests.asgi.servers import wait_until
from core.tests.asgi.wire import connected, request

COMMIT = os.environ.get("RELEASE_BEFORE", "")


@pytest.mark.skipif(not COMMIT, reason="RELEASE_BEFORE names no commit: see `make release-before`")
def test_the_release_before_works_while_the_schema_changes_and_after(tmp_path):
    with tempfile.TemporaryDirectory(prefix="burgee-test-") as name, own_database(Path(name)) as database:
        folder = Path(name)
        before = checked_out(COMMIT, tmp_path)
        content = json.loads(run(before, database, "-c", FILL))
        with two_workers(folder, database.url, "snapshots before", code=before) as old_server:
            old = Burgee(old_server, database, content)
            with traffic(old) as meanwhile:
                run(settings.API_DIR, database, "manage.py", "migrate", "--verbosity=0")
                goes_on(meanwhile)
                with (
                    two_workers(folder, database.url, "snapshots") as new_server,
                    traffic(new := Burgee(new_server, database, content)) as after,
                ):
                    goes_on(meanwhile)
                    goes_on(after)
                    assert readiness(old) == readiness(new) == 200
                    made = [manage_everything(each, name) for each, name in ((old, "old"), (new, "new"))]
                    meanwhile.stop()
                    after.stop()
                    for writer, reader in ((old, new), (new, old)):
                        revision = writer.serve(f"written on port {writer.server.address[1]}")
                        assert values(reader, revision) == {f"written on port {writer.server.address[1]}"}

    print(f"\n{COMMIT}: {dict(meanwhile.answered)}, and beside it: {dict(after.answered)}")  # noqa: T201
    assert meanwhile.failures == after.failures == []
    assert made[0] == made[1]


def manage_everything(burgee: Burgee, name: str) -> list[tuple[str, int]]:
    """Make, change and delete one of each, and return the statuses."""
    asked: list[tuple[str, int]] = []

    def ask(method: str, path: str, content: object = None) -> dict:
        answer = burgee.manage(method, path, content)
        assert answer.status < 300, (method, path, answer)
        asked.append((method, answer.status))
        return answer.json() if answer.body else {}

    project = ask("GET", f"environments/{burgee.client_key}/")["project"]
    feature = ask("POST", f"projects/{project}/features/", {"name": f"{name}_feature", "initial_value": "x"})
    features = f"projects/{project}/features/{feature['id']}/"
    ask("PATCH", features, {"description": "changed"})
    option = {
        "type": "unicode",
        "string_value": "y",
        "default_percentage_allocation": 10,
        "feature": feature["id"],
    }
    ask("POST", f"{features}mv-options/", option)
    rules = [
        {
            "type": "ALL",
            "rules": [],
            "conditions": [{"operator": "EQUAL", "property": "plan", "value": "gold"}],
        }
    ]
    segment = {"name": f"{name} segment", "project": project, "rules": [{"type": "ALL", "rules": rules}]}
    made = ask("POST", f"projects/{project}/segments/", segment)
    environment = ask("POST", "environments/", {"name": f"{name} environment", "project": project})
    ask("POST", f"environments/{environment['api_key']}/api-keys/", {"name": "server"})
    ask("GET", f"environments/{environment['api_key']}/featurestates/")
    identity = ask("POST", f"environments/{burgee.client_key}/identities/", {"identifier": f"{name}-kim"})
    states = f"environments/{burgee.client_key}/identities/{identity['id']}/featurestates/"
    ask("POST", states, {"feature": feature["id"], "enabled": True, "feature_state_value": "z"})
    ask("GET", f"audit/?project={project}")
    ask("DELETE", f"projects/{project}/segments/{made['id']}/")
    ask("DELETE", features)
    ask("DELETE", f"environments/{environment['api_key']}/")
    return asked


def readiness(burgee: Burgee) -> int:
    with connected(burgee.server.address) as connection:
        return connection.ask(request(target="/health/readiness/?format=json")).status


def values(burgee: Burgee, revision: str) -> set[str]:
    return set(burgee.all_workers(lambda: burgee.value(X_Burgee_Min_Revision=revision)))


def traffic(burgee: Burgee) -> Traffic:
    path = f"/api/v1/environments/{burgee.client_key}/featurestates/{burgee.content['state']}/"
    return Traffic(
        burgee.server.address,
        client_key=burgee.client_key,
        token=burgee.content["token"],
        write=(path, lambda number: {"feature_state_value": f"value {number}"}),
    )


def goes_on(meanwhile: Traffic) -> None:
    before = meanwhile.answered.copy()
    kinds = ("flags", "identities", "writes")
    wait_until(
        lambda: all(meanwhile.answered[kind] > before[kind] + 20 for kind in kinds),
        lambda: f"{meanwhile.failures} {meanwhile.answered - before}",
    )


def checked_out(commit: str, folder: Path) -> Path:
    archive = folder / "before.tar"
    git = ["git", "-C", str(settings.REPOSITORY_DIR), "archive", f"--output={archive}", commit, "api"]
    subprocess.run(git, check=True)
    subprocess.run(["tar", "-xf", archive, "-C", folder], check=True)
    return folder / "api"


@contextmanager
def own_database(folder: Path) -> Iterator[OwnDatabase]:
    database = OwnDatabase(folder)
    try:
        yield database
    finally:
        database.stop()


def run(code: Path, database: OwnDatabase, *arguments: str) -> str:
    """Run Python in a release's folder, and return what it prints."""
    environment = {**os.environ, "DATABASE_URL": database.url, "DJANGO_SETTINGS_MODULE": "app.settings.test"}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=code, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
