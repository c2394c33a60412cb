"""Two organisations never see or touch each other's objects, whatever ids a request names.

Every route takes part, from the table of examples: a route without an example fails
`test_malformed_input.test_every_route_has_an_example`.
"""

from collections.abc import Callable, Iterable, Iterator

import pytest
from django.db import connection

from app.tests.examples import ROUTES, Caller, example_of
from app.tests.mutations import field, leaves, replaced, value_at
from app.tests.requests import Outcome, send
from app.tests.standing import standing
from app.tests.world import World

# Who tries: what each sends to a route, given their own organisation. Further kinds of credentials go here.
INTRUDERS: dict[str, Callable[[Caller, World], dict[str, str]]] = {
    "an administrator of another organisation": lambda caller, own: caller.headers(own),
    "nobody": lambda caller, own: {},
}
SIGNED_IN = {name: headers for name, headers in INTRUDERS.items() if name != "nobody"}

HIDDEN = {401, 403, 404}
GUARDED = [route for route in ROUTES if example_of(route).caller is not Caller.ANYONE]
WITH_IDS = [
    route
    for route in ROUTES
    if set(route.parameters) - example_of(route).any_value - example_of(route).secrets
]


# Without coverage: what is walked through thousands of times has tests of its own.
pytestmark = [pytest.mark.django_db, pytest.mark.no_cover]


@pytest.fixture(scope="module")
def worlds(django_db_setup, django_db_blocker) -> Iterator[list[World]]:
    with standing(django_db_blocker, "victimorg", "intruder") as worlds:
        yield worlds


@pytest.fixture
def victim(worlds) -> World:
    return worlds[0]


@pytest.fixture
def own(worlds) -> World:
    """What the intruder has: the same of everything."""
    return worlds[1]


@pytest.mark.parametrize("intruder", INTRUDERS)
@pytest.mark.parametrize("route", WITH_IDS, ids=str)
def test_no_id_in_the_path_reaches_another_organisation(route, intruder, victim, own):
    example = example_of(route)
    foreign, ours = example.path(victim), example.path(own)
    swapped = [name for name in route.parameters if foreign[name] != ours[name]]
    paths = {"all of them": foreign, **{name: {**ours, name: foreign[name]} for name in swapped}}

    outcomes = {
        name: send(
            route.method,
            route.url(values),
            headers=INTRUDERS[intruder](example.caller, own),
            query=example.query(victim if values is foreign else own),
            body=example.body_in(victim if values is foreign else own),
        )
        for name, values in paths.items()
    }

    assert swapped, "The example's path is the same for every organisation."
    assert_nothing_got_out(
        outcomes, victim, echoed=[foreign[name] for name in swapped if name in example.echoed]
    )
    assert [f"{name}: {each}" for name, each in outcomes.items() if each.status not in HIDDEN] == []


@pytest.mark.parametrize("intruder", SIGNED_IN)
@pytest.mark.parametrize("route", [route for route in ROUTES if example_of(route).body], ids=str)
def test_no_id_in_a_body_reaches_another_organisation(route, intruder, victim, own):
    example = example_of(route)
    foreign, ours = example.body_in(victim), example.body_in(own)
    swapped = [path for path, value in leaves(ours) if is_id(value) and value_at(foreign, path) != value]

    outcomes = {
        field(path): send(
            route.method,
            route.url(example.path(own)),
            headers=SIGNED_IN[intruder](example.caller, own),
            query=example.query(own),
            body=replaced(ours, path, value_at(foreign, path)),
        )
        for path in swapped
    }

    assert_nothing_got_out(outcomes, victim)
    accepted = {name: outcome for name, outcome in outcomes.items() if not outcome.is_refusal}
    assert [f"{name}: {each}" for name, each in accepted.items() if name not in example.ignored] == []
    echoed = [
        field(path)
        for path in swapped
        if field(path) in accepted
        and field(path) not in example.echoed
        and value_at(foreign, path) == answered(accepted[field(path)], path)
    ]
    assert echoed == []


@pytest.mark.parametrize("intruder", SIGNED_IN)
@pytest.mark.parametrize("route", ROUTES, ids=str)
def test_no_id_in_a_query_reaches_another_organisation(route, intruder, victim, own):
    example = example_of(route)
    foreign, ours = example.query(victim), example.query(own)
    queries = {"own": ours, **{name: {**ours, name: foreign[name]} for name in ours}}

    outcomes = {
        name: send(
            route.method,
            route.url(example.path(own)),
            headers=SIGNED_IN[intruder](example.caller, own),
            query=query,
            body=example.body_in(own),
        )
        for name, query in queries.items()
    }

    assert outcomes["own"].is_success is not example.is_refused, outcomes["own"]
    assert_nothing_got_out(outcomes, victim)


@pytest.mark.parametrize("route", GUARDED, ids=str)
def test_nobody_is_let_in_without_credentials(route, victim):
    example = example_of(route)
    connection.check_constraints()

    outcome = send(
        route.method,
        route.url(example.path(victim)),
        headers={},
        query=example.query(victim),
        body=example.body_in(victim),
    )

    echoed = [value for name, value in example.path(victim).items() if name in example.echoed]
    assert_nothing_got_out({"nobody": outcome}, victim, echoed=echoed)
    assert outcome.status in {401, 403}, outcome


def is_id(value: object) -> bool:
    return not isinstance(value, dict | list)


def answered(outcome: Outcome, path: tuple[str | int, ...]) -> object:
    """Return what an answer has where the request had `path`; None where it has nothing there."""
    try:
        return value_at(outcome.json(), path) if outcome.content else None
    except (KeyError, IndexError, TypeError):
        return None


def assert_nothing_got_out(
    outcomes: dict[str, Outcome], victim: World, *, echoed: Iterable[str] = ()
) -> None:
    """Assert that no answer has anything of the victim, apart from what the request said itself."""
    marker = victim.marker.encode()
    said = [value.encode() for value in echoed]
    assert [
        f"{name}: {each}" for name, each in outcomes.items() if each.status >= 500 and not each.is_success
    ] == []
    assert [
        f"{name}: {each}" for name, each in outcomes.items() if marker in without(each.content, said)
    ] == []
    assert [f"{name}: {each}" for name, each in outcomes.items() if each.is_refusal and each.changed] == []


def without(content: bytes, said: Iterable[bytes]) -> bytes:
    for each in said:
        content = content.replace(each, b"")
    return content
