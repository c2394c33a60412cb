"""Logs."""

from app.settings.environment import env

LOG_LEVEL = env.choice(
    "LOG_LEVEL",
    "WARNING",
    ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"],
    help="The least that is logged: DEBUG, INFO, WARNING, ERROR or CRITICAL.",
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"generic": {"format": "%(asctime)s %(process)d %(levelname)s %(name)s: %(message)s"}},
    "filters": {"mask_keys": {"()": "core.masking.MaskKeys"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "generic"}},
    "root": {"handlers": ["console"], "level": LOG_LEVEL},
    # Django's own handler would say in debug mode what the root's has said.
    "loggers": {
        "django": {"handlers": [], "level": LOG_LEVEL},
        "django.request": {"filters": ["mask_keys"]},
    },
}
