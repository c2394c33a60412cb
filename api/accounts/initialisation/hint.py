"""Where to begin: told after the migrations of a database that has no user yet."""

import sys
from typing import Any

from django.db import connections
from django.urls import reverse

from accounts.initialisation.services import is_initialised
from core.site import site_url
from users.models import User


def tell_where_to_begin(*, using: str, verbosity: int, **migration: Any) -> None:
    """Receive `post_migrate`."""
    if verbosity < 1 or using != "default":
        return
    # `migrate` may have been for one app only, or back to the start.
    if User._meta.db_table not in connections[using].introspection.table_names() or is_initialised():
        return
    page = site_url() + reverse("initialisation")
    output = migration.get("stdout") or sys.stdout
    output.write(f"\nNobody can sign in yet. Start the server and create the superuser at {page}\n")
