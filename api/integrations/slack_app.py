"""The Slack app of this installation: being let into a workspace, and the channels there."""

from typing import Any
from urllib.parse import urlencode

from django.conf import settings

from accounts.external import NotVouchedFor
from accounts.oauth.upstream import Upstream, text
from core.errors import InvalidInput

_SCOPES = "channels:read,chat:write,chat:write.public"
_MOST_CHANNELS = 999
# What Slack says of a token that lets in no more.
_ENDED = {"account_inactive", "invalid_auth", "not_authed", "token_expired", "token_revoked"}


def is_configured() -> bool:
    return bool(settings.SLACK_CLIENT_ID and settings.SLACK_CLIENT_SECRET)


def authorisation_url(callback: str, state: str) -> str:
    """Return where somebody is asked whether they let the app into their workspace."""
    query = {
        "client_id": settings.SLACK_CLIENT_ID,
        "scope": _SCOPES,
        "redirect_uri": callback,
        "state": state,
    }
    return f"{settings.SLACK_URL}/oauth/v2/authorize?{urlencode(query)}"


def token_for(code: str, callback: str) -> str:
    """Return what the app is let in with.

    Raises:
        NotVouchedFor: Slack doesn't know the code.
        ProviderError: it is away.
    """
    answer = Upstream("Slack").ask(
        "POST",
        f"{settings.SLACK_URL}/api/oauth.v2.access",
        data={
            "client_id": settings.SLACK_CLIENT_ID,
            "client_secret": settings.SLACK_CLIENT_SECRET,
            "code": code,
            "redirect_uri": callback,
        },
    )
    token = text(answer, "access_token")
    if not token:  # a refusal has status 200, too
        raise NotVouchedFor("Slack refused to let this server in.")
    return token


def channels(token: str, limit: int, cursor: str) -> dict[str, Any] | None:
    """Return some public channels, `{"cursor", "channels": [{"channel_name", "channel_id"}]}`.

    None: the token lets in no more.

    Raises:
        InvalidInput: Slack doesn't know the cursor.
        ProviderError: it is away, or doesn't answer as expected.
    """
    slack = Upstream("Slack")
    answer = slack.ask(
        "GET",
        f"{settings.SLACK_URL}/api/conversations.list",
        params={"exclude_archived": "true", "limit": min(limit, _MOST_CHANNELS), "cursor": cursor},
        headers={"Authorization": f"Bearer {token}"},
    )
    error = text(answer, "error")
    if error in _ENDED:
        return None
    if error == "invalid_cursor":
        raise InvalidInput({"cursor": ["Slack doesn't know it."]})
    try:
        found = [{"channel_name": each["name"], "channel_id": each["id"]} for each in answer["channels"]]
        return {"cursor": answer.get("response_metadata", {}).get("next_cursor", ""), "channels": found}
    except (AttributeError, KeyError, TypeError) as fault:
        raise slack.malformed() from fault
