"""The audit log."""

from app.settings.environment import env

AUDIT_HISTORY_DAYS = env.integer(
    "AUDIT_HISTORY_DAYS",
    730,
    at_least=0,
    help="Days that changed rows are remembered, before and after; 0: for good. Audit records always are.",
)
