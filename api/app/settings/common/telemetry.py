"""Telling somebody how much there is here: nobody, unless the operator names them."""

from app.settings.environment import env

ENABLE_TELEMETRY = env.boolean(
    "ENABLE_TELEMETRY", True, help="Send how much there is of what to TELEMETRY_URL, where one is set."
)
TELEMETRY_URL = env.text("TELEMETRY_URL", help="Where that is sent once a day, as JSON; unset: nowhere.")
