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


def without_secrets(text: str) -> str:
    """Return a text without server-side keys and without who signs in where in its URLs."""
    return _CREDENTIALS.sub("…@", masked(text))


class MaskKeys(logging.Filter):
    """Masks what a logger is given, for loggers that repeat URLs."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(masked(each) if isinstance(each, str) else each for each in record.args)
        return True
