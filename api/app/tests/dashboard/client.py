"""Asking as an unmodified dashboard does, and looking at the answers as it does."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

import requests

Known = dict[str, Any]
Body = Callable[[Known], Any]


class Shape(Enum):
    OBJECT = "one object"
    PAGE = "pages: count, next, previous and results"
    RESULTS = "results, and no count"
    BARE = "a bare list"
    NOTHING = "nothing that is looked at"


@dataclass(frozen=True)
class Call:
    """One call.

    Attributes:
        path: below /api/v1/, unless it begins with a slash; `{project[id]}` is a part of an earlier answer.
        fields: what each object of the answer has. Of lists that may be empty only what is in them is asked.
        saves: the name by which later calls know the answer; of a list, its first item. With `account` the
            dashboard signs in.
        tolerated: the screen stays usable when this is 404.
        later: why the call isn't there yet. Only then may it be 404 though the screen needs it.
    """

    method: str
    path: str
    shape: Shape = Shape.OBJECT
    fields: tuple[str, ...] = ()
    body: Body | None = None
    saves: str | None = None
    status: int | None = None
    may_be_empty: bool = False
    tolerated: bool = False
    later: str = ""
    form: Callable[[Known], dict[str, Any]] | None = None

    def saved_as(self, name: str) -> "Call":
        return replace(self, saves=name)

    def or_empty(self) -> "Call":
        return replace(self, may_be_empty=True)

    def or_missing(self) -> "Call":
        return replace(self, tolerated=True)

    def not_yet(self, why: str) -> "Call":
        return replace(self, later=why)

    def answered(self, status: int) -> "Call":
        return replace(self, status=status)


def get(path: str, *fields: str) -> Call:
    return Call("GET", path, Shape.OBJECT, fields)


def pages(path: str, *fields: str) -> Call:
    return Call("GET", path, Shape.PAGE, fields)


def results(path: str, *fields: str) -> Call:
    return Call("GET", path, Shape.RESULTS, fields)


def bare(path: str, *fields: str) -> Call:
    return Call("GET", path, Shape.BARE, fields)


def post(path: str, body: Body | None = None, *fields: str) -> Call:
    return Call("POST", path, Shape.OBJECT, fields, body)


def act(path: str, body: Body | None = None) -> Call:
    """Post something whose answer isn't looked at, but for its status."""
    return Call("POST", path, Shape.NOTHING, (), body)


def put(path: str, body: Body | None = None, *fields: str) -> Call:
    return Call("PUT", path, Shape.OBJECT, fields, body)


def delete(path: str, body: Body | None = None) -> Call:
    return Call("DELETE", path, Shape.NOTHING, (), body)


class Dashboard:
    """A browser with the dashboard in it. `known` is what it has been answered, by name."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.known: Known = {}
        self.missing: list[str] = []
        self._session = requests.Session()
        # As browsers send them from another origin.
        self._session.headers.update({"Accept": "application/json", "Origin": "http://localhost:8080"})

    def make(self, call: Call) -> None:
        """Make a call; raise AssertionError for an answer that the dashboard couldn't use."""
        path = call.path.format_map(_Names(self.known))
        response = self._send(call, path)
        told = f"{call.method} {path}: {response.status_code} {response.text[:500]}"
        assert response.status_code != 401, f"{told}\nThis signs the user out."
        assert response.status_code < 500, told
        if response.status_code == 404 and (call.tolerated or call.later):
            self.missing.append(f"{call.method} {path.partition('?')[0]}: {call.later or 'tolerated'}")
            return
        expected = {call.status} if call.status else _SUCCESS[call.method]
        assert response.status_code in expected, told
        if call.shape is Shape.NOTHING:
            return
        assert response.headers["Content-Type"].startswith("application/json"), told
        answer = response.json()
        items = self._items(call, answer, told)
        for item in items:
            lacking = [field for field in call.fields if not _has(item, field)]
            assert not lacking, f"{told}\nThese are missing: {lacking}, in {item}"
        assert items or call.may_be_empty or call.tolerated or call.later, f"{told}\nThere should be some."
        if call.saves and items:
            self.known[call.saves] = items[0]
        if call.saves == "account":
            self._session.headers["Authorization"] = f"Token {answer['key']}"

    def _send(self, call: Call, path: str) -> requests.Response:
        url = f"{self.url}{path}" if path.startswith("/") else f"{self.url}/api/v1/{path}"
        if call.form is not None:
            return self._session.post(url, timeout=30, **call.form(self.known))
        body: dict[str, Any] = {}
        if call.body is not None or call.method in {"POST", "PUT"}:
            body["json"] = call.body(self.known) if call.body else {}
            body["headers"] = {"Content-Type": "application/json; charset=utf-8"}
        return self._session.request(call.method, url, timeout=30, **body)

    def _items(self, call: Call, answer: Any, told: str) -> list[Any]:
        if call.shape is Shape.OBJECT:
            return [answer]
        if call.shape is Shape.BARE:
            assert isinstance(answer, list), told
            return answer
        listed: list[Any] = answer["results"]
        if call.shape is Shape.RESULTS:
            return listed
        assert answer.keys() >= {"count", "next", "previous", "results"}, told
        while answer["next"]:
            # Followed as it is, with the public scheme and host in it.
            assert answer["next"].startswith(self.url), answer["next"]
            answer = self._session.get(answer["next"], timeout=30).json()
            listed += answer["results"]
        assert len(listed) == answer["count"], told
        return listed


class _Names(dict[str, Any]):
    def __init__(self, known: Mapping[str, Any]) -> None:
        super().__init__(known)

    def __missing__(self, name: str) -> "_Unknown":
        return _Unknown()


class _Unknown:
    """Stands in a path for what a call that isn't there would have answered."""

    def __getitem__(self, name: str) -> str:
        return "0"

    def __format__(self, specification: str) -> str:
        return "0"


_SUCCESS = {
    "GET": {200},
    "POST": {200, 201, 202, 204},
    "PUT": {200},
    "PATCH": {200, 204},
    "DELETE": {204},
}


def _has(item: Any, field: str) -> bool:
    """Whether an object has a field, which may be one inside others: `subscription.plan`."""
    for name in field.split("."):
        if not isinstance(item, dict) or name not in item:
            return False
        item = item[name]
    return True
