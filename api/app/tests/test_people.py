"""Two workers of the real server, and people who come and go: what lets them in ends at once, everywhere."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import psycopg2
import pytest
from django.conf import settings

from app.tests.actors import Actor
from app.tests.databases import OwnDatabase
from app.tests.examples import EXAMPLES, example_of
from app.tests.rights import MEMBER, RIGHTS, SIGNED_IN, USER
from app.tests.routes import Route, api_routes
from core.tests.asgi.servers import Gunicorn, gunicorn
from core.tests.asgi.wire import Answer, connected, request
from users.tests.factories import PASSWORD

# Without coverage, which takes twice the time: what is walked through here has tests of its own.
pytestmark = pytest.mark.no_cover

API = "/api/v1"
SITE = ("Origin", "http://localhost")
CONFIGURATION = {
    "DJANGO_SETTINGS_MODULE": "app.settings.production",
    "DJANGO_SECRET_KEY": "what signs the cookies of people who come and go, fifty characters long",
    "DJANGO_ALLOWED_HOSTS": "localhost",
    "ENABLE_ADMIN_ACCESS_USER_PASS": "True",
    "ENABLE_EMAIL_ACTIVATION": "False",
    "LOGIN_THROTTLE_RATE": "1000/min",
    "GUNICORN_WORKERS": "2",
}
# Each credential is made by a process that serves nothing, so that no worker has seen it.
FILL = """
import django, json, sys
django.setup()
from django.core.management import call_command
from django.contrib.auth import get_user_model
from django.test import Client
from rest_framework.authtoken.models import Token
from rest_framework.response import Response
from accounts import cookies
from app.tests.world import build_world
from users.signed_tokens import signed_token
from users.tests.factories import PASSWORD, make_user

call_command("migrate", verbosity=0)
world = build_world("acme")
people = {}
for name in sys.argv[1:]:
    user = make_user(email=f"{name}@example.org", is_staff=True, is_superuser=True)
    world.organisation.memberships.create(user=user, role="ADMIN")
    browser, response = Client(), Response()
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    cookies.set_on(response, user)
    people[name] = {
        "id": user.pk,
        "token": Token.objects.create(user=user).key,
        "signed": signed_token(user),
        "cookie": response.cookies["jwt"].value,
        "admin": browser.cookies["sessionid"].value,
    }
