"""Slack: a message in a channel for each change. https://api.slack.com/methods/chat.postMessage"""

from collections.abc import Mapping
from typing import Any

from django.conf import settings

from integrations.calls import Call, below, json_call
from integrations.events import Event

# The kind of what a project is let into a workspace with.
WORKSPACE = "slack-workspace"
_LONGEST_TEXT = 3000  # in a block


def call(event: Event, configuration: Mapping[str, Any]) -> Call | None:
    """Return the message; None while it is switched off, or nobody has let the project in."""
    if not configuration["enabled"] or not configuration["api_token"]:
        return None
    message = {
        "channel": configuration["channel_id"],
        "text": event.log,  # for notifications, which show no blocks
        "blocks": [
            {"type": "section", "text": _text(event.log[:_LONGEST_TEXT], "plain_text")},
            {
                "type": "section",
                "fields": [
                    _text(f"*Environment:*\n{_escaped(event.environment)}", "mrkdwn"),
                    _text(f"*User:*\n{_escaped(event.user)}", "mrkdwn"),
                ],
            },
        ],
    }
    url = below(settings.SLACK_URL, "api/chat.postMessage")
    return json_call(url, message, Authorization=f"Bearer {configuration['api_token']}")


def _text(text: str, kind: str) -> dict[str, str]:
    return {"type": kind, "text": text}


def _escaped(text: str) -> str:
    """Return a text in which nothing is a link or a mention to Slack."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
