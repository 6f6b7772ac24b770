"""Where a report goes: whole files in a folder, beside what lies there already."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from alray.analysis.sweep.next_steps.steps import Step
from alray.settings.location import StudyPath
from alray.studies.folder import Folder

FORMATS = ("html", "svg", "png", "csv")
DEFAULT_FORMATS = ("html", "svg", "png")


@dataclass(frozen=True)
class Report:
    """What was written.

    Attributes:
        folder: Where: a path or, in an object store, a location.
        files: Name below the folder: bytes.
        verdict: The findings in one paragraph.
        problems: What failed or is missing.
        next_steps: What to do next with a sweep, the most pressing first; empty for other studies.
    """

    folder: StudyPath
    files: Mapping[str, int]
    verdict: str
    problems: tuple[str, ...]
    next_steps: tuple[Step, ...] = ()

    @property
    def page(self) -> StudyPath | None:
        """The page, where there is one."""
        return self.folder / "report.html" if "report.html" in self.files else None


def write_report(
    folder: StudyPath,
    files: Mapping[str, bytes],
    verdict: str,
    problems: tuple[str, ...],
    next_steps: Sequence[Step] = (),
) -> Report:
    """Write the files of a report, and say what was written.

    Raises:
        StoreError: A file cannot be written.
    """
    # Not locked: a study may still be running in it.
    Folder(folder).write_files(files)
    sizes = {name: len(content) for name, content in files.items()}
    return Report(folder, sizes, verdict, problems, tuple(next_steps))
