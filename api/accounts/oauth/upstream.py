"""Asking a provider, which may be slow, away, or answer anything."""

import json
import time
from typing import Any

import requests

from accounts.external import NotVouchedFor, ProviderError
from core.version import USER_AGENT

# For everything that one sign-in asks, so that a provider that hangs doesn't hold up a thread for long.
_SECONDS = 4.0
_LARGEST_ANSWER = 256 * 1024
_REFUSED = {400, 401, 403}


class Upstream:
    """A conversation with one provider, with one deadline."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._deadline = time.monotonic() + _SECONDS

    def ask(self, method: str, url: str, **options: Any) -> Any:
        """Return the JSON that is answered.

        Raises:
            NotVouchedFor: the provider doesn't take what our client has brought.
            ProviderError: there is no answer in time, or none that makes sense.
        """
        try:
            left = max(self._deadline - time.monotonic(), 0.01)
            headers = {"User-Agent": USER_AGENT, **options.pop("headers", {})}
            with requests.request(
                method, url, timeout=left, stream=True, allow_redirects=False, headers=headers, **options
            ) as response:
                if response.status_code in _REFUSED:
                    raise self.refused()
                if response.status_code != 200:
                    raise self.malformed()
                return json.loads(self._body(response))
        except (requests.RequestException, ValueError, RecursionError) as error:
            raise ProviderError(f"{self._name} can't be reached, or didn't answer as expected.") from error

    def _body(self, response: requests.Response) -> bytes:
        body = b""
        for piece in response.iter_content(16 * 1024):
            body += piece
            if len(body) > _LARGEST_ANSWER or time.monotonic() > self._deadline:
                raise ValueError("too large or too slow")
        return body

    def refused(self) -> NotVouchedFor:
        return NotVouchedFor(f"{self._name} refused the sign-in.")

    def malformed(self) -> ProviderError:
        return ProviderError(f"{self._name} didn't answer as expected.")


def text(answer: Any, name: str) -> str:
    """Return a text, or a number as one, of what was answered; empty where there is none."""
    value = answer.get(name) if isinstance(answer, dict) else None
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    # PostgreSQL stores neither; a provider that sends them means nobody.
    return str(value).replace("\0", "").encode("utf-8", "replace").decode().strip()
