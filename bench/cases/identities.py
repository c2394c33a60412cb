"""Flags of identities: 100 flags of which 20 are multivariate, 10 segments with overrides, five traits."""

from collections.abc import Iterator

from bench.cases.rates import Sample, compare
from bench.errors import CaseFailed
from bench.figures import Result
from bench.rig import Rig
from bench.world import known_traits
from bench.wrk import Load
from identities.models import Identity

_PATH = "/api/v1/identities/"
_SCRIPT = "identities.lua"


def measure(rig: Rig) -> Iterator[Result]:
    yield compare(
        rig,
        "identity GET, known",
        _load(rig, "get"),
        Sample(f"{_PATH}?identifier=known-0"),
        at_least=0.25,
    )
    yield compare(rig, "identity POST, 5 traits changed", _load(rig, "changing"), _sample(), at_least=0.2)
    yield compare(rig, "identity POST, 5 traits unchanged", _load(rig, "known"), _sample())
    yield _new_identities(rig)


def measure_transient(rig: Rig) -> Iterator[Result]:
    named = {**_body(), "transient": True}
    nameless = {"traits": named["traits"], "transient": True}
    yield compare(
        rig,
        "transient POST, nameless",
        _load(rig, "anonymous"),
        Sample(_PATH, nameless),
        at_least=0.45,
    )
    # Whose stored traits count beside those of the request, so they are read.
    yield compare(rig, "transient POST, known identity", _load(rig, "transient"), Sample(_PATH, named))


def measure_ofrep(rig: Rig) -> Iterator[Result]:
    path = "/ofrep/v1/evaluate/flags"
    body = {"context": {"targetingKey": "known-0", **known_traits(0)}}
    load = Load(path, rig.world.people.key, script=_SCRIPT, arguments=("ofrep",))
    yield compare(rig, "OFREP bulk, 100 flags", load, Sample(path, body), at_least=0.4)


def _new_identities(rig: Rig) -> Result:
    """Measure identities that nobody has seen before, and see that each that was answered is there."""
    case = "identity POST, 5 traits, new identities"
    before = rig.requests_answered
    result = compare(rig, case, _load(rig, "new"), _sample())
    answered = rig.requests_answered - before
    made = Identity.objects.filter(environment_id=rig.world.people.id, identifier__startswith="new-").count()
    if result.state == "measured" and made < answered:
        raise CaseFailed(f"{case}: {answered:,} were answered and {made:,} are in the database")
    return result


def _load(rig: Rig, kind: str) -> Load:
    return Load(_PATH, rig.world.people.key, script=_SCRIPT, arguments=(kind,))


def _sample() -> Sample:
    return Sample(_PATH, _body())


def _body() -> dict[str, object]:
    """Return what SDKs send of `known-0`, who is stored like that."""
    traits = [{"trait_key": key, "trait_value": value} for key, value in known_traits(0).items()]
    return {"identifier": "known-0", "traits": traits}
