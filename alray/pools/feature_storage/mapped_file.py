"""A file of features without a name: it is gone with the last process that has it open, however that ends."""

import os
import weakref
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from typing_extensions import override

from alray.pools.pool import FeatureFile


class Descriptor:
    """An open file, closed with the last reference to it."""

    def __init__(self, number: int) -> None:
        """Take over an open file by its number."""
        self.number = number
        weakref.finalize(self, os.close, number)


@dataclass(frozen=True, eq=False)
class MappedFile(FeatureFile):
    """A NumPy file (`.npy`) on this machine's disk, open here; in no folder it has a name.

    Attributes:
        device: Number of its file system.
        inode: Its number there.
        size: Bytes.
        changed: When it was last written to, in nanoseconds.
        descriptor: It, as this process has it open; None in a process to which this was sent.
    """

    path: str
    device: int
    inode: int
    size: int
    changed: int
    descriptor: Descriptor | None = None

    @classmethod
    def of(cls, descriptor: Descriptor) -> "MappedFile":
        """Return a file that this process has open, as it is now; others find it under this process's number."""
        facts = os.fstat(descriptor.number)
        path = f"/proc/{os.getpid()}/fd/{descriptor.number}"
        return cls(path, facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, descriptor)

    @property
    @override
    def nbytes(self) -> int:
        return self.size

    @override
    def opened(self) -> tuple["MappedFile", npt.NDArray[np.generic]]:
        """Open it for reading, and map it.

        Raises:
            OSError: It is not there: this is another machine, or the process that made it has ended.
        """
        descriptor = Descriptor(os.open(self.path, os.O_RDONLY | os.O_CLOEXEC))
        if not self._is_as_it_was(descriptor):
            # On another machine a process of the same number may have another file open.
            raise FileNotFoundError(f"{self.path} is another file here")
        features = np.load(_own_path(descriptor), mmap_mode="r", allow_pickle=False)
        return replace(self, descriptor=descriptor), np.asarray(features)

    @override
    def require_unchanged(self) -> None:
        if self.descriptor is not None and not self._is_as_it_was(self.descriptor):
            raise RuntimeError("the file of the pool's features has changed during the run")

    def _is_as_it_was(self, descriptor: Descriptor) -> bool:
        now = os.fstat(descriptor.number)
        found = (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns)
        return found == (self.device, self.inode, self.size, self.changed)

    @override
    def __getstate__(self) -> dict[str, Any]:
        """Return what is sent to other processes, where a number means another file."""
        return self.__dict__ | {"descriptor": None}


def _own_path(descriptor: Descriptor) -> Path:
    return Path(f"/proc/self/fd/{descriptor.number}")
