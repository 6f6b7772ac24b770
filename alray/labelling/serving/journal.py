"""A file of answers in the campaign's folder that only grows: an answer is on the disk before its assessor is told."""

import errno
import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alray.errors import StoreError

NAME = "served.jsonl"
"""The file, beside the ledger: a JSON object per line, which `alray label add` reads too."""

Row = Mapping[str, Any]

_COLUMNS = {"task", "worker", "label", "status", "seconds", "time"}


class Journal:
    """The file, locked against a second page of the same campaign for as long as it is open.

    Attributes:
        path: Where it is.
        rows: What it held when it was opened.
    """

    def __init__(self, folder: Path) -> None:
        """Open it, or begin it.

        Raises:
            StoreError: Another page of this campaign is open, or the file cannot be read or written.
        """
        self.path = folder / NAME
        try:
            self._file = self.path.open("a+b", buffering=0)
        except OSError as error:
            raise StoreError(
                f"cannot write {self.path}: {error.strerror}; make the campaign's folder writable"
            ) from None
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.rows = self._read()
        except BlockingIOError:
            self.close()
            raise StoreError(
                f"{folder}: another `alray label serve` has this campaign; open the address that it printed, since "
                "several assessors can use one page, or end it first"
            ) from None
        except OSError as error:
            self.close()
            raise StoreError(f"cannot use {self.path}: {error.strerror}") from None
        except StoreError:
            self.close()
            raise

    def append(self, row: Row) -> None:
        """Write an answer, and wait until it is on the disk.

        Raises:
            StoreError: It cannot be written, and is not in the file.
        """
        end = self._file.seek(0, os.SEEK_END)
        line = json.dumps(dict(row), ensure_ascii=False).encode() + b"\n"
        try:
            self._write(line)
        except OSError as error:
            self._file.truncate(end)
            raise StoreError(
                f"cannot write {self.path}: {error.strerror}; free disk space, and answer again"
            ) from None

    def _write(self, line: bytes) -> None:
        # A full disk takes a part of a line without an error.
        if self._file.write(line) != len(line):
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        os.fsync(self._file.fileno())

    def close(self) -> None:
        """Close it, which frees the lock."""
        self._file.close()

    def _read(self) -> list[Row]:
        self._file.seek(0)
        *whole, rest = self._file.read().split(b"\n")
        if rest:  # of an answer that nobody was told is saved: the process was killed as it wrote
            self._file.truncate(self._file.tell() - len(rest))
        rows: list[Row] = []
        for number, line in enumerate(whole, start=1):
            try:
                row = json.loads(line)
            except ValueError:
                row = None
            if not isinstance(row, dict) or not row.keys() >= _COLUMNS:
                raise StoreError(
                    f"{self.path}: line {number} is no answer; correct or remove that line, and begin again"
                )
            rows.append(row)
        return rows
