"""Two sweeps of one pool as one: each is shown as a variant, so that their panels stand side by side."""

import dataclasses
from collections.abc import Mapping, Sequence

import pandas as pd

from alray.analysis.sweep.comparison import Comparison
from alray.reporting.sweep.results import SweepResults

Names = tuple[str, str]

_ARMS = ("arm", "against", "versus")


def side_by_side(parts: tuple[SweepResults, SweepResults], names: Names) -> SweepResults:
    """Return two studies of different names as one: arms of the same name follow each other, a variant is a study."""
    first, second = parts
    studies = list(zip(names, parts, strict=True))
    summary = pd.concat(
        [_as_variant(part.summary, name) for name, part in studies], ignore_index=True
    )
    order = {strategy: rank for rank, strategy in enumerate(summary["strategy"].unique())}
    summary = summary.sort_values("strategy", key=lambda column: column.map(order), kind="stable")
    return dataclasses.replace(
        first,
        title=f"{names[0]} and {names[1]}",
        summary=summary.reset_index(drop=True),
        comparison=_both_comparisons(studies),
        verdict="\n".join(f"{name}: {part.verdict}" for name, part in studies),
        problems=[f"{name}: {problem}" for name, part in studies for problem in part.problems],
        facts=_both(first.facts, second.facts, names),
        by_crowd=first.by_crowd or second.by_crowd,
        original=None,
        stopping=None,
        settings=_both(first.settings, second.settings, names),
        # A study with several has no one line for its panel.
        ceilings={
            name: next(iter(part.ceilings.values()))
            for name, part in studies
            if len(part.ceilings) == 1
        },
        links=[
            (f"{name}/{text}", address) for name, part in studies for text, address in part.links
        ],
    )


def _as_variant(frame: pd.DataFrame, study: str) -> pd.DataFrame:
    """Return a frame whose arms carry the name of their study; a strategy is then called as the arm was."""
    if "strategy" in frame:
        frame = frame.assign(strategy=frame["arm"])
    if "variant" in frame:
        frame = frame.assign(variant=study)
    renamed = {
        name: frame[name].map(lambda arm: f"{arm}, {study}", na_action="ignore")
        for name in _ARMS
        if name in frame
    }
    return frame.assign(**renamed)


def _both_comparisons(studies: Sequence[tuple[str, SweepResults]]) -> Comparison:
    frames = {}
    for field in dataclasses.fields(Comparison):
        both = [_as_variant(getattr(part.comparison, field.name), name) for name, part in studies]
        filled = [frame for frame in both if len(frame)]
        frames[field.name] = pd.concat(filled, ignore_index=True) if filled else both[0]
    return Comparison(**frames)


def _both(first: Mapping[str, str], second: Mapping[str, str], names: Names) -> dict[str, str]:
    """Return the values that both share, and the two values, with their studies' names, where they differ."""
    both = {}
    for key in dict.fromkeys([*first, *second]):
        one, other = first.get(key, "-"), second.get(key, "-")
        both[key] = one if one == other else f"{names[0]}: {one}\n{names[1]}: {other}"
    return both
