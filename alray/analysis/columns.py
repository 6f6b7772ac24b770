"""Columns of result tables that hold the same under every version of pandas."""

import numpy as np
import pandas as pd


def text_column(column: "pd.Series[str]") -> "pd.Series[str]":
    """Return a column of text whose nulls are nulls, also where all are.

    The type is that of `astype("str")` in pandas 3; before, this makes the text "nan" of a null.
    """
    return column.astype(pd.StringDtype(na_value=np.nan))
