"""Logs."""

import json
import sys
from pathlib import Path
from typing import Any

from django.core.exceptions import ImproperlyConfigured

from app.settings.common.installation import API_DIR
from app.settings.environment import env

LOG_LEVEL = env.choice(
    "LOG_LEVEL",
    "WARNING",
    ["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"],
    help="The least that is logged: DEBUG, INFO, WARNING, ERROR or CRITICAL.",
)
LOG_FORMAT = env.choice(
    "LOG_FORMAT",
    "GENERIC",
    ["GENERIC", "JSON", "LINE"],
    help="How log lines look: generic for people, json for machines, line in columns.",
)
LOG_REQUESTS = env.boolean(
    "LOG_REQUESTS",
    LOG_FORMAT == "LINE",
    help="Write a line about each request into the log; unset: with LOG_FORMAT=line.",
)
LOG_FILE = env.text("LOG_FILE", help="File that log lines are written to as well; its folder is made.")
LOG_FILE_MAX_BYTES = env.integer(
    "LOG_FILE_MAX_BYTES", 10 * 1024 * 1024, help="Size at which that file is put aside; 0: never."
)
LOG_FILE_BACKUPS = env.integer("LOG_FILE_BACKUPS", 5, help="Files put aside that are kept.")
APPLICATION_LOGGERS = env.items(
    "APPLICATION_LOGGERS",
    ["burgee", *sorted(each.parent.name for each in API_DIR.glob("*/__init__.py"))],
    help="Loggers that LOG_LEVEL is for; others begin at WARNING, unless it is DEBUG. Unset: Burgee's own.",
)
DISABLE_FRAMEWORK_LOGS = env.boolean(
    "DISABLE_FRAMEWORK_LOGS",
    help="Silence Django's log of requests and gunicorn's access log; Burgee's own stay.",
)
DJANGO_ENABLE_DB_LOGGING = env.boolean(
    "DJANGO_ENABLE_DB_LOGGING", help="Log every database statement, without its values, and how long it took."
)
LOGGING_CONFIGURATION_FILE = env.text(
    "LOGGING_CONFIGURATION_FILE",
    help="JSON file with a configuration for Python's logging, in place of all of the above.",
)
ACCESS_LOG_EXTRA_ITEMS = env.items(
    "ACCESS_LOG_EXTRA_ITEMS",
    help="Further items of the access log with LOG_FORMAT=json, as in {origin}i, in gunicorn's variables.",
)

_OTHERS_LEVEL = "WARNING" if LOG_LEVEL == "INFO" else LOG_LEVEL
# A command's own output is for whoever called it; servers have none.
_SERVERS = {"run", "runserver", "run-task-processor"}
_IS_COMMAND = Path(sys.argv[0]).name == "manage.py" and not _SERVERS.intersection(sys.argv[1:2])


def _configured() -> dict[str, Any]:
    handlers: dict[str, Any] = {
        "console": {
            "class": "logging.StreamHandler",
            "stream": f"ext://sys.{'stderr' if _IS_COMMAND else 'stdout'}",
            "formatter": "chosen",
        }
    }
    if LOG_FILE:
        handlers["file"] = {
            "class": "core.logs.files.SharedFile",
            "filename": LOG_FILE,
            "max_bytes": LOG_FILE_MAX_BYTES,
            "backups": LOG_FILE_BACKUPS,
            "formatter": "chosen",
        }
    loggers: dict[str, Any] = {each: {"level": LOG_LEVEL} for each in APPLICATION_LOGGERS}
    loggers |= {
        # Django's own handler would say in debug mode what the root's has said.
        "django": {"handlers": [], "level": _OTHERS_LEVEL},
        "django.request": {"filters": ["mask_keys"]},
        # Of runserver, whose lines have a handler of their own.
        "django.server": {"handlers": [], "propagate": True},
        # Who asks for these, asks for them whatever the level.
        "burgee.requests": {"level": "INFO"},
        "burgee.statements": {"level": "DEBUG" if DJANGO_ENABLE_DB_LOGGING else LOG_LEVEL},
    }
    if LOG_REQUESTS:
        loggers["django.server"]["level"] = "ERROR"  # one request, one line
    if DISABLE_FRAMEWORK_LOGS:
        for name in ("django.request", "django.server", "django.security"):
            loggers.setdefault(name, {})["level"] = "CRITICAL"
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"chosen": {"()": f"core.logs.formats.{LOG_FORMAT.capitalize()}"}},
        "filters": {"mask_keys": {"()": "core.masking.MaskKeys"}},
        "handlers": handlers,
        "root": {"handlers": list(handlers), "level": _OTHERS_LEVEL},
        "loggers": loggers,
    }


def _read(path: str) -> dict[str, Any]:
    try:
        found = json.loads(Path(path).read_text())
    except (OSError, ValueError) as error:
        raise ImproperlyConfigured(f"LOGGING_CONFIGURATION_FILE can't be read as JSON: {error}") from error
    if not isinstance(found, dict):
        raise ImproperlyConfigured("LOGGING_CONFIGURATION_FILE has no object in it.")
    return found


LOGGING = _read(LOGGING_CONFIGURATION_FILE) if LOGGING_CONFIGURATION_FILE else _configured()
