"""Days as the database has them."""

from django.db import models
from django.db.models import Func


class UtcToday(Func):
    """The day it is in UTC, at the start of the transaction."""

    template = "(now() AT TIME ZONE 'UTC')::date"
    output_field = models.DateField()
