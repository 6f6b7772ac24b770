"""What was measured on this machine is kept for later studies: equal settings give equal records here."""

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from alray.studies.machine import installed_version, processor

FoundT = TypeVar("FoundT")

_logger = logging.getLogger(__name__)


def measured_once(
    kind: str,
    case: Mapping[str, Any],
    measure: Callable[[], Mapping[str, Any]],
    read: Callable[[Any], FoundT],
) -> FoundT:
    """Return what was measured of a case when this machine met it first.

    Args:
        kind: What is measured: the folder's name.
        case: All that it depends on besides the processor and PyTorch, as plain values.
        measure: Measures it; plain values.
        read: Turns the plain values into what is wanted; any of the usual errors means that a file is damaged.
    """
    case = {"processor": processor(), "torch": installed_version("torch"), **case}
    path = _cache_file(kind, hashlib.sha256(json.dumps(case).encode()).hexdigest()[:16])
    kept = None if path is None else _kept(path, read)
    if kept is not None:
        return kept
    found = measure()
    if path is None:
        return read(found)
    return _keep(path, {**found, **case}, read) or read(found)


def _cache_file(kind: str, name: str) -> Path | None:
    """Return where a measurement is kept; None for a user without a home, as containers may have."""
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        folder = Path(base) if base else Path.home() / ".cache"
    except RuntimeError:
        return None
    return folder / "alray" / kind / f"{name}.json"


def _kept(path: Path, read: Callable[[Any], FoundT]) -> FoundT | None:
    """Return what was measured before; None where nothing was, or the file does not say it."""
    try:
        return read(json.loads(path.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _keep(path: Path, content: Mapping[str, Any], read: Callable[[Any], FoundT]) -> FoundT | None:
    """Write what was measured; of two programs that measure at a time the first one's stays, and is returned."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".tmp") as file:
            json.dump(content, file, indent=1)
            file.flush()
            if path.exists() and _kept(path, read) is None:
                path.unlink()  # it is damaged
            os.link(file.name, path)
    except FileExistsError:
        pass
    except OSError as error:
        _logger.debug("cannot keep what was measured in %s: %s", path, error)
    return _kept(path, read)
