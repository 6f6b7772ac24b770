"""The folder on a node's disk in which features lie that are not in memory, and the room that it has."""

import logging
import os
import shutil
from pathlib import Path

from alray.errors import PoolError

VARIABLE = "ALRAY_POOL_FOLDER"
"""The environment variable that names the folder."""

USUAL = "/var/tmp"
"""The folder where neither that variable nor TMPDIR names one: unlike /tmp it is for large files, and on a disk."""

_IN_MEMORY = ("tmpfs", "ramfs")

_logger = logging.getLogger(__name__)


def mapped_folder() -> Path:
    """Return the folder: that of ALRAY_POOL_FOLDER, else of TMPDIR, else /var/tmp."""
    return Path(os.environ.get(VARIABLE) or os.environ.get("TMPDIR") or USUAL)


def require_room(folder: Path, needed: int) -> None:
    """Refuse a folder whose disk has not this many bytes free.

    Raises:
        PoolError: Names the folder, both numbers and the remedy.
    """
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        raise unusable(folder, error) from None
    if free < needed:
        raise PoolError(
            f"{folder}: {free:,} bytes are free on its disk, and the pool's features need {needed:,} there "
            f"(pool.storage: mapped); free some, or name a folder on another disk by {VARIABLE}"
        )


def warn_if_in_memory(folder: Path) -> None:
    """Warn of a folder that is no folder on a disk."""
    if _file_system(folder.stat().st_dev) in _IN_MEMORY:
        _logger.warning(
            "%s lies in memory, and so do the pool's features (pool.storage: mapped); name a folder on a disk by %s",
            folder,
            VARIABLE,
        )


def unusable(folder: Path, error: OSError) -> PoolError:
    """Return the error for a folder that cannot be written to."""
    return PoolError(
        f"{folder}: cannot hold the pool's features (pool.storage: mapped): {error.strerror or error}; "
        f"name a folder on a disk that can by {VARIABLE}"
    )


def _file_system(device: int) -> str:
    """Return the kind of the file system with this number, "" where Linux does not list it."""
    number = f"{os.major(device)}:{os.minor(device)}"
    with Path("/proc/self/mountinfo").open() as mounts:
        for line in mounts:
            before, _, after = line.partition(" - ")
            if before.split()[2] == number:
                return after.split()[0]
    return ""
