"""What the server remembers of itself."""

from django.db import models
from django.db.models.functions import Now


class TableSize(models.Model):
    """How large a table was: with its indexes, and with all its parts if it has such."""

    id = models.BigAutoField(primary_key=True)
    measured_at = models.DateTimeField(db_default=Now())
    table = models.CharField(max_length=63)
    bytes = models.BigIntegerField()
    rows = models.BigIntegerField(help_text="As many as the database estimates.")

    class Meta:
        ordering = ["-measured_at", "-bytes"]
        constraints = [
            models.UniqueConstraint(fields=["measured_at", "table"], name="one_size_of_table_at_a_time")
        ]

    def __str__(self) -> str:
        return f"{self.table}: {self.bytes} bytes"
