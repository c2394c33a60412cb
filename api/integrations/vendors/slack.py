"""Slack: a message in a channel for each change. https://api.slack.com/methods/chat.postMessage"""

from collections.abc import Mapping
from typing import Any

from integrations.calls import Call, json_call
from integrations.events import Event

POST_MESSAGE = "https://slack.com/api/chat.postMessage"
LONGEST_TEXT = 3000  # in a block


def call(event: Event, configuration: Mapping[str, Any]) -> Call | None:
    """Return the message; None while it is switched off, or has no token."""
    if not configuration["enabled"] or not configuration["api_token"]:
        return None
    message = {
        "channel": configuration["channel_id"],
        "text": event.log,  # for notifications, which show no blocks
        "blocks": [
            {"type": "section", "text": _text(event.log[:LONGEST_TEXT], "plain_text")},
            {
                "type": "section",
                "fields": [
                    _text(f"*Environment:*\n{_escaped(event.environment)}", "mrkdwn"),
                    _text(f"*User:*\n{_escaped(event.user)}", "mrkdwn"),
                ],
            },
        ],
    }
    return json_call(POST_MESSAGE, message, Authorization=f"Bearer {configuration['api_token']}")


def _text(text: str, kind: str) -> dict[str, str]:
    return {"type": kind, "text": text}


def _escaped(text: str) -> str:
    """Return a text in which nothing is a link or a mention to Slack."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
