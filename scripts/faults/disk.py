"""The disk that results go to: a small one in memory that can be full, and read-only for the driver."""

import os
import subprocess
from pathlib import Path

from faults.cluster import Cluster, FaultsError

MEBIBYTE = 2**20
USUAL = 64 * MEBIBYTE
PAGE = 4096
TRIES = 20


class Disk:
    """A file system of its own; as a context manager it is taken away again. Mount it before nodes start."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __enter__(self) -> "Disk":
        self.place.mkdir(parents=True)
        _run("mount", "-t", "tmpfs", "-o", f"size={USUAL}", "tmpfs", str(self.place))
        return self

    def __exit__(self, *_: object) -> None:
        _run("umount", "--lazy", str(self.place))

    def fill(self) -> None:
        """Leave no room; what is written meanwhile may be in the way of it."""
        for attempt in range(TRIES):
            try:
                self._resize(self._used() + attempt * PAGE)
            except FaultsError:
                if attempt == TRIES - 1:
                    raise
            else:
                return

    def enlarge(self) -> None:
        """Make room again."""
        self._resize(USUAL)

    def protect(self, cluster: Cluster, folder: Path) -> None:
        """Make a folder read-only for what runs on the first node, also for a program that has files open there."""
        cluster.on(0, "mount", "--bind", str(folder), str(folder))
        cluster.on(0, "mount", "-o", "remount,bind,ro", str(folder))

    def unprotect(self, cluster: Cluster, folder: Path) -> None:
        """Make it writable again."""
        cluster.on(0, "umount", "--lazy", str(folder))

    def _used(self) -> int:
        facts = os.statvfs(self.place)
        return (facts.f_blocks - facts.f_bfree) * facts.f_frsize

    def _resize(self, size: int) -> None:
        _run("mount", "-o", f"remount,size={size}", str(self.place))


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise FaultsError(f"{' '.join(words)}: {done.stderr.strip()}")
