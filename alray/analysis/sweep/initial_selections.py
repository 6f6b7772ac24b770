"""Whether it pays to choose the initial objects otherwise than at random: each strategy against itself, by seed."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from alray.analysis.sweep.arms import arm_label
from alray.analysis.sweep.axis import Axis, axis_of
from alray.analysis.sweep.between_variants import (
    apart_said,
    between_variants,
    is_apart,
    saved_texts,
    where_both,
)
from alray.analysis.sweep.crowd_choices import CROWD_CHOICE_COLUMNS
from alray.analysis.sweep.findings import paired_seeds, whole_curve
from alray.analysis.sweep.full_data import FullDataSplit
from alray.analysis.sweep.metrics import metric_title
from alray.analysis.sweep.variants import (
    INITIAL_SELECTION,
    settings_in,
    variant_in,
    without,
    without_variant,
)
from alray.analysis.wording import NOTHING, Row, interval, joined, signed
from alray.statistics.paired import FEWEST_SEEDS

FIRST = f"{INITIAL_SELECTION}=random"
"""Where it was run, what others are compared with."""

_SHARED = (
    *("metric", "axis", "begin", "budget", "paired_seeds", "alc_difference"),
    *("alc_difference_low", "alc_difference_high", "p"),
    *("labels_saved", "labels_saved_low", "labels_saved_high", "labels_saved_of"),
    *("oracle", "exploratory"),
)

INITIAL_SELECTION_COLUMNS: Mapping[str, str] = {
    "arm": "arm of a variant with another initial_selection",
    "against": "the same strategy with random initial objects, or with the study's own initial_selection where these "
    "were not run, or else with the first; all other settings of the two are equal",
    "strategy": "the strategy of both",
    "initial_selection": "how the arm's initial objects are chosen; null where it is the study's own and that is not "
    "on record",
    "against_selection": "how those of the other are chosen, likewise",
    **{name: CROWD_CHOICE_COLUMNS[name] for name in _SHARED},
    "axis": "what curves run along: labels, answers or cost (money)",
    "labels_saved": "1 - labels, answers or money that the arm needs / what the other needs, at the end of the curves; "
    "1 - begin / labels_saved_of stands for that or more, since the two differ before begin too; null where begin is "
    "the budget",
    "labels_saved_of": "labels, answers or money that the other needs for it",
}
"""Columns of `findings/initial_selections.csv`, in order, each with what it holds."""

_EFFECTS = {
    "better": "is better for",
    "worse": "is worse for",
    "open": "is not shown to make a difference for",
}
"""Kind of verdict: what a selection is for the strategies of this kind."""


def initial_selections(
    split: FullDataSplit, axis: Axis, metric: str, rng: np.random.Generator, own: str = ""
) -> pd.DataFrame:
    """Return a row per arm that differs from another in how its initial objects are chosen, and in nothing else.

    Two arms without an amount of the axis in common have a row that says so.

    Args:
        split: The records.
        axis: What the areas are over.
        metric: One of `metrics.DECIDING`.
        rng: For the test of all rows together.
        own: The study's own initial_selection, "" where it is not on record.
    """
    rows = between_variants(split, axis, metric, rng, {INITIAL_SELECTION}, FIRST)
    named = [
        {
            **row,
            "initial_selection": _selection(row["variant"], own),
            "against_selection": _selection(row["against_variant"], own),
        }
        for row in rows
    ]
    return pd.DataFrame(named, columns=list(INITIAL_SELECTION_COLUMNS))


def selections_said(selections: pd.DataFrame, currency: str = "") -> list[str]:
    """Return sentences on whether another beginning pays, for each strategy."""
    rows: Sequence[Row] = [row for row in selections.to_dict("records") if row["paired_seeds"]]
    compared = [row for row in rows if not is_apart(row)]
    groups: dict[tuple[object, ...], list[Row]] = {}
    for row in compared:
        key = (row["initial_selection"], row["against_selection"], row["begin"], row["budget"])
        groups.setdefault(key, []).append(row)
    sentences = []
    for of_group in groups.values():
        sentences += [_effect(of_group, len(compared), currency), *_numbers(of_group)]
    return sentences + [apart_said(row, axis_of(row, currency)) for row in rows if is_apart(row)]


def _selection(variant: str, own: str) -> str:
    """Return how the initial objects of a variant are chosen."""
    parts = settings_in(variant, {INITIAL_SELECTION})
    return parts[0].partition("=")[2] if parts else own


def _effect(rows: Sequence[Row], comparisons: int, currency: str) -> str:
    """Return for which strategies a selection is shown to be better or worse, and how that was tested."""
    row = rows[0]
    new, old = (str(row[name] or "") for name in ("initial_selection", "against_selection"))
    beginning = (
        f"Beginning with {new or 'objects chosen as the study does'} instead of "
        f"{f'{old} objects' if old else 'objects chosen as the study does'}"
    )
    names: dict[str, list[str]] = {kind: [] for kind in _EFFECTS}
    for each in rows:
        names[whole_curve(each).kind].append(_named(each))
    effects = [f"{text} {joined(names[kind])}" for kind, text in _EFFECTS.items() if names[kind]]
    where = where_both(row, axis_of(row, currency))
    seeds = paired_seeds(rows)
    if max(each["paired_seeds"] for each in rows) < FEWEST_SEEDS:
        seeds += f", of which it takes {FEWEST_SEEDS} to show a difference"
    tested = "one test" if comparisons == 1 else f"one test for {comparisons} comparisons"
    how = f"area under the {metric_title(str(row['metric']))} curve {where}, {seeds}, {tested}"
    return f"{beginning} {joined(effects)} ({how})."


def _numbers(rows: Sequence[Row]) -> list[str]:
    """Return each strategy's difference of areas, and what it saves at the end of the curves by beginning so."""
    parts = []
    for row in rows:
        ends = interval(row["alc_difference_low"], row["alc_difference_high"])
        part = f"{_named(row)} {signed(row['alc_difference'])} {ends}".rstrip()
        saved = saved_texts(row)
        parts.append(part if saved[0] == NOTHING else f"{part}, {' '.join(saved).rstrip()}")
    title, metric = axis_of(rows[0]).title, metric_title(str(rows[0]["metric"]))
    bounded = any(math.isfinite(row["alc_difference_low"]) for row in rows)
    holds = " (95 % intervals, for all of these together)" if bounded else ""
    return [
        f"Difference of areas and {title} saved at the final {metric} of the other beginning{holds}: "
        f"{'; '.join(parts)}."
    ]


def _named(row: Row) -> str:
    """Return a strategy's name with the settings that both arms have, marked where it is an oracle."""
    arm = str(row["arm"])
    held = without(variant_in(arm), {INITIAL_SELECTION})
    return arm_label(without_variant(arm), held) + " (oracle)" * bool(row["oracle"])
