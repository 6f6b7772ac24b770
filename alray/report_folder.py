"""Where a report goes: files written whole into a folder, beside whatever lies there."""

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from alray.errors import StoreError
from alray.folder import Folder


@dataclass(frozen=True)
class Report:
    """What was written.

    Attributes:
        folder: Where.
        files: Name below the folder: bytes.
        verdict: The findings in one paragraph.
        problems: What failed or is missing.
    """

    folder: Path
    files: Mapping[str, int]
    verdict: str
    problems: tuple[str, ...]

    @property
    def page(self) -> Path | None:
        """The page, where there is one."""
        return self.folder / "report.html" if "report.html" in self.files else None


class ReportFolder(Folder):
    """Any folder that a report is written to, whole files only. It is not locked: a study may still be running in it."""

    def write_files(self, files: Mapping[str, bytes]) -> None:
        """Write files by their names below the folder.

        Raises:
            StoreError: One cannot be written.
        """
        for name, content in files.items():
            try:
                (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise StoreError(
                    f"cannot write to {self.root}: {error.strerror}; choose another --out"
                ) from error
            self._write(name, functools.partial(_put, content))


def _put(content: bytes, file: BinaryIO) -> None:
    file.write(content)


def write_report(
    folder: Path, files: Mapping[str, bytes], verdict: str, problems: tuple[str, ...]
) -> Report:
    """Write the files of a report, and say what was written.

    Raises:
        StoreError: A file cannot be written.
    """
    ReportFolder(folder).write_files(files)
    sizes = {name: len(content) for name, content in files.items()}
    return Report(folder, sizes, verdict, problems)
