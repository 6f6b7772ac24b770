"""A study's folder as a path of this machine."""

from pathlib import Path

from alray.settings.location import StudyPath


def local(path: StudyPath | None) -> Path:
    """Return the path of a local folder or file; it must exist on this machine, not in an object store."""
    assert isinstance(path, Path)
    return path
