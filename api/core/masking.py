"""Keeping secrets out of logs, wherever a client puts them."""

import logging
import re

# Of environments. Some client sends one where a client-side key belongs: in a URL.
_SERVER_SIDE_KEY = re.compile(r"\bser\.[\w-]+")


def masked(text: str) -> str:
    """Return a text without the server-side keys in it: `/sse/environments/ser.…/stream`."""
    return _SERVER_SIDE_KEY.sub("ser.…", text)


# user:password@ in a URL
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")
# What stands behind such a word in a header opens something.
_AUTHORIZATION = re.compile(r"\b(Token|Bearer|Basic|Api-Key)(\s+)[\w.~+/=-]{8,}")


def without_secrets(text: str) -> str:
    """Return a text without server-side keys, without who signs in where in its URLs, without credentials.

    >>> without_secrets("postgres://kim:pw@db/flags refuses Bearer eyJhbGciOi")
    'postgres://…@db/flags refuses Bearer …'
    """
    return _AUTHORIZATION.sub(r"\1\2…", _CREDENTIALS.sub("…@", masked(text)))


# Links in mails, and paths by which other services are let in.
_SECRET_PATHS = re.compile(r"^(/password-reset/(?:confirm/)?|/api/v1/feature-health/)(?!confirm/)[^?]+")


def masked_path(path: str) -> str:
    """Return a request's path without what opens something.

    >>> masked_path("/password-reset/confirm/MQ/c5f-2a8/")
    '/password-reset/confirm/…'
    """
    return masked(_SECRET_PATHS.sub(r"\1…", path))


_SECRET_PARAMETERS = re.compile(
    r"((?:^|[&;])[^=&;]*"
    r"(?:pass(?:word|wd)?|secret|token|key|code|signature|sig|credentials?|auth|session|otp)=)"
    r"[^&;]*",
    re.IGNORECASE,
)


def masked_query(query: str) -> str:
    """Return the parameters of a URL, those without values whose names tell of secrets.

    >>> masked_query("feature=a&access_token=c5f2a8")
    'feature=a&access_token=…'
    """
    return masked(_SECRET_PARAMETERS.sub(r"\1…", query)) if query else query


_ORIGIN = re.compile(r"(?:[\w+.-]+:)?//[^/?#]*")


def masked_url(url: str) -> str:
    """Return a URL without what opens something: who signs in, secret parts of its path, its parameters.

    >>> masked_url("https://flags.example/password-reset/confirm/MQ/c5f-2a8/?token=a")
    'https://flags.example/password-reset/confirm/…?token=…'
    """
    address, mark, query = url.partition("?")
    found = _ORIGIN.match(address)
    origin = found[0] if found else ""
    path = masked_path(address.removeprefix(origin))
    return without_secrets(f"{origin}{path}{mark}{masked_query(query)}")


class MaskKeys(logging.Filter):
    """Masks what a logger is given, for loggers that repeat URLs."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(masked_path(each) if isinstance(each, str) else each for each in record.args)
        return True
