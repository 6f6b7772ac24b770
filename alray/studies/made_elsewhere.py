"""Whether a study goes on with other software, or on another machine, than it was begun with."""

import logging
from collections.abc import Mapping
from typing import Any

from alray._version import __version__
from alray.settings.estimators import PACKAGE
from alray.studies.folder import Folder
from alray.studies.machine import (
    MISSING,
    installed_version,
    is_same_processor,
    own_source,
    processor,
)
from alray.studies.manifest import read

_logger = logging.getLogger(__name__)


def warn_if_made_elsewhere(folder: Folder) -> None:
    """Warn that a study goes on with another alray, processor, PyTorch or scikit-learn than it was begun with."""
    if not folder.has_progress():
        return
    earlier = read(folder, warn=False)
    _warn_if_moved(folder, earlier)
    then, here = earlier.get("source"), own_source()
    if then is not None and then != here:
        _logger.warning(
            "%s was begun with another alray (%s, source %s; here %s, source %s): what is finished stays, and what is "
            "added may not be quite comparable; --fresh starts over",
            folder.root,
            earlier["alray"],
            then,
            __version__,
            here,
        )


def _warn_if_moved(folder: Folder, earlier: Mapping[str, Any]) -> None:
    """Warn of another processor, PyTorch or scikit-learn; another number of threads is refused, being a setting."""
    processors = earlier.get("machine", {}).get("processor"), processor()
    differing = []
    if processors[0] is not None and not is_same_processor(*processors):
        differing.append(f"the processor {processors[0]}, here {processors[1]}")
    # A library of strategies is part of a run's name: another version is refused.
    for package, title in (("torch", "PyTorch"), (PACKAGE, PACKAGE)):
        there, here = earlier.get("versions", {}).get(package), installed_version(package)
        if there is not None and there != here:
            differing.append(f"{title} {there}, here {here or MISSING}")
    if differing:
        _logger.warning(
            "%s was last run elsewhere (%s): what is finished stays, and what is added differs from it as runs with "
            "another seed do, though the seed is the same; finish it where it was begun, or start over with --fresh",
            folder.root,
            "; ".join(differing),
        )
