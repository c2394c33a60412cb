"""The folder in which the server's processes share their figures. For gunicorn's configuration."""

import os
import shutil
import tempfile
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"


def prepare() -> str | None:
    """Name the folder in the environment, where `prometheus_client` looks when it is imported, and empty it.

    Returns:
        The folder if it was made here, and is to be removed in the end.
    """
    given = os.environ.get(VARIABLE)
    if not given:
        made = tempfile.mkdtemp(prefix="burgee-metrics-")
        os.environ[VARIABLE] = made
        return made
    folder = Path(given)
    folder.mkdir(parents=True, exist_ok=True)
    for left in folder.glob("*.db"):  # by the processes before
        left.unlink()
    return None


def remove(folder: str) -> None:
    shutil.rmtree(folder, ignore_errors=True)
