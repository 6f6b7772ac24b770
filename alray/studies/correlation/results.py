"""A correlation study on disk, as frames."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from alray.analysis.correlation.effects import EFFECT_COLUMNS
from alray.analysis.correlation.summary import judged_again
from alray.analysis.correlation.verdict import with_verdicts
from alray.seeding import generator
from alray.settings.base import validate
from alray.settings.correlation import CorrelationSpec
from alray.settings.former import as_recorded
from alray.settings.location import Location, StudyPath, location_of
from alray.studies import manifest
from alray.studies.correlation.complete import Records, complete_records, summarised_settings
from alray.studies.correlation.store import CorrelationStore


@dataclass(frozen=True)
class Correlation:
    """A correlation study on disk.

    Attributes:
        path: Its folder: a path or, in an object store, a location, which has `/`, name, parent and the URI as text.
        settings: Its resolved settings.
        bases: A row per base model.
        groups: A row per base, grouping and object.
        outcomes: A row per fine-tune and dose.
        summary: A row per score, grouping, outcome and dose.
        quantiles: Usefulness by score tenth.
        checks: The instrument's checks of itself.
        failures: A row per task that failed for good; empty where all went well.
    """

    path: StudyPath
    settings: CorrelationSpec
    bases: pd.DataFrame
    groups: pd.DataFrame
    outcomes: pd.DataFrame
    summary: pd.DataFrame
    quantiles: pd.DataFrame
    checks: pd.DataFrame
    failures: pd.DataFrame


def load_correlation(path: str | Path | Location) -> Correlation:
    """Read a correlation study from its folder: local, or a URI.

    Raises:
        StoreError: There is none at this path.
    """
    store = CorrelationStore(location_of(path))
    manifest.require_kind(store, manifest.CORRELATION)
    return read_correlation(store)


def read_correlation(store: CorrelationStore, records: Records | None = None) -> Correlation:
    """Read a correlation study from a folder that is known to hold one.

    Args:
        store: The folder.
        records: Its bases, groups and outcomes, where they have been read before.

    Raises:
        StoreError: It has not been run to its end, or cannot be read.
    """
    spec = validate(
        CorrelationSpec,
        as_recorded(CorrelationSpec, store.read_study()),
        f"{store.root}/study.yaml",
    )
    bases, groups, outcomes = records or store.read_records(spec.bases)
    summary, quantiles, checks = store.read_found()
    if not EFFECT_COLUMNS.keys() <= set(summary.columns):
        of_summary = complete_records(summarised_settings(spec, summary), bases, groups, outcomes)
        rng = generator(spec.seed, 0, "bootstrap")
        summary = with_verdicts(judged_again(summary, of_summary, rng), spec.matters)
    failures = store.read_failures()
    return Correlation(
        store.root, spec, bases, groups, outcomes, summary, quantiles, checks, failures
    )
