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

    It is crowd-kit's. NaN where no object has several answers, or all answers name one class; None without crowd-kit.
    """
    if find_spec("crowdkit") is None:
        return None
    from crowdkit.metrics.data import alpha_krippendorff  # noqa: PLC0415 -- it need not be installed

    of_several = several(given)
    if of_several["label"].nunique() < 2:
        return math.nan
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(alpha_krippendorff(of_several[["task", "worker", "label"]]))
