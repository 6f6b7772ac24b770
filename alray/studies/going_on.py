"""A study's settings as they hold in its folder: what lies there goes on under the defaults that it was begun with."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import TypeVar

from alray.pools.builtin import pool_name, with_own_settings
from alray.settings.base import look_up, with_values
from alray.settings.correlation import CorrelationSpec
from alray.settings.former import begun_with
from alray.settings.location import Location, location_of
from alray.settings.names import study_name
from alray.settings.sweep import SweepSpec
from alray.studies import manifest
from alray.studies.correlation.plan import NAME_ENDING
from alray.studies.folder import Folder

AnyStudy = TypeVar("AnyStudy", SweepSpec, CorrelationSpec)

_KINDS: Mapping[type, tuple[str, str]] = {
    SweepSpec: (manifest.SWEEP, ""),
    CorrelationSpec: (manifest.CORRELATION, NAME_ENDING),
}
"""Kind of settings: the kind of study, and what follows the pool's name in the name of one that is given none."""

_logger = logging.getLogger(__name__)


def resolve(
    study: AnyStudy, store: type[Folder], results: str | Path | Location | None
) -> AnyStudy:
    """Return a study's settings with those that a built-in pool has of its own, and those that it was begun with.

    Where a study goes on, settings that are not given, and whose default has changed, are as on record; a warning says
    so. Nothing is written.

    Args:
        study: The settings as they are given.
        store: The kind of folder that the study has.
        results: The folder of all studies; None for a study that does not go on.

    Raises:
        StoreError: The folder's settings cannot be read.
        SpecError: A setting on record does not go with those that are given.
    """
    usual = _with_own_settings(study)
    if results is None:
        return usual
    kind, ending = _KINDS[type(study)]
    name = study.name or study_name(pool_name(study.pool.source), ending)
    folder = store(location_of(results) / name)
    if not folder.exists() or not folder.has_progress():
        return usual
    if manifest.kind_of(folder, manifest.read(folder, warn=False)) != kind:
        return usual  # the claim on the folder says what to do
    values = begun_with(study, folder.read_study())
    begun = _with_own_settings(with_values(study, values, f"{folder.root}/study.yaml"))
    kept = [name for name in values if look_up(begun, name) != look_up(usual, name)]
    if kept:
        said = ", ".join(
            f"{name}: {_text(look_up(begun, name))} (the default is now {_text(look_up(usual, name))})"
            for name in kept
        )
        _logger.warning(
            "%s was begun with %s; it goes on with that. For the new default%s give the study another --name, or throw "
            "that one away with --fresh",
            folder.root,
            said,
            "s" * (len(kept) > 1),
        )
    return begun


def _with_own_settings(study: AnyStudy) -> AnyStudy:
    own = with_own_settings(study.pool)
    return study if own is study.pool else study.model_copy(update={"pool": own})


def _text(value: object) -> str:
    return "none" if value is None else str(value)
