"""Which part of their curves arms are compared on, in words, where it is not the whole of them."""

from collections.abc import Iterator, Sequence

import pandas as pd

from alray.analysis.sweep.along import paid_axis, ranges
from alray.analysis.sweep.axis import LABELS, Axis
from alray.analysis.wording import Row, joined

WHOLE = 0.9
"""Curves with this share of their own stretch in common are as good as whole."""


def stretch_said(rounds: pd.DataFrame, axis: Axis) -> list[str]:
    """Return a sentence for each variant whose curves have only a part of their stretch in common.

    Along labels there is another one where the curves do not meet along what was paid.

    Args:
        rounds: A row per finished run and round, without runs on full data.
        axis: What the curves run along.

    Raises:
        StoreError: A run has not recorded its answers or what they cost.
    """
    paid = paid_axis(rounds) if axis.name == LABELS.name else None
    apart = [] if paid is None else _apart(rounds, Axis(paid, axis.currency))
    return [*apart, *_stretches(rounds, axis)]


def _apart(rounds: pd.DataFrame, axis: Axis) -> list[str]:
    for _, own in ranges(rounds, axis).groupby("variant", sort=False):
        runs: Sequence[Row] = own.to_dict("records")
        last, first = max(runs, key=_begin), min(runs, key=_end)
        if _begin(last) > _end(first):
            return [
                f"Along {axis.title} curves do not meet, so they run along labels: {last['arm']} begins at "
                f"{axis.at(_begin(last))}, and {first['arm']} ends at {axis.at(_end(first))}. More rounds would let "
                "them meet."
            ]
    return []


def _stretches(rounds: pd.DataFrame, axis: Axis) -> Iterator[str]:
    for variant, own in ranges(rounds, axis).groupby("variant", sort=False):
        runs: Sequence[Row] = own.to_dict("records")
        begin, end = max(map(_begin, runs)), min(map(_end, runs))
        longest = max(_end(run) - _begin(run) for run in runs)
        if begin > end or end - begin >= WHOLE * longest:
            continue
        where = f"at {axis.amount(end)} alone" if begin == end else axis.stretch(begin, end)
        first, last = min(map(_begin, runs)), max(map(_end, runs))
        why = []
        if begin > first:
            why.append(f"{max(runs, key=_begin)['arm']} begins at {axis.at(begin)}")
        if end < last:
            why.append(f"{min(runs, key=_end)['arm']} ends at {axis.at(end)}")
        yield (
            f"{_curves(str(variant))} are compared {where}, which is all that they have in common: {joined(why)}. "
            f"Together they reach {axis.stretch(first, last)}."
        )


def _curves(variant: str) -> str:
    return f"With {variant} curves" if variant else "Curves"


def _begin(run: Row) -> float:
    return float(run["begin"])


def _end(run: Row) -> float:
    return float(run["end"])
