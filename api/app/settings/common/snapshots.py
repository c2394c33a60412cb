"""What each process and each host keeps in memory and on disk."""

from app.settings.common.installation import DATA_DIR
from app.settings.environment import env

SNAPSHOT_DIR = env.text(
    "SNAPSHOT_DIR",
    str(DATA_DIR / "snapshots"),
    help="Folder in which this host's workers share snapshots, and start from when the database is away.",
)
SNAPSHOT_MEMORY_BYTES = env.integer(
    "SNAPSHOT_MEMORY_BYTES",
    384 * 1024 * 1024,
    help="Memory that snapshots may take in each process; the least recently used leave.",
)
KEPT_ANSWERS_BYTES = env.integer(
    "KEPT_ANSWERS_BYTES",
    32 * 1024 * 1024,
    help="Memory of each process for flags of identities that were asked for more than once; 0 keeps none.",
)
TRAIT_BUFFER_BYTES = env.integer(
    "TRAIT_BUFFER_BYTES",
    16 * 1024 * 1024,
    help="Memory of each process for traits that wait for the database; what no longer fits is lost.",
)
