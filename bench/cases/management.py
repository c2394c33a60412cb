"""The management API: lists of many rows, and many changes at once.

Lists are asked for over HTTP, one after another. What is done in the background is done in this process.
"""

import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.client import HTTPConnection
from statistics import median
from urllib.parse import quote

from django.db import connection

from bench.errors import CaseFailed
from bench.figures import Result, Target, percentile
from bench.rig import Rig
from bench.statement_log import LOGGED_WITHIN_SECONDS, logged
from bench.world import MILLION
from environments.models import Environment
from features.files import read_features
from features.models import Feature, FeatureImport, ImportStrategy
from features.services.change_sets import Change, apply_change_set
from features.services.imports import run_import

_REQUESTS = 100
_COUNTED = 5
_IDLE_SECONDS = 3.0
_IMPORTED, _VARIED = 1000, 200
_IMPORTS = 3
_STATES = 200
_SETS = 30


def measure_listing(rig: Rig) -> Iterator[Result]:
    """A page of 20 features, of 1,000, as a dashboard asks for it."""
    place = rig.world.thousand
    path = f"/api/v1/projects/{place.project_id}/features/?page_size=20&environment={place.id}"
    for what, query in (
        ("first page", "&page=1"),
        ("last page", "&page=50"),
        ("search", "&search=feature_99&sort_field=name"),
    ):
        yield from _list(rig, f"20 of 1,000 features, {what}", path + query)


def measure_million(rig: Rig) -> Iterator[Result]:
    """The first page of a million identities, and a search for one of them."""
    place = rig.world.million
    path = f"/api/v1/environments/{place.key}/identities/?page_size=20"
    exact = quote(f'"user-{MILLION // 2}@example.org"')
    yield from _list(rig, "20 of 1,000,000 identities, first page", path, Target(50))
    yield from _list(rig, "1 of 1,000,000 identities, by its name", f"{path}&q={exact}", Target(20))


def measure_importing(rig: Rig) -> Iterator[Result]:
    """A file of 1,000 features, of which 200 have two variants, into a project with three environments."""
    file = json.dumps([_portable(number) for number in range(_IMPORTED)])
    checked, imported, statements = [], [], 0
    for number in range(_IMPORTS):
        environment = Environment.objects.select_related("project").get(pk=rig.world.importing(number).id)
        begun_at = time.monotonic()
        read_features(file.encode())
        checked.append((time.monotonic() - begun_at) * 1000)
        requested = FeatureImport.objects.create(
            environment=environment, strategy=ImportStrategy.SKIP, data=file, user=rig.world.author
        )
        begun_at = time.monotonic()
        statements = _statements_of(partial(run_import, requested.pk))
        imported.append((time.monotonic() - begun_at) * 1000)
        if Feature.objects.filter(project=environment.project).count() != _IMPORTED:
            raise CaseFailed("the features of the file aren't there")
    note = f"{statements} statements; {_IMPORTED * 3:,} feature states, published once"
    yield Result("import of 1,000 features", median(imported), "ms", note=note)
    yield Result("check of a file of 1,000 features", median(checked), "ms", note=f"{len(file):,} bytes")


def measure_changing(rig: Rig) -> Iterator[Result]:
    """200 default states in three environments are enabled or disabled, and get another value."""
    environments = rig.world.three
    features = list(
        Feature.objects.filter(project__environments=environments[0])
        .order_by("pk")
        .values_list("pk", flat=True)
    )
    places = [(feature, environment) for feature in features for environment in environments][:_STATES]
    took, statements = [], 0
    for number in range(_SETS):
        changes = [
            Change(feature, environment, enabled=bool(number % 2), value=f"value {number}")
            for feature, environment in places
        ]
        begun_at = time.monotonic()
        statements = _statements_of(partial(apply_change_set, changes, author=rig.world.author))
        took.append((time.monotonic() - begun_at) * 1000)
    what = f"change set of {_STATES} states over {len(environments)} environments"
    yield Result(f"{what}, p50", median(took), "ms", note=f"{statements} statements, {len(took)} sets")
    yield Result(f"{what}, p99", percentile(took, 99), "ms")


def _list(rig: Rig, what: str, path: str, target: Target | None = None) -> Iterator[Result]:
    server = rig.burgee
    headers = {"Authorization": f"Token {rig.world.token}"}
    client = HTTPConnection("127.0.0.1", server.port, timeout=60)

    def ask() -> None:
        client.request("GET", path, headers=headers)
        response = client.getresponse()
        body = response.read()
        if response.status != 200 or not json.loads(body)["results"]:
            raise CaseFailed(f"{path} answers {response.status}: {body[:200]!r}")

    for _ in range(5):
        ask()
    took = []
    for _ in range(_REQUESTS):
        begun_at = time.monotonic()
        ask()
        took.append((time.monotonic() - begun_at) * 1000)
    with logged(rig.folder) as log:
        client.close()  # the server would, before anybody asks again
        log.new()
        time.sleep(_IDLE_SECONDS)
        idle = set(log.new())
        for _ in range(_COUNTED):
            ask()
        time.sleep(LOGGED_WITHIN_SECONDS)
        caused = [statement for statement in log.new() if statement not in idle]
    client.close()
    note = f"{len(caused) / _COUNTED:g} statements; p99 {percentile(took, 99):.1f} ms"
    yield Result(f"{what}, p50", median(took), "ms", target, note=note)


def _statements_of(work: Callable[[], object]) -> int:
    """Do `work`, and return how many statements that took."""
    count = 0

    def counting(execute: Callable[..., object], *arguments: object) -> object:
        nonlocal count
        count += 1
        return execute(*arguments)

    with connection.execute_wrapper(counting):
        work()
    return count


def _portable(number: int) -> dict[str, object]:
    variants = [
        {
            "value": f"variant {each}",
            "type": "unicode",
            "default_percentage_allocation": 30,
            "percentage_allocation": 20,
        }
        for each in range(2 if number < _VARIED else 0)
    ]
    return {
        "name": f"feature_{number}",
        "type": "MULTIVARIATE" if variants else "STANDARD",
        "default_enabled": False,
        "is_server_key_only": False,
        "initial_value": f"value {number}",
        "enabled": number % 2 == 0,
        "value": f"live value {number}",
        "multivariate": variants,
    }
