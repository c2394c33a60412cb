"""The management API and its description."""

from typing import Any

from app.settings.common.http import NUM_PROXIES
from app.settings.environment import env

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.cookies.CookieAuthentication",
        "users.authentication.TokenAuthentication",
        "organisations.authentication.MasterKeyAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["permissions.callers.IsUser"],
    "DEFAULT_PARSER_CLASSES": [
        "core.parsers.StrictJSONParser",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PAGINATION_CLASS": "core.pagination.DefaultPagination",
    "DEFAULT_SCHEMA_CLASS": "core.openapi.ReadableSchema",
    "DEFAULT_THROTTLE_RATES": {
        "login": env.rate(
            "LOGIN_THROTTLE_RATE",
            "20/min",
            help="Logins that an address may try, and that may be tried for an account.",
        ),
        "signup": env.rate("SIGNUP_THROTTLE_RATE", "10000/min", help="Registrations from one address."),
        "mfa_code": "5/min",
        "invite": "10/min",  # mails that an organisation's administrators send
        "user": env.rate(
            "USER_THROTTLE_RATE",
            "",
            help="Requests of a user, with UserRateThrottle in DEFAULT_THROTTLE_CLASSES.",
        )
        or None,
        "master_api_key": env.rate(
            "MASTER_API_KEY_THROTTLE_RATE",
            "",
            help="Requests with a master key, with MasterAPIKeyUserRateThrottle in DEFAULT_THROTTLE_CLASSES.",
        )
        or None,
    },
    "DEFAULT_THROTTLE_CLASSES": env.items(
        "DEFAULT_THROTTLE_CLASSES",
        help="Throttles of the management API: `core.throttling.UserRateThrottle`, "
        "`core.throttling.MasterAPIKeyUserRateThrottle`.",
    ),
    "EXCEPTION_HANDLER": "core.errors.exception_handler",
    "URL_FORMAT_OVERRIDE": None,  # `?format=` is a parameter like any other
    "NUM_PROXIES": NUM_PROXIES,
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
REQUIRE_AUTHENTICATION_FOR_API_DOCS = env.boolean(
    "REQUIRE_AUTHENTICATION_FOR_API_DOCS", help="Show the API's description to users only."
)
DISABLE_API_DOCS = env.boolean("DISABLE_API_DOCS", help="Show the API's description to nobody.")
SPECTACULAR_SETTINGS = {
    "TITLE": "Burgee API",
    "DESCRIPTION": "Feature flags, remote configuration and segments. Compatible with Flagsmith's API.",
    "VERSION": "1",
    "SERVERS": env.objects(
        "OPENAPI_SERVERS", help='Servers in that description: `[{"url": "https://flags.example.org"}]`.'
    ),
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": r"/api/v[0-9]+",
    "SERVE_AUTHENTICATION": [],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "core.openapi.add_components",
        "environments.openapi.describe_revisions",
    ],
    # Named here and not by a hash of their values, so that a new value doesn't rename the type.
    "ENUM_NAME_OVERRIDES": {
        "DeliveryStatusEnum": "webhooks.models.DeliveryStatus",
        "FeatureTypeEnum": "features.models.feature.FeatureType",
        "HealthProviderNameEnum": "health.models.ProviderName",
        "OfrepErrorCodeEnum": "sdk.ofrep.errors.ErrorCode",
        "OfrepReasonEnum": "sdk.ofrep.items.Reason",
        "OperatorEnum": "segments.models.Operator",
        "RoleEnum": "organisations.models.MemberRole",
        "RuleTypeEnum": "segments.models.RuleType",
        "TagTypeEnum": "projects.models.TagType",
        "TransferStatusEnum": "features.models.transfers.TransferStatus",
        "ValueTypeEnum": "features.models.values.ValueType",
    },
}
