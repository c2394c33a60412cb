"""The audit log as a table for spreadsheets."""

import csv
import json
from collections.abc import Iterable, Iterator
from typing import Any

_COLUMNS = (
    "id",
    "created_date",
    "log",
    "author",
    "project",
    "environment",
    "related_object_type",
    "related_object_id",
    "change_type",
    "changes",
    "revisions",
    "is_system_event",
)
# What spreadsheets take for the beginning of a formula, and what they pass over to find one.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, text: str) -> str:
        return text


def as_csv(rows: Iterable[Any]) -> Iterator[str]:
    """Write rows of the audit log as lines of CSV, the first with the columns' names."""
    writer = csv.writer(_Echo())
    yield writer.writerow(_COLUMNS)
    for row in rows:
        yield writer.writerow([_harmless(each) for each in _cells(row)])


def _cells(row: Any) -> list[str]:
    return [
        str(row.pk),
        row.created_date.isoformat(),
        row.log,
        row.changed_by["name"],
        row.project.name if row.project else "",
        row.environment.name if row.environment else "",
        row.related_object_type,
        str(row.related_object_id or ""),
        row.change_type,
        json.dumps(row.change_details, ensure_ascii=False),
        " ".join(f"{each['environment']}={each['revision']}" for each in row.revisions),
        "true" if row.is_system_event else "false",
    ]


def _harmless(text: str) -> str:
    """Return a text that no spreadsheet runs as a formula: an apostrophe in front says that it is text."""
    return f"'{text}" if text.startswith(_FORMULA) else text
