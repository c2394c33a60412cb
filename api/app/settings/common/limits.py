"""What the product limits."""

from app.settings.environment import env

FEATURE_VALUE_LIMIT = env.integer("FEATURE_VALUE_LIMIT", 20_000, help="Longest feature value in characters.")
SEGMENT_CONDITION_VALUE_LIMIT = env.integer(
    "SEGMENT_CONDITION_VALUE_LIMIT", 1000, help="Longest value of a segment condition in characters."
)
SEGMENT_RULES_CONDITIONS_LIMIT = env.integer(
    "SEGMENT_RULES_CONDITIONS_LIMIT", 100, help="Most conditions in one segment."
)
DEFAULT_ORG_STORE_TRAITS_VALUE = env.boolean(
    "DEFAULT_ORG_STORE_TRAITS_VALUE", True, help="Whether new organisations store traits."
)
RESTRICT_ORG_CREATE_TO_SUPERUSERS = env.boolean(
    "RESTRICT_ORG_CREATE_TO_SUPERUSERS", help="Only superusers may create organisations."
)
DISABLE_INVITE_LINKS = env.boolean(
    "DISABLE_INVITE_LINKS", help="Nobody makes invitation links, joins or signs up by one."
)
