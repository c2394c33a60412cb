"""Files that processes map into memory."""

import os


def reserve(file: int, start: int, size: int) -> None:
    """Have room on the disk for so many bytes of a file, which grows if it has to.

    Who writes by a map to a hole that there is no room for is ended by a signal.

    Raises:
        OSError: there is no room.
    """
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, start, size)
    elif os.fstat(file).st_size < start + size:  # macOS has none
        os.ftruncate(file, start + size)
