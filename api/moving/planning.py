"""What moving in would do, said before anything is done."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError

from core.errors import InvalidInput, refusal_in_words
from environments.models import Environment, ServerSideKey
from moving.api import MovingError
from moving.readings import EnvironmentReading, ProjectReading
from moving.taking_in import Here, find_here
from organisations.models import Organisation
from segments.models import Segment
from segments.rules import check_rules

# What no server tells by its API, or only in part.
NOT_MOVED = (
    "people, their passwords and second factors, groups, roles and permissions: invite them",
    "master keys and users' tokens, which servers keep as digests only: make new ones",
    "secrets of integrations: set them up anew; webhooks, too, which would tell of everything twice",
    "change requests, drafts, scheduled changes and former versions",
    "the audit log, and counts of requests and evaluations",
    "owners of features, custom fields, code references, health events, external resources",
)


@dataclass(frozen=True)
class Plan:
    """What there is to do for one project.

    Attributes:
        here: what it became, if it was taken in before: only identities are still to come then.
        conflicts: why it can't be taken in.
        differences: in which ways somebody would be served something else than before.
    """

    reading: ProjectReading
    here: Here | None = None
    conflicts: list[str] = field(default_factory=list)
    differences: list[str] = field(default_factory=list)

    @property
    def lines(self) -> Iterator[str]:
        """The report, for people. No keys are in it."""
        reading = self.reading
        yield f"{reading.name}:" + (
            " is here already; only identities are still to come" if self.here else ""
        )
        yield (
            f"  {_number(len(reading.features), 'feature')}, {_number(len(reading.segments), 'segment')}, "
            f"{_number(len(reading.tags), 'tag')}"
        )
        for environment in reading.environments:
            yield f"  {environment.name}: {_summary(environment)}"
        for note in reading.notes:
            yield f"  note: {note}"
        for difference in self.differences:
            yield f"  DIFFERENT: {difference}"
        for conflict in self.conflicts:
            yield f"  IMPOSSIBLE: {conflict}"


def plan_for(reading: ProjectReading, organisation: Organisation | None) -> Plan:
    """Return what there is to do, and what stands in the way. Nothing is changed."""
    try:
        here = find_here(reading, organisation) if organisation else None
    except MovingError as error:
        return Plan(reading, conflicts=[str(error)])
    if here is not None:
        return Plan(reading, here)
    differences = list(_differences(reading))
    if organisation is not None and organisation.persist_trait_data != reading.keeps_traits:
        stores = "stores traits" if reading.keeps_traits else "stores no traits"
        differences.append(f"its organisation {stores}, and {organisation.name} does otherwise")
    return Plan(reading, None, list(_conflicts(reading)), differences)


def plan_for_all(readings: Iterable[ProjectReading], organisation: Organisation | None) -> list[Plan]:
    """Return what there is to do for each project, and where they stand in each other's way."""
    plans = [plan_for(reading, organisation) for reading in readings]
    times = Counter(plan.reading.name for plan in plans)
    for plan in plans:
        if times[plan.reading.name] > 1:
            plan.conflicts.append(
                f"two projects are called {plan.reading.name}: rename one, or choose one by its id"
            )
    return plans


def _conflicts(reading: ProjectReading) -> Iterator[str]:
    for each in reading.environments:
        if Environment.all_objects.filter(api_key=each.api_key).exists():
            yield f"the client-side key of {each.name} is that of another environment here, or was"
        try:
            Environment._meta.get_field("api_key").run_validators(each.api_key)
        except ValidationError as error:
            yield f"the client-side key of {each.name}: {' '.join(error.messages)}"
        keys = [key.key for key in each.server_keys]
        if ServerSideKey.objects.filter(key__in=keys).exists():
            yield f"a server-side key of {each.name} is that of another environment here"
    names = [feature.name.lower() for feature in reading.features]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"two features are called {name}"


def _differences(reading: ProjectReading) -> Iterator[str]:
    ids = [each.source_id for each in reading.segments if each.splits]
    taken = set(Segment.all_objects.filter(pk__in=ids).values_list("pk", flat=True))
    for segment in reading.segments:
        if segment.source_id in taken:
            yield (
                f"segment {segment.name} splits by percentage, which draws with its id, and the id "
                f"{segment.source_id} is taken here: other people would be in it. A new installation has it"
            )
        try:
            check_rules(segment.rules)
        except InvalidInput as error:
            yield f"segment {segment.name} is kept, but: {refusal_in_words(error)}"
    known = {segment.source_id for segment in reading.segments}
    for environment in reading.environments:
        if not environment.draws_with_keys and (ids or any(state.draws for state in environment.states)):
            yield (
                f"{environment.name} draws with identities' numbers where the server evaluates "
                "(use_identity_composite_key_for_hashing is off). Burgee draws with keys, as SDKs that "
                "evaluate do: its rollouts would be drawn anew. Switch it on at the source first"
            )
        if any(state.draws and state.seed is None for state in environment.states):
            yield f"{environment.name} has rollouts that are drawn with a text: they would be drawn anew"
        if unknown := environment.overrides.keys() - known:
            yield (
                f"{environment.name} overrides for {_number(len(unknown), 'segment')} that the server's API "
                "doesn't list, of release pipelines or prerequisites: these aren't moved"
            )


def _summary(environment: EnvironmentReading) -> str:
    number = len(environment.identities) if environment.number is None else environment.number
    of_segments = sum(map(len, environment.overrides.values()))
    of_identities = sum(map(len, environment.identities.values()))
    return ", ".join(
        [
            _number(of_segments, "override") + " of segments",
            f"{of_identities} of identities" if environment.has_all_overrides else "some of identities",
            "identities of the edge" if environment.is_edge else _number(number, "identity", "identities"),
            _number(len(environment.server_keys), "server-side key"),
        ]
    )


def _number(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or f'{one}s'}"
