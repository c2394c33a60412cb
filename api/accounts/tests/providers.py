"""A server that does what Google and GitHub do, on a port of this machine."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

Answer = tuple[int, bytes]


class LocalServer(ThreadingHTTPServer):
    """Answers what its `routes` say. Each is given the query and form, and the request's headers.

    Attributes:
        asked: the paths that were asked for, in order.
        hangs: set while no answer is given.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.routes: dict[str, Callable[[dict[str, str], Any], Any]] = {}
        self.asked: list[str] = []
        self.hangs = False
        self.released = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            self.released.set()
            self.shutdown()
            thread.join(5)
            self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: LocalServer

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        self._answer(_flat(self.rfile.read(int(self.headers["Content-Length"] or 0)).decode()))

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def _answer(self, form: dict[str, str]) -> None:
        parts = urlsplit(self.path)
        self.server.asked.append(parts.path)
        if self.server.hangs:
            self.server.released.wait(30)
            return
        route = self.server.routes.get(parts.path)
        answer = route({**_flat(parts.query), **form}, self.headers) if route else (404, b"{}")
        status, body = answer if isinstance(answer, tuple) else (200, json.dumps(answer).encode())
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _flat(text: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(text).items()}


class OAuthServer(LocalServer):
    """Google and GitHub, with one person who has an account at both.

    Attributes:
        google: what Google says of them; `audience` is for whom their token was made.
        github, addresses: what GitHub says.
    """

    TOKEN, CODE, _GITHUB_TOKEN = "google-access-token", "github-code", "github-access-token"
    CLIENT_ID, CLIENT_SECRET = "our-client-id", "our-client-secret"

    def __init__(self) -> None:
        super().__init__()
        self.audience = self.CLIENT_ID
        self.google: Any = {
            "id": "1234567890",
            "email": "Ada@Example.org",
            "verified_email": True,
            "given_name": "Ada",
            "family_name": "Byron",
        }
        self.github: Any = {"id": 4711, "login": "ada", "name": "Ada Byron"}
        self.addresses: Any = [
            {"email": "ada@other.example.org", "primary": False, "verified": True},
            {"email": "Ada@Example.org", "primary": True, "verified": True},
        ]
        self.routes = {
            "/tokeninfo": self._token_information,
            "/userinfo": lambda form, headers: self._for(headers, self.TOKEN, self.google),
            "/login/oauth/access_token": self._exchange,
            "/user": lambda form, headers: self._for(headers, self._GITHUB_TOKEN, self.github),
            "/user/emails": lambda form, headers: self._for(headers, self._GITHUB_TOKEN, self.addresses),
        }

    def use_in(self, settings: Any) -> None:
        """Let the product take this for the providers."""
        settings.GOOGLE_CLIENT_ID = settings.GITHUB_CLIENT_ID = self.CLIENT_ID
        settings.GITHUB_CLIENT_SECRET = self.CLIENT_SECRET
        settings.GOOGLE_USERINFO_URL = f"{self.url}/userinfo?alt=json"
        settings.GOOGLE_TOKENINFO_URL = f"{self.url}/tokeninfo"
        settings.GITHUB_URL = settings.GITHUB_API_URL = self.url

    def _token_information(self, form: dict[str, str], headers: Any) -> Any:
        if form.get("access_token") != self.TOKEN:
            return 400, b'{"error": "invalid_token"}'
        return {"aud": self.audience, "azp": self.audience, "expires_in": "3599"}

    def _exchange(self, form: dict[str, str], headers: Any) -> Any:
        expected = {"client_id": self.CLIENT_ID, "client_secret": self.CLIENT_SECRET, "code": self.CODE}
        if form != expected or headers["Accept"] != "application/json":
            return {"error": "bad_verification_code"}
        return {"access_token": self._GITHUB_TOKEN, "token_type": "bearer"}

    def _for(self, headers: Any, token: str, answer: Any) -> Any:
        if headers["Authorization"] != f"Bearer {token}":
            return 401, b"{}"
        return answer
