"""Labels saved in words: how many they are, what they cost, and where along the curve a saving is shown."""

import math
from collections.abc import Sequence

import pandas as pd

from alray.analysis.wording import Row

MOST_STRETCHES = 3
"""So many stretches of a curve are named one by one; of more, the first and last accuracy."""


def amount_saved(row: Row, pairs: pd.DataFrame, price: tuple[float, str] | None) -> str:
    """Return the labels, and the money, behind a share of labels saved; nothing where they are not known.

    `pairs` is that of a `Comparison`; `price` is the cost of a label and the currency that stands behind it.
    """
    found = pairs.loc[pairs["arm"] == row["arm"], "random_labels"].to_numpy(float)
    if math.isnan(row["labels_saved"]) or not len(found):
        return ""
    needed, saves = float(found[0]), row["labels_saved"] >= 0
    ends = ("", "_low", "_high") if saves else ("", "_high", "_low")
    labels = [needed * row[f"labels_saved{end}"] * (1 if saves else -1) for end in ends]
    amount = f", {_amounts(labels, 0)} {'of' if saves else 'more than'} {round(needed)}"
    if price is None:
        return amount
    cost, currency = price
    unit = f" {currency}" if currency else ""
    money = _amounts([cost * number for number in labels], 2)
    return f"{amount}, {'worth' if saves else 'costing'} {money}{unit} at {cost:g}{unit} a label"


def _amounts(values: Sequence[float], decimals: int) -> str:
    """Return an estimate with its interval in brackets, where it has one."""
    # Adding zero takes the sign from what rounds to zero.
    estimate, low, high = (f"{round(value, decimals) + 0:.{decimals}f}" for value in values)
    return estimate if math.isnan(values[1]) else f"{estimate} ({low} to {high})"


def shown_along_curve(row: Row, savings: pd.DataFrame, reference: str) -> list[str]:
    """Return at which target accuracies of `Comparison.savings` the interval of an arm's saving excludes zero."""
    of_arm = savings[savings["arm"] == row["arm"]].sort_values("random_labels")
    if of_arm.empty or not of_arm["low"].notna().any():
        return []
    head = f"At {len(of_arm)} target accuracies, each taken alone"
    effects = (
        ("a saving is shown", of_arm["low"] > 0),
        (f"a need for more labels than {reference} is shown", of_arm["high"] < 0),
    )
    found = [
        f"{effect} {_stretches(of_arm, shown.tolist(), reference)}"
        for effect, shown in effects
        if shown.any()
    ]
    if not found:
        return [f"{head}, no interval of its saving excludes zero."]
    return [f"{head}, {', and '.join(found)}; elsewhere no difference is."]


def _stretches(targets: pd.DataFrame, shown: list[bool], reference: str) -> str:
    """Return the stretches of accuracy in which an effect is shown, in a few words."""
    accuracy, labels = targets["accuracy"].tolist(), targets["random_labels"].tolist()
    starts = [i for i, is_shown in enumerate(shown) if is_shown and not (i and shown[i - 1])]
    ends = [i for i, is_shown in enumerate(shown) if is_shown and not any(shown[i + 1 : i + 2])]
    first, last = starts[0], ends[-1]
    text = f"at {sum(shown)} of them, from {accuracy[first]:.3f} to {accuracy[last]:.3f}"
    if len(starts) <= MOST_STRETCHES:
        parts = (
            f"{accuracy[i]:.3f} to {accuracy[j]:.3f}" for i, j in zip(starts, ends, strict=True)
        )
        text = f"from {' and from '.join(parts)}"
    return f"{text} ({reference} needs {round(labels[first])} to {round(labels[last])} labels)"
