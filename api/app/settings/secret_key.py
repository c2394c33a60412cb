"""A secret for machines where nobody set one: made once, kept in a private file."""

import os
import secrets
import tempfile
from contextlib import suppress
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured


def kept_secret_key(path: Path) -> str:
    """Return the secret in `path`, making the file (mode 0600) when it isn't there.

    Raises:
        ImproperlyConfigured: this user may not read or write there.
    """
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            _make(path)
        return path.read_text()
    except PermissionError as error:
        raise ImproperlyConfigured(
            f"{error.filename} belongs to another user: run as that user, or remove {path.parent}."
        ) from error


def _make(path: Path) -> None:
    # Linked when it is complete: of two processes that start at once, none reads half a secret.
    with tempfile.NamedTemporaryFile("w", dir=path.parent) as file:
        file.write(secrets.token_urlsafe(48))
        file.flush()
        with suppress(FileExistsError):
            os.link(file.name, path)
