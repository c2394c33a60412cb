"""Users, and the ways to sign in."""

from typing import Any

from app.settings.environment import env

AUTH_USER_MODEL = "users.User"
AUTHENTICATION_BACKENDS = [
    "accounts.lockout.LockoutBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "admin:login"
LAST_LOGIN_UPDATE_THRESHOLD_MINUTES = env.integer(
    "LAST_LOGIN_UPDATE_THRESHOLD_MINUTES", 30, help="How exact a user's last login is kept."
)
MFA_ISSUER = env.text("MFA_ISSUER", "Burgee", help="Under which name an app shows the codes of this server.")
AXES_ENABLED = env.boolean("ENABLE_AXES", True, help="Lock an account after repeated failed logins.")
AXES_FAILURE_LIMIT = env.integer("AXES_FAILURE_LIMIT", 10, help="Failed logins before the lockout.")
AXES_COOLOFF_TIME = (
    env.number("AXES_COOLOFF_TIME", 15, help="Minutes a lockout lasts.") / 60
)  # axes counts hours
AXES_LOCKOUT_PARAMETERS = (
    ["username"]
    if env.boolean(
        "AXES_ONLY_USER_FAILURES", True, help="Count by user name only; false: by user name and address."
    )
    else [["username", "ip_address"]]
)
SILENCED_SYSTEM_CHECKS = ["axes.W006"]  # counting by account alone is the documented default
AXES_USERNAME_CALLABLE = "accounts.lockout.attempted_account"
AXES_CLIENT_IP_CALLABLE = "core.addresses.client_address"
AXES_LOCKOUT_CALLABLE = "accounts.lockout.locked_out"
AXES_SENSITIVE_PARAMETERS = ["username", "email", "password", "ip_address", "code", "ephemeral_token"]
ENABLE_EMAIL_ACTIVATION = env.boolean(
    "ENABLE_EMAIL_ACTIVATION", help="New accounts wait until the link in a mail is opened."
)
MAX_PASSWORD_RESET_EMAILS = env.integer(
    "MAX_PASSWORD_RESET_EMAILS", 5, help="Reset mails, and activation mails, that a user gets in a cool-down."
)
PASSWORD_RESET_EMAIL_COOLDOWN = env.integer(
    "PASSWORD_RESET_EMAIL_COOLDOWN", 86_400, help="Seconds of that cool-down."
)
SIGN_IN_METHODS_BY_DOMAIN = {
    domain.lower().removeprefix("@"): [method.strip() for method in methods.split("|")]
    for domain, methods in env.pairs(
        "SIGN_IN_METHODS_BY_DOMAIN",
        help="How addresses of a domain sign in: `acme.com=oidc:acme|google`; also `github`, `password`.",
    ).items()
}
GOOGLE_CLIENT_ID = env.text(
    "GOOGLE_CLIENT_ID", help="Client id of the dashboard's Google sign-in; empty: off."
)
GOOGLE_USERINFO_URL = env.text(
    "GOOGLE_USERINFO_URL",
    "https://www.googleapis.com/oauth2/v1/userinfo?alt=json",
    help="Where Google says who somebody is.",
)
GOOGLE_TOKENINFO_URL = env.text(
    "GOOGLE_TOKENINFO_URL",
    "https://oauth2.googleapis.com/tokeninfo",
    help="Where Google says for which application a token was made.",
)
GITHUB_CLIENT_ID = env.text("GITHUB_CLIENT_ID", help="Client id of the GitHub sign-in; empty: off.")
GITHUB_CLIENT_SECRET = env.secret("GITHUB_CLIENT_SECRET", help="Its client secret.")
GITHUB_URL = env.text("GITHUB_URL", "https://github.com", help="GitHub, or an enterprise's own.").rstrip("/")
GITHUB_API_URL = env.text("GITHUB_API_URL", "https://api.github.com", help="Its API.").rstrip("/")
SLACK_CLIENT_ID = env.text(
    "SLACK_CLIENT_ID", help="Client id of a Slack app that projects may install; empty: none."
)
SLACK_CLIENT_SECRET = env.secret("SLACK_CLIENT_SECRET", help="Its client secret.")
SLACK_URL = env.text("SLACK_URL", "https://slack.com", help="Slack, or its edition for governments.").rstrip(
    "/"
)
_oidc = env.slugs("OIDC_PROVIDERS", help="OpenID Connect providers that people sign in with: `acme,google`.")
_oidc_titles = env.texts(
    "OIDC_<NAME>_TITLE", _oidc, help="A provider's name on buttons; unset: its name here."
)
_oidc_issuers = env.texts("OIDC_<NAME>_ISSUER", _oidc, help="Its issuer, `https://…`, as discovery says it.")
_oidc_client_ids = env.texts("OIDC_<NAME>_CLIENT_ID", _oidc, help="This server's client id there.")
_oidc_client_secrets = env.secret_texts(
    "OIDC_<NAME>_CLIENT_SECRET", _oidc, help="Its client secret there; unset for a public client."
)
_oidc_scopes = env.texts("OIDC_<NAME>_SCOPES", _oidc, "openid email profile", help="What is asked of it.")
_oidc_trusted = env.slugs(
    "OIDC_TRUST_ADDRESSES", help="Those whose addresses count where they don't say if they are verified."
)
OIDC_PROVIDERS: list[dict[str, Any]] = [
    {
        "slug": name,
        "title": _oidc_titles[name] or name.capitalize(),
        "issuer": _oidc_issuers[name],
        "client_id": _oidc_client_ids[name],
        "client_secret": _oidc_client_secrets[name],
        "scope": _oidc_scopes[name],
        "trusts_addresses": name in _oidc_trusted,
    }
    for name in _oidc
]
_admin_client_id = env.text(
    "OAUTH_CLIENT_ID", help="Client id of Google's sign-in to /admin/, for those with an account; empty: off."
)
_admin_client_secret = env.secret("OAUTH_CLIENT_SECRET", help="Its client secret.")
if _admin_client_id:
    OIDC_PROVIDERS.append(
        {
            "slug": "google-admin",
            "title": "Google",
            "issuer": "https://accounts.google.com",
            "client_id": _admin_client_id,
            "client_secret": _admin_client_secret,
            "scope": "openid email profile",
            "trusts_addresses": False,
            "is_for_admin": True,
        }
    )
OIDC_REDIRECT_ORIGINS = env.items(
    "OIDC_REDIRECT_ORIGINS",
    help="Origins of dashboards that sign-ins, and ways to Slack, may end at, beside the site's own.",
)
PREVENT_SIGNUP = env.boolean("PREVENT_SIGNUP", help="Take no new accounts.")
ALLOW_REGISTRATION_WITHOUT_INVITE = env.boolean(
    "ALLOW_REGISTRATION_WITHOUT_INVITE", True, help="Take new accounts of people who weren't invited."
)
PREVENT_EMAIL_PASSWORD = env.boolean("PREVENT_EMAIL_PASSWORD", help="Let nobody sign in with a password.")
USER_CREATE_PERMISSIONS = env.items(
    "USER_CREATE_PERMISSIONS",
    ["rest_framework.permissions.AllowAny"],
    help="Permission classes that registering asks.",
)
USER_LOGIN_PERMISSIONS = env.items(
    "USER_LOGIN_PERMISSIONS",
    ["rest_framework.permissions.AllowAny"],
    help="Permission classes that signing in with a password asks.",
)
