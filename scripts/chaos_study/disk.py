"""The disk of the results: a small one in memory that can be full, and read-only for the driver."""

import os
import subprocess
from pathlib import Path

from chaos_study.cluster import Cluster, ClusterError

SIZE = 64 * 2**20
PAGE = 4096
ATTEMPTS = 20


class Disk:
    """A file system; as a context manager it is unmounted. Mount it before nodes start."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __enter__(self) -> "Disk":
        self.path.mkdir(parents=True)
        _run("mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(self.path))
        return self

    def __exit__(self, *_: object) -> None:
        _run("umount", "--lazy", str(self.path))

    def fill(self) -> None:
        """Leave no free bytes; tries again where something is written meanwhile."""
        for attempt in range(ATTEMPTS):
            try:
                self._resize(self._used() + attempt * PAGE)
            except ClusterError:
                if attempt == ATTEMPTS - 1:
                    raise
            else:
                return

    def enlarge(self) -> None:
        """Give it its usual size again."""
        self._resize(SIZE)

    def protect(self, cluster: Cluster, folder: Path) -> None:
        """Make a folder read-only for the first node, also for a program that has files open there."""
        cluster.on(0, "mount", "--bind", str(folder), str(folder))
        cluster.on(0, "mount", "-o", "remount,bind,ro", str(folder))

    def unprotect(self, cluster: Cluster, folder: Path) -> None:
        """Make it writable again."""
        cluster.on(0, "umount", "--lazy", str(folder))

    def _used(self) -> int:
        facts = os.statvfs(self.path)
        return (facts.f_blocks - facts.f_bfree) * facts.f_frsize

    def _resize(self, size: int) -> None:
        _run("mount", "-o", f"remount,size={size}", str(self.path))


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ClusterError(f"{' '.join(words)}: {done.stderr.strip()}")
