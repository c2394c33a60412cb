"""OFREP."""

from app.settings.environment import env

OFREP_REQUIRE_TARGETING_KEY = env.boolean(
    "OFREP_REQUIRE_TARGETING_KEY",
    help="Refuse OFREP requests that don't say for whom flags are evaluated.",
)
OFREP_NATIVE_JSON = env.boolean(
    "OFREP_NATIVE_JSON",
    help="Answer texts that are JSON objects or floats as such to OFREP providers.",
)
