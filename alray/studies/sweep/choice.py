"""The table of variants of a sweep without rounds, from its records and settings."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from alray.errors import SpecError
from alray.seeding import generator
from alray.settings.base import validate
from alray.settings.sweep import SweepSpec
from alray.studies.sweep.variation import names_of_variants


def choice_of(
    rounds: pd.DataFrame, runs: pd.DataFrame, settings: Mapping[str, Any], metric: str = "accuracy"
) -> pd.DataFrame:
    """Return `choosing.choose` of a study's records; `settings` are its resolved ones as plain values.

    Raises:
        SpecError: The metric was not recorded on the validation part.
    """
    from alray.analysis.sweep.choosing import choose  # noqa: PLC0415 -- SciPy, which no run waits for

    try:
        names = names_of_variants(validate(SweepSpec, settings, "the study"))
    except SpecError:  # of another version: variants go by their names in the records
        names = {}
    rng = generator(int(settings.get("seed", 0)), 0, "bootstrap")
    return choose(rounds, runs, names, rng, metric, str(settings["metric_split"]))
