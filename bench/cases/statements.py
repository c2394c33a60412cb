"""How many SQL statements warm requests cost, by PostgreSQL's own log.

The feed's polls and whatever is flushed every few seconds go on meanwhile, whether or not anybody asks. So
statements whose text also comes while nobody asks are left out of the count.
"""

import time
from collections.abc import Iterator, Mapping
from http.client import HTTPConnection
from json import dumps

from bench.cases.rates import Sample
from bench.errors import CaseFailed
from bench.figures import Result, Target
from bench.rig import Rig
from bench.servers import WORKERS
from bench.statement_log import LOGGED_WITHIN_SECONDS, logged
from bench.watching import one_connection_each
from bench.world import known_traits

_REQUESTS = 500
_IDLE_SECONDS = 8.0


def measure(rig: Rig) -> Iterator[Result]:
    world = rig.world
    traits = [{"trait_key": key, "trait_value": value} for key, value in known_traits(0).items()]
    samples = {
        "flags": (world.hundred.key, Sample("/api/v1/flags/")),
        "document": (world.hundred.server_key, Sample("/api/v1/environment-document/")),
        "transient": (
            world.people.key,
            Sample("/api/v1/identities/", {"traits": traits, "transient": True}),
        ),
        # Who is named is read from the database: were this nothing, too, nothing would be seen at all.
        "identity": (world.people.key, Sample("/api/v1/identities/?identifier=known-0")),
    }
    targets = {name: Target(0) for name in ("flags", "document", "transient")}
    with logged(rig.folder) as log:
        for key, sample in samples.values():
            _ask(rig, key, sample, times=10)
        log.new()
        time.sleep(_IDLE_SECONDS)
        idle = set(log.new())
        for name, (key, sample) in samples.items():
            _ask(rig, key, sample, times=_REQUESTS)
            time.sleep(LOGGED_WITHIN_SECONDS)
            caused = [statement for statement in log.new() if statement not in idle]
            if not caused and name == "identity":
                raise CaseFailed("statements can't be seen in PostgreSQL's log")
            note = f"as {caused[0][:80]}" if caused else ""
            case = f"SQL of {WORKERS * _REQUESTS:,} warm {name} requests"
            yield Result(case, len(caused), "statements", targets.get(name), note=note)


def _ask(rig: Rig, key: str, sample: Sample, *, times: int) -> None:
    headers = {"X-Environment-Key": key, "Content-Type": "application/json"}
    with one_connection_each(rig.burgee) as connections:
        for _ in range(times):
            for each in connections:
                _answered(each, sample, headers)


def _answered(connection: HTTPConnection, sample: Sample, headers: Mapping[str, str]) -> None:
    if sample.body is None:
        connection.request("GET", sample.path, headers=dict(headers))
    else:
        connection.request("POST", sample.path, dumps(sample.body), dict(headers))
    response = connection.getresponse()
    response.read()
    if response.status != 200:
        raise CaseFailed(f"{sample.path} answers {response.status}")
