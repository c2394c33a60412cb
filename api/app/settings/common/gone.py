"""Variables of services that are gone: a check says what there is instead."""

from app.settings.environment import env

GOOGLE_ANALYTICS_KEY = env.text(
    "GOOGLE_ANALYTICS_KEY", help="Without effect: Google has switched Universal Analytics off."
)
GOOGLE_SERVICE_ACCOUNT = env.secret("GOOGLE_SERVICE_ACCOUNT", help="Without effect, as GOOGLE_ANALYTICS_KEY.")
GA_TABLE_ID = env.text("GA_TABLE_ID", help="Without effect, as GOOGLE_ANALYTICS_KEY.")
