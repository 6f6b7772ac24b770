"""How far assessors agree with each other."""

import math
import warnings
from importlib.util import find_spec

import pandas as pd


def several(given: pd.DataFrame) -> pd.DataFrame:
    """Return the answers about objects that have more than one; a row each with `task`, `worker` and `label`."""
    return given[given.groupby("task")["label"].transform("size") > 1]


def krippendorff_alpha(given: pd.DataFrame) -> float | None:
    """Return Krippendorff's alpha: 1 where all agree, 0 where they agree as chance would have it.

    It is crowd-kit's. NaN where no object has several answers, all answers name one class, or crowd-kit cannot tell;
    None without crowd-kit.

    Args:
        given: A row per answer with `task`, `worker` and `label`; each without a worker's name is of another assessor.
    """
    if find_spec("crowdkit") is None:
        return None
    from crowdkit.metrics.data import alpha_krippendorff  # noqa: PLC0415 -- it need not be installed

    of_several = several(given)
    if of_several["label"].nunique() < 2:
        return math.nan
    rows = pd.Series(
        [f"\0{row}" for row in range(len(of_several))], of_several.index, dtype=object
    )
    named = of_several["worker"].where(of_several["worker"] != "", rows)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return float(
                alpha_krippendorff(of_several.assign(worker=named)[["task", "worker", "label"]])
            )
        except ValueError:
            return math.nan
