"""Rows of a sweep's summary, with the columns that findings look at."""

import math


def interval(name, values):
    """Return the columns of an estimate, its low and its high end."""
    return dict(zip((name, f"{name}_low", f"{name}_high"), values, strict=True))


def row_of(arm="margin", saved=(0.04, -0.02, 0.09), difference=(0.01, -0.01, 0.03), **changes):
    """Return the row of an arm; nothing is shown of it unless changed."""
    return {
        "arm": arm,
        "strategy": arm,
        "oracle": False,
        "metric": "accuracy",
        "seeds": 8,
        "failed": 0,
        "unfinished": 0,
        "labels": 1500,
        "accuracy": 0.7123,
        "accuracy_low": 0.705,
        "accuracy_high": 0.719,
        "paired_seeds": 8,
        "unpaired_seeds": 0,
        **interval("alc_difference", difference),
        "p": 0.2,
        **interval("labels_saved", saved),
        "labels_saved_of": 1200.0,
        "seeds_needed": math.nan,
        **interval("oracle_share", (math.nan,) * 3),
        "oracle_best": "",
        "exploratory": False,
    } | changes


def random_row(**changes):
    empty = (math.nan,) * 3
    return row_of("random", empty, empty, p=math.nan, paired_seeds=0, **changes)


def above(arm="margin", **changes):
    return row_of(arm, difference=(0.02, 0.01, 0.03), **{"p": 0.031, **changes})


def below(arm="bald", **changes):
    return row_of(arm, difference=(-0.02, -0.03, -0.01), **{"p": 0.031, **changes})
