"""How mail leaves."""

from app.settings.environment import env
from app.settings.mail import SesAccess, mail_settings

_mail = mail_settings(
    back_end=env.text(
        "EMAIL_BACKEND",
        help="Django mail back end; unset: SMTP, which is SendGrid's if SENDGRID_API_KEY is set.",
    ),
    smtp={
        "EMAIL_HOST": env.text("EMAIL_HOST", "localhost", help="SMTP server."),
        "EMAIL_PORT": env.integer("EMAIL_PORT", 587, help="Its port."),
        "EMAIL_HOST_USER": env.text("EMAIL_HOST_USER", help="User there; empty: don't sign in."),
        "EMAIL_HOST_PASSWORD": env.secret("EMAIL_HOST_PASSWORD", help="Password there."),
        "EMAIL_USE_TLS": env.boolean("EMAIL_USE_TLS", True, help="Encrypt with STARTTLS."),
    },
    sendgrid_key=env.secret("SENDGRID_API_KEY", help="API key of SendGrid."),
    ses=SesAccess(
        region=env.text("AWS_SES_REGION_NAME", "us-east-1", help="Region of Amazon SES."),
        endpoint=env.text("AWS_SES_REGION_ENDPOINT", help="Host of Amazon SES; unset: that of the region."),
        key_id=env.text("AWS_ACCESS_KEY_ID", help="AWS key that may send with Amazon SES."),
        secret=env.secret("AWS_SECRET_ACCESS_KEY", help="Its secret."),
    ),
)
EMAIL_BACKEND = _mail["EMAIL_BACKEND"]
EMAIL_HOST, EMAIL_PORT = _mail["EMAIL_HOST"], _mail["EMAIL_PORT"]
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = _mail["EMAIL_HOST_USER"], _mail["EMAIL_HOST_PASSWORD"]
EMAIL_USE_TLS = _mail["EMAIL_USE_TLS"]
EMAIL_TIMEOUT = env.integer("EMAIL_TIMEOUT", 10, at_least=1, help="Seconds to wait for the mail server.")
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text(
    "SENDER_EMAIL", "noreply@localhost", help="Address that mails come from."
)
