"""Calls to addresses that people gave: webhooks, integrations. Nothing else in the product calls them.
What is sent to addresses of the server's settings goes this way as well.

answer = post(webhook.url, body, signed(body, webhook.secret))
"""

from core.outgoing.client import Answer, CallFailedError, TargetForbiddenError, post
from core.outgoing.payloads import as_bytes, signed

__all__ = ["Answer", "CallFailedError", "TargetForbiddenError", "as_bytes", "post", "signed"]
