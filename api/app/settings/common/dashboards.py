"""Whether a dashboard is served, and what dashboards are told at /config/project-overrides."""

from app.settings.environment import env

DISABLE_FLAGSMITH_UI = env.boolean(
    "DISABLE_FLAGSMITH_UI", help="Don't serve the dashboard's page that lies in api/app/templates/webpack."
)
API_URL = env.text("API_URL", "/api/v1/", help="Where the dashboard finds the API.")
ASSET_URL = env.text("ASSET_URL", "/", help="Where it finds its own files.")
MAINTENANCE_MODE = env.boolean("MAINTENANCE_MODE", help="Have the dashboard say that it is being worked on.")
ENABLE_FLAGSMITH_REALTIME = env.boolean(
    "ENABLE_FLAGSMITH_REALTIME", True, help="Have the dashboard offer realtime updates."
)
DISABLE_ANALYTICS_FEATURES = env.boolean(
    "DISABLE_ANALYTICS_FEATURES",
    env.boolean("DISABLE_INFLUXDB_FEATURES", help="Read when DISABLE_ANALYTICS_FEATURES is unset."),
    help="Have the dashboard show no usage.",
)
FLAGSMITH_ANALYTICS = env.boolean("FLAGSMITH_ANALYTICS", help="Have the dashboard count its own use.")
FLAGSMITH_ON_FLAGSMITH_API_KEY = env.text(
    "FLAGSMITH_ON_FLAGSMITH_API_KEY", help="Client-side key of the dashboard's own flags."
)
FLAGSMITH_ON_FLAGSMITH_API_URL = env.text(
    "FLAGSMITH_ON_FLAGSMITH_API_URL", help="API that serves those; unset: the dashboard's default."
)
AMPLITUDE_API_KEY = env.text("AMPLITUDE_API_KEY", help="Key of Amplitude, for the dashboard.")
CRISP_CHAT_API_KEY = env.text("CRISP_CHAT_API_KEY", help="Key of Crisp, for the dashboard.")
GOOGLE_ANALYTICS_API_KEY = env.text(
    "GOOGLE_ANALYTICS_API_KEY", help="Key of Google Analytics, for the dashboard."
)
GITHUB_APP_URL = env.text("GITHUB_APP_URL", help="Page of a GitHub app, for the dashboard.")
HEADWAY_API_KEY = env.text("HEADWAY_API_KEY", help="Key of Headway, for the dashboard.")
LINKEDIN_PARTNER_TRACKING = env.text(
    "LINKEDIN_PARTNER_TRACKING", help="Partner id of LinkedIn, for the dashboard."
)
REO_API_KEY = env.text("REO_API_KEY", help="Key of Reo, for the dashboard.")
SENTRY_API_KEY = env.text("SENTRY_API_KEY", help="DSN of Sentry, for the dashboard in browsers.")