print(json.dumps({
    "people": people,
    "admin": world.token,
    "organisation": world.organisation.pk,
    "project": world.project.pk,
}))
"""


class Server:
    """A server that runs, its database, and the people in it."""

    def __init__(self, server: Gunicorn, database: OwnDatabase, content: dict[str, Any]) -> None:
        self.server = server
        self.database = database
        self.people: dict[str, dict[str, Any]] = content["people"]
        self.admin = {"Authorization": f"Token {content['admin']}"}
        self.organisation = f"{API}/organisations/{content['organisation']}/"
        self.project = f"{API}/projects/{content['project']}/"

    def ask(self, method: str, path: str, headers: dict[str, str], content: Any = None) -> Answer:
        """Ask over a connection of its own, which either worker may take."""
        body = b"" if content is None else json.dumps(content).encode()
        listed = [SITE, ("Content-Type", "application/json"), *headers.items()]
        with connected(self.server.address) as connection:
            return connection.ask(request(method, path, listed, body))

    def statuses(self, method: str, path: str, headers: dict[str, str]) -> set[int]:
        """Return how a question is answered that is put often enough for both workers to be asked."""
        return {self.ask(method, path, headers).status for _ in range(16)}

    def execute(self, sql: str, *values: Any) -> None:
        with psycopg2.connect(self.database.url) as connection, connection.cursor() as cursor:
            cursor.execute(sql, values)


# What somebody signs in with: the page that it opens, and the headers that it is sent in.
CREDENTIALS: dict[str, tuple[str, Callable[[dict[str, Any]], dict[str, str]]]] = {
    "a token": (f"{API}/organisations/", lambda person: {"Authorization": f"Token {person['token']}"}),
    "a signed token": (f"{API}/user", lambda person: {"Authorization": person["signed"]}),
    "a cookie": (f"{API}/organisations/", lambda person: {"Cookie": f"jwt={person['cookie']}"}),
    "a session of the admin": ("/admin/", lambda person: {"Cookie": f"sessionid={person['admin']}"}),
}


def log_out(server: Server, person: dict[str, Any]) -> Answer:
    return server.ask("POST", f"{API}/auth/logout/", {"Authorization": f"Token {person['token']}"})


def change_password(server: Server, person: dict[str, Any]) -> Answer:
    new = "other-quagga-JUMPS-42"
    return server.ask(
        "POST",
        f"{API}/auth/users/set_password/",
        {"Authorization": f"Token {person['token']}"},
        {"current_password": PASSWORD, "new_password": new, "re_new_password": new},
    )


def delete_account(server: Server, person: dict[str, Any]) -> Answer:
    return server.ask(
        "DELETE",
        f"{API}/auth/users/me/",
        {"Authorization": f"Token {person['token']}"},
        {"current_password": PASSWORD},
    )


def deactivate(server: Server, person: dict[str, Any]) -> None:
    """Whoever does it, by whatever way."""
    server.execute("UPDATE users_user SET is_active = false WHERE id = %s", person["id"])


ROUTES = {str(route) for route in api_routes()}
ENDINGS: dict[str, Callable[[Server, dict[str, Any]], Answer | None]] = {
    "logout": log_out,
    "deactivation": deactivate,
    **({"password-change": change_password} if "POST /api/v1/auth/users/set_password/" in ROUTES else {}),
    **({"deletion": delete_account} if "DELETE /api/v1/auth/users/me/" in ROUTES else {}),
}
OTHERS = ["demoted", "removed"]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with tempfile.TemporaryDirectory(prefix="burgee-test-") as folder:
        database = OwnDatabase(Path(folder))
        configuration = {**CONFIGURATION, "DATABASE_URL": database.url, "SNAPSHOT_DIR": f"{folder}/snapshots"}
        try:
            filled = subprocess.run(
                [sys.executable, "-c", FILL, *ENDINGS, *OTHERS],
                cwd=settings.API_DIR,
                env={**os.environ, **configuration},
                capture_output=True,
                text=True,
            )
            assert filled.returncode == 0, filled.stderr
            arguments = ("--config", "python:app.gunicorn", "app.asgi")
            with gunicorn(Path(folder) / "log", *arguments, **configuration) as running:
                yield Server(running, database, json.loads(filled.stdout))
        finally:
            database.stop()


@pytest.mark.parametrize("ending", ENDINGS)
def test_everything_that_someone_signed_in_with_ends_within_a_second_on_every_worker(ending, server):
    person = server.people[ending]
    opened = {
        name: server.statuses("GET", page, headers(person)) for name, (page, headers) in CREDENTIALS.items()
    }

    answer = ENDINGS[ending](server, person)
    time.sleep(1)

    assert opened == {name: {200} for name in CREDENTIALS}
    assert answer is None or answer.status == 204, answer
    assert {
        name: server.statuses("GET", page, headers(person)) for name, (page, headers) in CREDENTIALS.items()
    } == {"a token": {401}, "a signed token": {401}, "a cookie": {401}, "a session of the admin": {302}}


def test_a_role_that_is_taken_away_gives_nothing_within_a_second_on_every_worker(server):
    person = server.people["demoted"]
    headers = {"Authorization": f"Token {person['token']}"}
    before = server.statuses("GET", server.organisation, headers)

    path = f"{server.organisation}users/{person['id']}/update-role/"
    answer = server.ask("POST", path, server.admin, {"role": "USER"})
    time.sleep(1)

    assert (before, answer.status) == ({200}, 200)
    assert server.statuses("GET", server.organisation, headers) == {403}
    assert server.statuses("GET", server.project, headers) == {404}


def test_who_was_removed_sees_nothing_within_a_second_on_every_worker(server):
    person = server.people["removed"]
    headers = {"Authorization": f"Token {person['token']}"}
    before = server.statuses("GET", server.project, headers)

    answer = server.ask("POST", f"{server.organisation}remove-users/", server.admin, [{"id": person["id"]}])
    time.sleep(1)

    assert (before, answer.status) == ({200}, 200)
    assert server.statuses("GET", server.organisation, headers) == {403}
    assert server.statuses("GET", server.project, headers) == {404}


@pytest.mark.parametrize(("method", "change"), [("DELETE", None), ("PATCH", {"revoked": True})])
def test_a_master_key_that_ends_opens_nothing_within_a_second_on_every_worker(method, change, server):
    keys = f"{server.organisation}master-api-keys/"
    key = server.ask("POST", keys, server.admin, {"name": "Terraform"}).json()
    headers = {"Authorization": f"Api-Key {key['key']}"}
    before = server.statuses("GET", server.project, headers)

    answer = server.ask(method, f"{keys}{key['prefix']}/", server.admin, change)
    time.sleep(1)

    assert (before, answer.status) == ({200}, 204 if method == "DELETE" else 200)
    assert server.statuses("GET", server.project, headers) == {401}


def test_a_role_of_a_colleague_that_is_deleted_gives_nothing_within_a_second(server):
    roles = f"{server.organisation}roles/"
    if "DELETE /api/v1/organisations/{organisation_pk}/roles/{pk}/" not in ROUTES:
        pytest.skip("There are no routes of roles.")
    person = register(server, "roled")
    headers = {"Authorization": f"Token {person['key']}"}
    server.execute(
        "INSERT INTO organisations_organisationmembership (user_id, organisation_id, role, date_joined) "
        "VALUES (%s, %s, 'USER', now())",
        person["id"],
        int(server.organisation.split("/")[-2]),
    )
    role = server.ask("POST", roles, server.admin, {"name": "Viewer"}).json()
    granted = {"project": int(server.project.split("/")[-2]), "permissions": [], "admin": True}
    server.ask("POST", f"{roles}{role['id']}/projects-permissions/", server.admin, granted)
    server.ask("POST", f"{roles}{role['id']}/users/", server.admin, {"user": person["id"]})
    before = server.statuses("GET", server.project, headers)

    answer = server.ask("DELETE", f"{roles}{role['id']}/", server.admin)
    time.sleep(1)

    assert (before, answer.status) == ({200}, 204)
    assert server.statuses("GET", server.project, headers) == {404}


def test_nothing_that_lets_someone_in_stands_in_the_servers_log(server):
    secrets = [value for person in server.people.values() for name, value in person.items() if name != "id"]

    assert [secret for secret in [*secrets, PASSWORD] if secret in server.server.log] == []


def register(server: Server, name: str, **more: Any) -> dict[str, Any]:
    """Register as anybody may, and return the new account with its token."""
    account = {
        "email": f"{name}@example.com",
        "password": "0123-quagga-JUMPS",
        "first_name": name,
        "last_name": "Byron",
        **more,
    }
    answer = server.ask("POST", f"{API}/auth/users/", {}, account)
    assert answer.status == 201, answer
    return answer.json()


class Stranger:
    """Stands for an object that the story has none of: no id of it exists."""

    pk, api_key, identifier, prefix, name = 2**31 - 1, "none-such", "nobody", "nonesuch", "none"
    identity_id = pk

    @property
    def uuid(self) -> str:
        return str(uuid4())


class Found:
    """What somebody has made over HTTP, as the examples ask a world for it."""

    def __init__(self, **answers: dict[str, Any]) -> None:
        for name, answer in answers.items():
            setattr(self, name, _Answered(answer))

    def __getattr__(self, name: str) -> Any:
        return defaultdict(Stranger) if name in {"grants", "attachments"} else Stranger()


class _Answered:
    def __init__(self, answer: dict[str, Any]) -> None:
        self.pk = answer["id"]
        self.__dict__.update(answer)


@pytest.mark.skipif(
    "POST /api/v1/users/join/link/{hash}/" not in ROUTES, reason="There are no routes of invitation links."
)
def test_a_colleague_with_one_permission_can_do_just_that(server):
    founder = register(server, "founder")
    me = {"Authorization": f"Token {founder['key']}"}

    def make(path: str, **content: Any) -> dict[str, Any]:
        answer = server.ask("POST", f"{API}/{path}", me, content)
        assert answer.status == 201, (path, answer)
        return answer.json()

    organisation = make("organisations/", name="Rowing club")
    project = make("projects/", name="Web shop", organisation=organisation["id"])
    environment = make("environments/", name="Production", project=project["id"])
    staging = make("environments/", name="Staging", project=project["id"])
    testing = make("environments/", name="Testing", project=project["id"])
    feature = make(f"projects/{project['id']}/features/", name="checkout")
    segment = make(
        f"projects/{project['id']}/segments/",
        name="Everybody",
        rules=[{"type": "ALL", "rules": [], "conditions": []}],
    )
    tag = make(f"projects/{project['id']}/tags/", label="Summer")
    identity = make(f"environments/{environment['api_key']}/identities/", identifier="kim")
    states = f"{API}/environments/{environment['api_key']}/featurestates/"
    state = server.ask("GET", states, me).json()["results"][0]
    link = make(f"organisations/{organisation['id']}/invite-links/", role="USER")

    colleague = register(server, "colleague", sign_up_type="INVITE_LINK", invite_hash=link["hash"])
    them = {"Authorization": f"Token {colleague['key']}"}
    joined = server.ask("POST", f"{API}/users/join/link/{link['hash']}/", them)
    grant, _ = (
        make(
            f"environments/{each['api_key']}/user-permissions/",
            user=colleague["id"],
            permissions=["VIEW_ENVIRONMENT"],
            admin=False,
        )
        for each in (environment, testing)
    )

    world = Found(
        organisation=organisation,
        admin=founder,
        member=founder,
        project=project,
        environment=environment,
        versioned=testing,
        feature=feature,
        multivariate=feature,
        segment=segment,
        tag=tag,
        identity=identity,
        state=state,
        varied_state=state,
    )
    assert (joined.status, joined.json()["name"], joined.json()["role"]) == (200, "Rowing club", "USER")
    assert grant["permissions"] == ["VIEW_ENVIRONMENT"]
    assert server.ask("GET", f"{API}/environments/{staging['api_key']}/", them).status == 403
    colleague_may = Actor("the colleague", them, frozenset({SIGNED_IN, USER, MEMBER, "VIEW_ENVIRONMENT"}))
    wrong = list(_more_or_less_than(server, colleague_may, world))
    assert not wrong, "\n".join(wrong)


def _more_or_less_than(server: Server, actor: Actor, world: Any) -> Iterator[str]:
    """Yield what the server lets the actor do, and the table of rights doesn't, or the other way round."""
    for route in api_routes():
        right = RIGHTS[str(route)]
        if right.is_public or right.unwalked or str(route) not in EXAMPLES or "/auth/" in route.path:
            continue
        asked = _asked(server, actor, world, route)
        stopped = actor.stopped_by(right)
        let_through = 200 <= asked.status < 300
        if stopped and stopped.status >= 400 and (let_through or asked.status >= 500):
            yield f"{route}: {asked.status}, should be {stopped.status}"
        if stopped is None and route.method == "GET" and not let_through and asked.status != 404:
            yield f"{route}: {asked.status} {asked.body[:100]!r}, should be let through"


def _asked(server: Server, actor: Actor, world: Any, route: Route) -> Answer:
    """Send what the table of examples has for a route, or anything where the story has no such object."""
    example = example_of(route)
    path = _made(example.path, world) or {
        "organisation_pk": world.organisation.pk,
        "project_pk": world.project.pk,
        "environment_key": world.environment.api_key,
    }
    path = {name: path.get(name, Stranger.pk) for name in route.parameters}
    query, body = _made(example.query, world) or {}, _made(example.body_in, world)
    question = "&".join(f"{name}={value}" for name, value in query.items())
    return server.ask(route.method, f"{route.url(path)}?{question}", actor.headers, _plain(body))


def _made(part: Callable[[Any], Any], world: Any) -> Any:
    """Return a part of an example; None where it needs what the story hasn't."""
    try:
        return part(world)
    except (AttributeError, LookupError, TypeError, RuntimeError):  # the last: it would make a row first
        return None


def _plain(body: Any) -> Any:
    return None if body is None else json.loads(json.dumps(body, default=str))
