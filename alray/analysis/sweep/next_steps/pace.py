"""About how long more of a study takes, by the recorded seconds of its rounds."""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from alray.analysis.sweep.full_data import fill_full_data

_TIMES = ["query_s", "fit_s", "eval_s"]


class Pace:
    """Seconds of rounds, mean over seeds, by arm and round; NaN comes out where no times are recorded."""

    def __init__(self, rounds: pd.DataFrame, workers: int | None) -> None:
        """Take a row per finished run and round, and how many runs there are at a time; None where that is unknown."""
        self._workers = workers
        self._arms: Mapping[str, pd.Series[float]] = {}
        self._variants: Mapping[str, str] = {}
        if set(_TIMES) <= set(rounds.columns) and len(rounds):
            timed = fill_full_data(rounds)
            timed = timed.assign(seconds=timed[_TIMES].sum(axis=1, skipna=False))
            self._arms = {
                str(arm): of_arm.groupby("round")["seconds"].mean()
                for arm, of_arm in timed.groupby("arm")
            }
            self._variants = {
                str(arm): "" if full else str(variant)
                for arm, variant, full in timed[["arm", "variant", "full_data"]]
                .drop_duplicates("arm")
                .itertuples(index=False)
            }

    def of_seeds(self, seeds: int) -> float:
        """Return the seconds of so many seeds more of all arms; a variant's passive phase is fitted once per seed."""
        later = math.fsum(of_arm[of_arm.index > 0].sum() for of_arm in self._arms.values())
        first: dict[str, float] = {}
        for arm, of_arm in self._arms.items():
            variant = self._variants[arm]
            passive = float(of_arm.get(0, math.nan))
            first[variant] = max(first.get(variant, 0.0), passive)
        return self._shared(seeds * (later + math.fsum(first.values())), seeds * len(self._arms))

    def of_rounds(self, last: int, runs: Mapping[str, int]) -> float:
        """Return the seconds of rounds up to a later last one, for so many runs of each arm.

        Rounds take longer as labels become more: the seconds go on along the straight line through what is known.
        """
        total = math.fsum(
            number * _ahead(self._arms[arm], last)
            for arm, number in runs.items()
            if arm in self._arms
        )
        return self._shared(total, sum(runs.values()))

    def of_missing(self, missing: Mapping[str, int]) -> float:
        """Return the seconds of so many rounds of each arm."""
        usual = [float(of_arm[of_arm.index > 0].mean()) for of_arm in self._arms.values()]
        mean = float(np.nanmean(usual)) if np.isfinite(usual).any() else math.nan
        total = 0.0
        for arm, number in missing.items():
            known = self._arms.get(arm)
            each = mean if known is None else float(known[known.index > 0].mean())
            total += number * each
        return self._shared(total, len(missing))

    def _shared(self, seconds: float, runs: int) -> float:
        if not self._arms or self._workers is None or seconds <= 0:
            return math.nan
        return seconds / max(1, min(self._workers, runs))


def _ahead(known: "pd.Series[float]", last: int) -> float:
    """Return the seconds of the rounds after the last known one, up to another last one."""
    later = known[known.index > 0]
    numbers = np.arange(int(known.index.max()) + 1, last + 1, dtype=float)
    if len(later) < 3 or not np.isfinite(later).all():
        return float(later.mean()) * len(numbers)
    slope, height = np.polyfit(later.index.to_numpy(float), later.to_numpy(float), 1)
    # A line that falls, by noise, would end below zero.
    slope, height = (slope, height) if slope > 0 else (0.0, float(later.mean()))
    return float((height + slope * numbers).sum())
