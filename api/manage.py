#!/usr/bin/env python
"""Django's command line: `python manage.py help` lists what there is.

The exit status is 0 when a command has done what it is for, and 1, with the reason on standard error, when
it couldn't.
"""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError

from core.causes import name_process

# What they write, those who ask them are behind.
SERVERS = ("run", "runserver")

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "app.settings.local")
    if len(sys.argv) > 1 and sys.argv[1] not in SERVERS:
        name_process(f"manage.py {sys.argv[1]}")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        sys.stderr.write(f"Burgee can't start: {error}\n")
        sys.exit(2 if sys.argv[1:2] == ["doctor"] else 1)  # of whose 1 scripts think less
    except OperationalError as error:
        if "--traceback" in sys.argv:
            raise
        sys.exit(f"The database can't be used: {str(error).strip()}")
