"""Reading another server's management API, without getting in its way."""

import logging
import math
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, Protocol
from urllib.parse import urlencode, urlsplit

import requests

from core.version import USER_AGENT

logger = logging.getLogger(__name__)

_TIMEOUT_SECONDS = 60.0
_ATTEMPTS = 6
_LONGEST_WAIT_SECONDS = 300.0
_PAGE_SIZE = 100
# From 520 on they are a proxy's words for a server that it doesn't reach.
_COME_AGAIN = frozenset({429, 502, 503, 504, 520, 521, 522, 523, 524})


class MovingError(Exception):
    """Something can't be read, or not be taken in. The message says what, for people."""


class Answer(Protocol):
    """What is needed of an answer: `requests.Response` has it."""

    status_code: int

    @property
    def headers(self) -> Any: ...

    def json(self) -> Any: ...


Get = Callable[[str], Answer]


class SourceApi:
    """A server with Flagsmith's API, as one of its users, or as a machine.

    One request at a time, and no more a second than `most_per_second`. Where the server says when to come
    again, that is when it is asked again. Nothing is ever written there.

    Args:
        key: an organisation's master key, or a user's token. It stands in no message.
        get: what sends a request; another one in tests.
    """

    def __init__(
        self,
        url: str,
        key: str,
        *,
        most_per_second: float = 20.0,
        get: Get | None = None,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise MovingError("--url is the server's address, such as https://flags.example.org.")
        path = parts.path.rstrip("/").removesuffix("/api/v1")
        self._root = f"{parts.scheme}://{parts.netloc}{path}/api/v1/"
        self._get = get or _sender(key)
        self._pause_seconds = 1 / most_per_second
        self._not_before = 0.0

    def get(self, path: str, **query: Any) -> Any:
        """Return what a path answers, `projects/` for example.

        Raises:
            MovingError: it can't be read.
        """
        target = f"{self._root}{path}" + (f"?{urlencode(query)}" if query else "")
        for attempt in range(1, _ATTEMPTS + 1):
            self._wait_for_turn()
            try:
                answer = self._get(target)
            except requests.RequestException as error:
                if attempt == _ATTEMPTS:
                    raise MovingError(f"{self._root} doesn't answer ({type(error).__name__}).") from error
                time.sleep(2.0**attempt)
                continue
            if answer.status_code in _COME_AGAIN and attempt < _ATTEMPTS:
                time.sleep(_seconds_until(answer.headers.get("Retry-After"), otherwise=2.0**attempt))
                continue
            return _content(answer, path)
        raise AssertionError("the last attempt returns or raises")

    def pages(self, path: str, **query: Any) -> Iterator[list[Any]]:
        """Yield the pages of a list, whether it comes in pages or as it is."""
        number = 1
        while True:
            answer = self.get(path, page=number, page_size=_PAGE_SIZE, **query)
            if isinstance(answer, list):
                yield answer
                return
            yield answer["results"]
            if not answer.get("next"):
                return
            number += 1

    def steps(self, path: str) -> Iterator[list[Any]]:
        """Yield the parts of a list that goes on from where the last one ended, as the edge's do."""
        after: dict[str, str] = {}
        while True:
            answer = self.get(path, page_size=_PAGE_SIZE, **after)
            yield answer["results"]
            if not (last := answer.get("last_evaluated_key")):
                return
            after = {"last_evaluated_key": last}

    def all(self, path: str, **query: Any) -> list[Any]:
        return [item for page in self.pages(path, **query) for item in page]

    def count(self, path: str) -> int:
        return int(self.get(path, page=1, page_size=1)["count"])

    def _wait_for_turn(self) -> None:
        now = time.monotonic()
        if now < self._not_before:
            time.sleep(self._not_before - now)
        self._not_before = max(now, self._not_before) + self._pause_seconds


def _sender(key: str) -> Get:
    if not (key.isascii() and key.isprintable()):
        raise MovingError("A key has only printable characters of ASCII.")
    # Master keys have a prefix, which a dot ends.
    credentials = f"{'Api-Key' if '.' in key else 'Token'} {key}"

    def sign(request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = credentials
        return request

    session = requests.Session()
    session.headers.update({"Accept": "application/json", "User-Agent": USER_AGENT})
    session.auth = sign  # as a header, a .netrc would replace it

    def get(url: str) -> requests.Response:
        # No redirects: they could take the key elsewhere.
        return session.get(url, timeout=_TIMEOUT_SECONDS, allow_redirects=False)

    return get


def _content(answer: Answer, path: str) -> Any:
    if answer.status_code == HTTPStatus.OK:
        try:
            return answer.json()
        except ValueError as error:
            raise MovingError(
                f"{path} answers something that isn't JSON: is this the server's API?"
            ) from error
    reasons: dict[int, str] = {
        HTTPStatus.UNAUTHORIZED: "the key isn't one of this server's, or works no more",
        HTTPStatus.FORBIDDEN: "the key has no right to it; the organisation's administrators' have",
        HTTPStatus.NOT_FOUND: "there is no such thing, or the key may not see it",
    }
    is_redirect = 300 <= answer.status_code < 400
    reason = (
        "it redirects; --url must be the address itself" if is_redirect else f"status {answer.status_code}"
    )
    raise MovingError(f"{path} can't be read: {reasons.get(answer.status_code, reason)}.")


def _seconds_until(retry_after: str | None, *, otherwise: float) -> float:
    if not retry_after:
        return otherwise
    try:
        seconds = float(retry_after)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(retry_after) - datetime.now(UTC)).total_seconds()
        except (TypeError, ValueError):
            return otherwise
    if not math.isfinite(seconds):
        return otherwise
    return min(max(seconds, 0.0), _LONGEST_WAIT_SECONDS)
