from django.apps import AppConfig


class AuditLogConfig(AppConfig):
    """What people read of the audit log. It is written by `audit`, below all that writes to it."""

    name = "audit_log"
