"""A process that ends at a step onto the disk."""

from collections.abc import Collection

import pytest

from alray.storage.local import LocalStorage


class Killed(BaseException):
    """Stands for the process's end: nothing may catch it, and nothing may be written after it."""


class DyingStore:
    """Makes the nth step onto the disk the last one: half a file under a temporary name stays behind."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, last: int) -> None:
        self.steps = 0
        write, remove = LocalStorage.write, LocalStorage.remove

        def dying_write(storage: LocalStorage, name: str, content: bytes) -> None:
            if self.steps == last:
                path = storage._root / name  # where a real write would leave it
                path.with_name(f".{path.name}.tmp").write_bytes(b"PAR1 half a file")
                raise Killed
            write(storage, name, content)
            self.steps += 1

        def dying_remove(storage: LocalStorage, names: Collection[str]) -> None:
            if self.steps == last:
                raise Killed
            remove(storage, names)
            self.steps += 1

        monkeypatch.setattr(LocalStorage, "write", dying_write)
        monkeypatch.setattr(LocalStorage, "remove", dying_remove)
