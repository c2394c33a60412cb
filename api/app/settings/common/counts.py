"""Counting requests and evaluations, and where what was counted is kept."""

from app.settings.environment import env

ENABLE_API_USAGE_TRACKING = env.boolean(
    "ENABLE_API_USAGE_TRACKING", True, help="Count the requests of SDKs for each environment."
)
# As often as SDKs report. A process that is killed takes with it what it has counted since.
API_USAGE_CACHE_SECONDS = max(
    env.integer(
        "API_USAGE_CACHE_SECONDS",
        env.integer("PG_API_USAGE_CACHE_SECONDS", 10, help="Read when API_USAGE_CACHE_SECONDS is unset."),
        help="Seconds between two writes of what a process has counted of requests; at least 1.",
    ),
    1,
)
FEATURE_EVALUATION_CACHE_SECONDS = max(
    env.integer(
        "FEATURE_EVALUATION_CACHE_SECONDS",
        10,
        help="Seconds between two writes of what SDKs have reported to a process; at least 1.",
    ),
    1,
)
MAX_WAITING_COUNTS = env.integer(
    "MAX_WAITING_COUNTS",
    100_000,
    at_least=1,
    help="Different counts, of requests and of evaluations each, that may wait in a process to be written.",
)
MAX_WAITING_IDENTITY_READS = env.integer(
    "MAX_WAITING_IDENTITY_READS",
    10_000,
    at_least=1,
    help="Identities whose flags were read that may wait in a process for other services to be told of them.",
)
BUCKETED_ANALYTICS_DATA_RETENTION_DAYS = env.integer(
    "BUCKETED_ANALYTICS_DATA_RETENTION_DAYS",
    90,
    at_least=1,
    help="Days that what was counted is kept; it goes by whole weeks.",
)
RAW_ANALYTICS_DATA_RETENTION_DAYS = env.integer(
    "RAW_ANALYTICS_DATA_RETENTION_DAYS",
    30,
    at_least=1,
    help="Days that evaluations are kept for each identity; their sums stay as long as other counts.",
)
USE_POSTGRES_FOR_ANALYTICS = env.boolean(
    "USE_POSTGRES_FOR_ANALYTICS", help="Keep counts in PostgreSQL even where InfluxDB is named."
)
INFLUXDB_URL = env.text("INFLUXDB_URL", help="InfluxDB 2 server that counts of requests are kept in.")
INFLUXDB_TOKEN = env.secret("INFLUXDB_TOKEN", help="Token that may read and write there.")
INFLUXDB_ORG = env.text("INFLUXDB_ORG", help="Organisation there.")
INFLUXDB_BUCKET = env.text("INFLUXDB_BUCKET", help="Bucket there.")
COUNTS_ARE_IN_INFLUXDB = not USE_POSTGRES_FOR_ANALYTICS and all(
    (INFLUXDB_URL, INFLUXDB_TOKEN, INFLUXDB_ORG, INFLUXDB_BUCKET)
)
