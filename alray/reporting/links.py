"""Addresses of a study's data as its page links to them."""

import os
from pathlib import Path, PurePosixPath

from alray.reporting.sources import Source
from alray.settings.location import Location, StudyPath


def links_of(source: Source, folder: StudyPath) -> list[tuple[str, str]]:
    """Return the data with their addresses, relative to the page."""
    root = source.path if source.settings else source.path.parent
    way = _way(folder, root)
    return [(name, f"{way}/{name}" if way else name) for name in source.data]


def _way(folder: StudyPath, root: StudyPath) -> str:
    """Return the address of a folder seen from another one, empty where they are the same."""
    if folder == root:
        return ""
    if isinstance(folder, Path) and isinstance(root, Path):
        relative = os.path.relpath(root, folder)
    elif isinstance(folder, Location) and isinstance(root, Location):
        bucket, _, inside = root.bucket_path.partition("/")
        other, _, page = folder.bucket_path.partition("/")
        if (folder.scheme, other) != (root.scheme, bucket):
            return str(root)
        relative = os.path.relpath(f"/{inside}", f"/{page}")
    else:
        return str(root) if isinstance(root, Location) else root.resolve().as_uri()
    return "" if relative == "." else PurePosixPath(relative).as_posix()
