"""Backups in a form of Burgee's own: a ZIP archive of all tables, as they were at one moment.

It needs no program of PostgreSQL's beside the server, and goes from any version of it to any other that
Burgee runs on (docs/decisions/0007-backups-in-a-form-of-our-own.md, docs/backups.md).
"""

from operations.backups.archive import BackupError
from operations.backups.restoring import restore_backup
from operations.backups.writing import write_backup

__all__ = ["BackupError", "restore_backup", "write_backup"]
