"""What a dashboard is told before it begins: a JavaScript file, because it is loaded like one."""

import json
from typing import Any

from django.conf import settings

# The dashboard's name for each setting. What isn't set isn't mentioned.
_SETTINGS = {
    "amplitude": "AMPLITUDE_API_KEY",
    "api": "API_URL",
    "assetURL": "ASSET_URL",
    "cookieAuthEnabled": "COOKIE_AUTH_ENABLED",
    "cookieSameSite": "COOKIE_SAME_SITE",
    "crispChat": "CRISP_CHAT_API_KEY",
    "disableAnalytics": "DISABLE_ANALYTICS_FEATURES",
    "flagsmith": "FLAGSMITH_ON_FLAGSMITH_API_KEY",
    "flagsmithAnalytics": "FLAGSMITH_ANALYTICS",
    "flagsmithClientAPI": "FLAGSMITH_ON_FLAGSMITH_API_URL",
    "flagsmithRealtime": "ENABLE_FLAGSMITH_REALTIME",
    "ga": "GOOGLE_ANALYTICS_API_KEY",
    "githubAppURL": "GITHUB_APP_URL",
    "headway": "HEADWAY_API_KEY",
    "hideInviteLinks": "DISABLE_INVITE_LINKS",
    "linkedinPartnerTracking": "LINKEDIN_PARTNER_TRACKING",
    "maintenance": "MAINTENANCE_MODE",
    "preventEmailPassword": "PREVENT_EMAIL_PASSWORD",
    "preventSignup": "PREVENT_SIGNUP",
    "reo": "REO_API_KEY",
    "sentry": "SENTRY_API_KEY",
    "useSecureCookies": "USE_SECURE_COOKIES",
}
# Harmless where they stand in a page instead of a file.
_ESCAPED = {"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"}


def project_overrides() -> dict[str, Any]:
    values = {name: getattr(settings, setting, None) for name, setting in _SETTINGS.items()}
    return {name: value for name, value in values.items() if value is not None and value != ""}


def as_script(overrides: dict[str, Any]) -> str:
    """Return one assignment, of a JSON object."""
    text = json.dumps(overrides)
    for character, escaped in _ESCAPED.items():
        text = text.replace(character, escaped)
    return f"window.projectOverrides = {text};\n"
