"""A sweep on disk, as frames."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from alray.settings.base import validate
from alray.settings.former import as_recorded
from alray.settings.location import Location, StudyPath, location_of
from alray.settings.sweep import SweepSpec
from alray.studies import manifest
from alray.studies.sweep.store import SweepStore


@dataclass(frozen=True)
class Sweep:
    """A study on disk.

    Attributes:
        path: Its folder: a path or, in an object store, a location, which has `/`, name, parent and the URI as text.
        settings: Its resolved settings.
        rounds: A row per run and round.
        queries: A row per queried object.
        runs: A row per run.
        summary: A row per arm.
        answers: A row per answer of a crowd; empty where the pool's labels were revealed.
    """

    path: StudyPath
    settings: SweepSpec
    rounds: pd.DataFrame
    queries: pd.DataFrame
    runs: pd.DataFrame
    summary: pd.DataFrame
    answers: pd.DataFrame


Study = Sweep
"""The name that it had before there were two kinds of study."""


def load(path: str | Path | Location) -> Sweep:
    """Read a study from its folder: local, or a URI.

    Raises:
        StoreError: There is none at this path.
    """
    folder = location_of(path)
    store = SweepStore(folder)
    manifest.require_kind(store, manifest.SWEEP)
    runs = store.read_runs()
    return Sweep(
        folder,
        validate(SweepSpec, as_recorded(SweepSpec, store.read_study()), f"{folder}/study.yaml"),
        store.read_rounds(runs["run_id"]),
        store.read_queries(runs["run_id"]),
        runs,
        store.read_summary(),
        store.read_answers(runs["run_id"]),
    )
