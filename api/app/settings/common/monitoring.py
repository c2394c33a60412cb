"""Monitoring."""

from app.settings.environment import env

PROMETHEUS_ENABLED = env.boolean("PROMETHEUS_ENABLED", help="Count for Prometheus, and serve /metrics/.")
PROMETHEUS_MULTIPROC_DIR = env.text(
    "PROMETHEUS_MULTIPROC_DIR",
    help="Folder in which the server's processes share their figures; unset: one that the server makes.",
)
