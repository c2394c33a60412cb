"""What is found."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum


class Severity(IntEnum):
    """How bad a finding is. The worst of all is the command's exit status."""

    OK = 0
    WARNING = 1
    ERROR = 2


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at, in words for whoever runs the server."""

    subject: str
    severity: Severity
    words: str

    @property
    def is_fine(self) -> bool:
        return self.severity is Severity.OK


def ok(subject: str, words: str) -> Finding:
    return Finding(subject, Severity.OK, words)


def warning(subject: str, words: str) -> Finding:
    return Finding(subject, Severity.WARNING, words)


def error(subject: str, words: str) -> Finding:
    return Finding(subject, Severity.ERROR, words)


def worst(findings: Iterable[Finding]) -> Severity:
    return max((each.severity for each in findings), default=Severity.OK)
