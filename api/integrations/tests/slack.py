"""A server that does what Slack does, on a port of this machine."""

from typing import Any

from accounts.tests.providers import LocalServer

CLIENT_ID, CLIENT_SECRET, CODE, TOKEN = "our-slack-app", "its-client-secret", "slack-code", "xoxb-slack-token"


class SlackServer(LocalServer):
    """Slack, with one workspace of three channels, two on a page."""

    def __init__(self) -> None:
        super().__init__()
        self.callback = ""  # the last that a code was exchanged for
        self.routes = {"/api/oauth.v2.access": self._exchange, "/api/conversations.list": self._channels}

    def use_in(self, settings: Any) -> None:
        """Let the product take this for Slack, where it has an app."""
        settings.SLACK_URL = self.url
        settings.SLACK_CLIENT_ID, settings.SLACK_CLIENT_SECRET = CLIENT_ID, CLIENT_SECRET

    def _exchange(self, form: dict[str, str], headers: Any) -> Any:
        self.callback = form.pop("redirect_uri")
        if form != {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "code": CODE}:
            return {"ok": False, "error": "invalid_code"}
        return {"ok": True, "access_token": TOKEN, "token_type": "bot", "team": {"id": "T1"}}

    def _channels(self, form: dict[str, str], headers: Any) -> Any:
        if headers["Authorization"] != f"Bearer {TOKEN}":
            return {"ok": False, "error": "invalid_auth"}
        channels = [{"id": f"C{number}", "name": name} for number, name in enumerate(["all", "dev", "ops"])]
        cursor = form.get("cursor", "0")
        if not cursor.isdecimal():
            return {"ok": False, "error": "invalid_cursor"}
        first = int(cursor)
        after = first + int(form["limit"])
        following = str(after) if after < len(channels) else ""
        return {
            "ok": True,
            "channels": channels[first:after],
            "response_metadata": {"next_cursor": following},
        }
