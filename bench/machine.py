"""The machine that figures belong to."""

import os
import platform
import re
import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import psutil
from django.db import connection

from core.version import VERSION


def describe(wrk: str, *, rounds: int, seconds: float, took_seconds: float) -> Mapping[str, str]:
    """Return what someone has to know who compares figures."""
    return {
        "Date": f"{datetime.now(UTC):%Y-%m-%d}",
        "Burgee": f"{VERSION}, {_commit()}",
        "Processor": f"{_processor()}, {os.cpu_count()} cores",
        "Memory": f"{psutil.virtual_memory().total / 2**30:.0f} GiB",
        "System": f"{platform.system()} {platform.release()}, {platform.machine()}",
        "Python": platform.python_version(),
        "PostgreSQL": _postgres_version(),
        "wrk": _wrk_version(wrk),
        "Rounds": f"{rounds} of {seconds:g} s on each server; the whole run took {took_seconds / 60:.0f} min",
    }


def _processor() -> str:
    if platform.system() == "Darwin":
        return _said("sysctl", "-n", "machdep.cpu.brand_string") or platform.processor()
    lines = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    model = re.search(r"^model name\s*:\s*(.+)$", lines, re.MULTILINE)
    return model[1].strip() if model else platform.machine()


def _postgres_version() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return str(cursor.fetchone()[0])


def _wrk_version(wrk: str) -> str:
    found = re.search(r"wrk (\S+)", _said(wrk, "--version"))
    return found[1] if found else "unknown"


def _commit() -> str:
    commit = _said("git", "rev-parse", "--short", "HEAD")
    if not commit:
        return "not a git checkout"
    return f"{commit} and what isn't committed" if _said("git", "status", "--porcelain") else commit


def _said(*command: str) -> str:
    try:
        ended = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False
        )
    except OSError:
        return ""
    return (ended.stdout or ended.stderr).strip()
