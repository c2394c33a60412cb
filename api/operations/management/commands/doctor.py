"""`manage.py doctor`: for people before they go live, and for scripts afterwards."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from core.version import VERSION
from operations.doctor.findings import Finding, Severity, worst
from operations.doctor.of_databases import of_databases
from operations.doctor.of_settings import of_settings


class Command(BaseCommand):
    help = (
        "Print what is in force and what is unsafe. Exit status 0: all is well, 1: something should be "
        "looked at, 2: something is unsafe or doesn't work."
    )
    requires_system_checks: list[str] = []  # what they find is told with the rest

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="for programs")

    def handle(self, *args: Any, json: bool, **options: Any) -> None:
        findings = [*of_settings(), *of_databases()]
        severity = worst(findings)
        self.stdout.write(_as_json(findings, severity) if json else _as_lines(findings, severity))
        if severity:
            sys.exit(int(severity))


def _as_json(findings: list[Finding], severity: Severity) -> str:
    listed = [
        {"subject": each.subject, "severity": each.severity.name.lower(), "words": each.words}
        for each in findings
    ]
    return json.dumps(
        {"version": VERSION, "severity": severity.name.lower(), "findings": listed},
        indent=2,
        ensure_ascii=False,
    )


def _as_lines(findings: list[Finding], severity: Severity) -> str:
    width = max(len(each.subject) for each in findings)
    lines = [f"{each.severity.name.lower():<8} {each.subject:<{width}}  {each.words}" for each in findings]
    return "\n".join([*lines, "", _SUMMARY[severity]])


_SUMMARY = {
    Severity.OK: "All is well.",
    Severity.WARNING: "Look at the warnings.",
    Severity.ERROR: "Something is unsafe or doesn't work.",
}
