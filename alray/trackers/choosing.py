"""The tracker that a setting names."""

import os
from importlib.metadata import entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from alray.custom.loading import load
from alray.errors import SpecError
from alray.settings.base import nearest
from alray.settings.location import StudyPath
from alray.studies.sweep.store import CURVES
from alray.trackers.tracker import Tracker

ENTRY_POINTS = "alray.trackers"
"""The group of entry points by which packages offer trackers."""

BUILT_IN = ("mlflow", "tensorboard")


def tracker_of(text: str, folder: StudyPath) -> Tracker:
    """Return the tracker of `mlflow`, `mlflow:URI`, `tensorboard`, `tensorboard:FOLDER`, an entry point or a class.

    Args:
        text: The setting.
        folder: The study's folder.

    Raises:
        SpecError: There is no such tracker, or what it needs is missing.
    """
    name, _, where = text.partition(":")
    if name == "mlflow":
        _require("mlflow", name, "mlflow")
        from alray.trackers.mlflow import MlflowTracker  # noqa: PLC0415 -- it need not be installed

        return MlflowTracker(_mlflow_address(where))
    if name == "tensorboard":
        _require("tensorboard", name, "tensorboard")
        from alray.trackers.tensorboard import TensorboardTracker  # noqa: PLC0415 -- as above

        return TensorboardTracker(_local_folder(where, folder))
    if where:
        return _made(load(text, "execution.tracker"), text)
    offered = {entry.name: entry for entry in entry_points(group=ENTRY_POINTS)}
    if name not in offered:
        near = nearest(name, [*BUILT_IN, *offered])
        hint = f"; did you mean {near!r}?" if near else ""
        raise SpecError(
            f"execution.tracker: there is no tracker {name!r}{hint}; use {', '.join([*BUILT_IN, *offered])}, or "
            "module:Class of your own"
        )
    try:
        found = offered[name].load()
    except Exception as error:
        raise SpecError(
            f"execution.tracker: {name!r} of {offered[name].value} cannot be imported: {error}"
        ) from error
    return _made(found, name)


def _made(kind: Any, text: str) -> Tracker:
    """Return what a class or a function without arguments makes."""
    try:
        found = kind()
    except Exception as error:
        raise SpecError(
            f"execution.tracker: {text!r} could not be made without arguments: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(found, Tracker):
        raise SpecError(
            f"execution.tracker: {text!r} makes no tracker: let its class inherit from alray.trackers.Tracker"
        )
    return found


def _require(module: str, name: str, extra: str) -> None:
    if find_spec(module) is None:
        raise SpecError(
            f'execution.tracker: {name} is not installed: pip install "alray[{extra}]"'
        )


def _mlflow_address(where: str) -> str:
    address = where or os.environ.get("MLFLOW_TRACKING_URI", "")
    if not address:
        raise SpecError(
            "execution.tracker: mlflow has no address: give one, such as mlflow:http://127.0.0.1:5000, or set "
            "MLFLOW_TRACKING_URI"
        )
    if "@" in address.partition("://")[2].partition("/")[0]:
        raise SpecError(
            "execution.tracker: an address with a password would be kept among the settings; set "
            "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD instead"
        )
    return address


def _local_folder(where: str, folder: StudyPath) -> Path:
    if where:
        return Path(where).expanduser()
    if not isinstance(folder, Path):
        raise SpecError(
            f"execution.tracker: tensorboard writes to a local folder, and the study is in {folder}: name one, such as "
            "tensorboard:runs"
        )
    return folder / CURVES
