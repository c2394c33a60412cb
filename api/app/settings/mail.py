"""How mail leaves, by the names of back ends that settings for Flagsmith's API may have.

SendGrid and Amazon SES take mail by SMTP as well. Both are used that way, so neither needs a library of its
own: the one for SES would bring the whole of AWS's.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Any

SMTP = "django.core.mail.backends.smtp.EmailBackend"
SENDGRID = "sgbackend.SendGridBackend"
SES = "django_ses.SESBackend"


@dataclass(frozen=True)
class SesAccess:
    """Where Amazon SES is, and an AWS key that has `ses:SendRawEmail`. Keys of roles, which expire, can't."""

    region: str
    endpoint: str
    key_id: str
    secret: str

    @property
    def host(self) -> str:
        """The SMTP server beside the API's host: `email.` there is `email-smtp.` here."""
        if not self.endpoint:
            return f"email-smtp.{self.region}.amazonaws.com"
        if self.endpoint.startswith("email."):
            return f"email-smtp.{self.endpoint.removeprefix('email.')}"
        return self.endpoint

    @property
    def password(self) -> str:
        """The SMTP password that belongs to the secret key, made as Amazon documents it."""
        signature = f"AWS4{self.secret}".encode()
        for part in ("11111111", self.region, "ses", "aws4_request", "SendRawEmail"):
            signature = hmac.digest(signature, part.encode(), hashlib.sha256)
        return base64.b64encode(b"\x04" + signature).decode()


def mail_settings(
    *, back_end: str, smtp: dict[str, Any], sendgrid_key: str, ses: SesAccess
) -> dict[str, Any]:
    """Return Django's settings for mail.

    Args:
        back_end: a dotted path; empty for SMTP, which is SendGrid's where there is a key of theirs.
        smtp: the settings for an SMTP server.
    """
    if back_end == SENDGRID or (sendgrid_key and not back_end):
        # Without a key nobody can sign in there, and /version/ says that no mail can be sent.
        return _submission("smtp.sendgrid.net", user="apikey" if sendgrid_key else "", password=sendgrid_key)
    if back_end == SES:
        return _submission(ses.host, user=ses.key_id, password=ses.password)
    return {"EMAIL_BACKEND": back_end or SMTP, **smtp}


def _submission(host: str, *, user: str, password: str) -> dict[str, Any]:
    return {
        "EMAIL_BACKEND": SMTP,
        "EMAIL_HOST": host,
        "EMAIL_PORT": 587,
        "EMAIL_HOST_USER": user,
        "EMAIL_HOST_PASSWORD": password,
        "EMAIL_USE_TLS": True,
    }
