"""docs/compatibility.md says what is true."""

from app.compatibility import CLASSES, DOCUMENT, WALK, document, inventory, recorded_tests, routes_here
from app.routes import Route
from app.tests.examples import WORKING
from app.tests.recording import is_test


def test_the_written_page_is_what_the_code_says():
    assert DOCUMENT.read_text() == document(), "docs/compatibility.md is out of date: run `make docs`."


def test_no_endpoint_is_listed_twice():
    listed = [endpoint.route.anonymous for group in inventory() for endpoint in group.endpoints]

    assert sorted({each for each in listed if listed.count(each) > 1}) == []
    assert {endpoint.kind for group in inventory() for endpoint in group.endpoints} == set(CLASSES)


def test_the_tests_that_are_named_are_there():
    gone = {test for test in recorded_tests().values() if not is_test(test)}

    assert gone == set(), "Run these tests' files with --record-endpoints: docs/endpoint-tests.json is old."


def test_every_other_route_is_in_the_walk_that_the_page_names_for_it():
    assert is_test(WALK)
    refused = {
        endpoint.route.anonymous
        for group in inventory()
        for endpoint in group.endpoints
        if endpoint.is_refused
    }
    without_test = [
        route for route in routes_here() if str(route) not in recorded_tests() and route not in WORKING
    ]

    assert [str(route) for route in without_test if route.anonymous not in refused] == []
    assert refused <= {route.anonymous for route in without_test}


def test_what_the_page_says_is_not_here_is_not(admin_client):
    here = {route.anonymous for route in routes_here()}
    missing = [
        endpoint.route
        for group in inventory()
        for endpoint in group.endpoints
        if endpoint.route.anonymous not in here
    ]

    answers = {
        str(route): admin_client.generic(route.method, _filled(route)).status_code for route in missing
    }

    assert {route: status for route, status in answers.items() if status not in {404, 405}} == {}


def test_the_tests_that_are_named_are_of_routes_that_are_there():
    assert sorted(recorded_tests().keys() - {str(route) for route in routes_here()}) == []


def _filled(route: Route) -> str:
    return route.url(dict.fromkeys(route.parameters, "1"))
