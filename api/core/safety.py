"""What an installation that people rely on may not be served or migrated with."""

from collections.abc import Iterator

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

# Shorter ones, or such of few letters, can be guessed. Django warns below 50, which is what is advised.
_SHORTEST_SECRET = 32
_FEWEST_LETTERS = 5
_REMEDY = "`python secret-key-gen.py` makes one"


def secret_weakness(secret: str) -> str:
    """Return what is wrong with a secret key, in words that don't show it; nothing if it will do."""
    if not secret:
        return f"DJANGO_SECRET_KEY is not set; {_REMEDY}."
    if secret.startswith("django-insecure-"):
        return f"DJANGO_SECRET_KEY is one that Django makes for trying things out; {_REMEDY}."
    if len(secret) < _SHORTEST_SECRET or len(set(secret)) < _FEWEST_LETTERS:
        return f"DJANGO_SECRET_KEY can be guessed: it is short, or of few letters; {_REMEDY}."
    return ""


def unsafe_settings() -> Iterator[str]:
    """Yield what is unsafe, a sentence each."""
    if weakness := secret_weakness(given_secret()):
        yield weakness
    if not settings.ALLOWED_HOSTS:
        yield "DJANGO_ALLOWED_HOSTS is not set; it has the names that clients reach this server by, or `*`."


def refuse_unsafe_settings() -> None:
    """For those who serve or migrate: stop, where settings say that people rely on this installation.

    Raises:
        ImproperlyConfigured: something is unsafe. The message is one line.
    """
    if settings.REFUSE_UNSAFE_SETTINGS and (found := list(unsafe_settings())):
        raise ImproperlyConfigured(" ".join(found))


def given_secret() -> str:
    """Return the secret key; empty where there is none."""
    try:
        return str(settings.SECRET_KEY)
    except ImproperlyConfigured:  # Django's, for an empty one
        return ""
