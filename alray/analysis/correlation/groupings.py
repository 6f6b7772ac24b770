"""A correlation study's frames as arrays: per grouping, how useful each group was and what it was made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Float

from alray.errors import StoreError
from alray.settings.correlation import OUTCOMES

GROUPING_TITLES: Mapping[str, str] = {
    "score": "by score",
    "within_class": "by score within class",
    "random": "at random",
}
"""Groupings in words, as they follow the word groups."""

SHORT_GROUPING_TITLES: Mapping[str, str] = {**GROUPING_TITLES, "within_class": "within class"}
"""The same where there is little space, as in a legend."""

SMALL_IS_QUERIED = frozenset({"margin"})
"""Scores whose smallest values a strategy would choose; of every other score it is the largest."""

_KEYS = ("base", "grouping", "sorted_by", "group", "id", "label")
_CELL = ["base", "group", "seed", "epochs"]
_SHARED = ["base", "seed", "epochs"]


@dataclass(frozen=True)
class GroupedOutcomes:
    """The groups of one grouping, with their fine-tunes.

    Attributes:
        grouping: "score", "within_class", "random" or "shuffled_labels".
        sorted_by: Name of the score the objects were sorted by, empty where by none.
        bases: Numbers of the base models, rising.
        seeds: Number of fine-tuning seeds.
        epochs: Doses, rising.
        usefulness: Outcome minus the control's (or the base's own), turned so that larger is better: the change of
            nll is negated. An (outcome, dose) in which any is not finite is NaN throughout: none is dropped.
        scores: Mean raw score of each group, by the score's name.
        shares: Share of each class in each group.
    """

    grouping: str
    sorted_by: str
    bases: tuple[int, ...]
    seeds: int
    epochs: tuple[int, ...]
    usefulness: Float[np.ndarray, "base group seed outcome dose"]
    scores: dict[str, Float[np.ndarray, "base group"]]
    shares: Float[np.ndarray, "base group label"]


def queried_end(score: str) -> str:
    """Return which end of a score a strategy would choose, "large" or "small"."""
    return "small" if score in SMALL_IS_QUERIED else "large"


def score_names(groups: pd.DataFrame) -> list[str]:
    """Return the names of the score columns, in the order of the frame."""
    return [str(name) for name in groups.columns if name not in _KEYS]


def grouped_outcomes(
    groups: pd.DataFrame, outcomes: pd.DataFrame, bases: pd.DataFrame
) -> list[GroupedOutcomes]:
    """Return the groupings in the order of their names; the order of rows changes nothing.

    Usefulness is the outcome minus the control's with the same base, seed and epochs; without any control row (the
    published protocol), minus the base's own metric.

    Raises:
        StoreError: If a fine-tune, a control, a base or a group is missing or occurs twice, groupings differ in
            their bases, seeds or doses, or the groups of one share an object.
    """
    changes = usefulness(outcomes, bases)
    if changes.empty:
        raise StoreError("the study has no fine-tune of a group: nothing can be summarised")
    base, seed, epochs = (sorted(changes[name].unique().tolist()) for name in _SHARED)
    keys = set(zip(changes["grouping"], changes["sorted_by"], strict=True))
    groupings = []
    for grouping, sorted_by in sorted(keys):
        name = f"grouping {grouping}" + (f" by {sorted_by}" if sorted_by else "")
        of_grouping, objects = (
            frame[(frame["grouping"] == grouping) & (frame["sorted_by"] == sorted_by)]
            for frame in (changes, groups)
        )
        if objects.empty:
            raise StoreError(f"{name}: was fine-tuned, but the groups do not hold its objects")
        objects = objects[objects["base"].isin(base)]
        group = sorted(objects["group"].unique().tolist())
        _check_disjoint(objects, len(base) * len(group), name)
        useful = _array(of_grouping, [base, group, seed, epochs], name)
        means = objects.groupby(["base", "group"])[score_names(groups)].mean()
        in_group = [objects["base"], objects["group"]]
        shares = pd.crosstab(in_group, objects["label"], normalize="index")
        shape = len(base), len(group)
        groupings.append(
            GroupedOutcomes(
                grouping,
                sorted_by,
                tuple(base),
                len(seed),
                tuple(epochs),
                np.where(np.isfinite(useful).all(axis=(0, 1, 2)), useful, np.nan),
                {
                    str(score): column.to_numpy(float).reshape(shape)
                    for score, column in means.items()
                },
                shares.to_numpy(float).reshape(*shape, -1),
            )
        )
    _check_sizes(groupings)
    return groupings


def usefulness(outcomes: pd.DataFrame, bases: pd.DataFrame) -> pd.DataFrame:
    """Return the outcomes of groups, by their index, with metrics replaced by usefulness.

    Raises:
        StoreError: If a control, or a base where there are no controls, is missing or occurs twice.
    """
    is_control = outcomes["grouping"] == "control"
    of_groups = outcomes[~is_control]
    name, by, reference = "base", ["base"], bases
    if is_control.any():
        name, by, reference = "control", _SHARED, outcomes[is_control]
    if reference.duplicated(by).any():
        raise StoreError(f"a {name} occurs twice")
    keys = pd.MultiIndex.from_frame(reference[by])
    position = keys.get_indexer(pd.MultiIndex.from_frame(of_groups[by]))
    if (position < 0).any():
        first = of_groups[by].iloc[int(np.argmax(position < 0))].to_dict()
        raise StoreError(
            f"{int((position < 0).sum())} outcomes have nothing to compare with, e.g. {first}"
        )
    # A diverged fine-tune (infinite nll) has no usefulness, and inf - inf is no number either.
    values, references = (
        frame[list(OUTCOMES)].replace([np.inf, -np.inf], np.nan).to_numpy(float)
        for frame in (of_groups, reference)
    )
    change = (values - references[position]) * [
        -1.0 if name == "nll" else 1.0 for name in OUTCOMES
    ]
    return of_groups.assign(**dict(zip(OUTCOMES, change.T, strict=True)))


def _array(
    frame: pd.DataFrame, axes: Sequence[list[int]], name: str
) -> Float[np.ndarray, "base group seed outcome dose"]:
    shape = tuple(len(axis) for axis in axes)
    cells = pd.MultiIndex.from_frame(frame[_CELL])
    position = pd.MultiIndex.from_product(axes, names=_CELL).get_indexer(cells)
    if (position < 0).any() or cells.has_duplicates:
        raise StoreError(f"{name}: a fine-tune occurs twice, or belongs to no known group")
    if len(position) < np.prod(shape):
        missing = int(np.prod(shape)) - len(position)
        raise StoreError(
            f"{name}: {missing} of {int(np.prod(shape))} outcomes are missing; finish the study first"
        )
    values = np.empty((len(position), len(OUTCOMES)))
    values[position] = frame[list(OUTCOMES)].to_numpy(float)
    return np.moveaxis(values.reshape(*shape, len(OUTCOMES)), -1, -2)


def _check_disjoint(objects: pd.DataFrame, groups: int, name: str) -> None:
    # Windows that overlap share objects, and their outcomes are then correlated whether the score matters or not.
    if objects.duplicated(["base", "id"]).any():
        raise StoreError(f"{name}: an object is in more than one group; groups must be disjoint")
    found = len(objects[["base", "group"]].drop_duplicates())
    if found != groups:
        raise StoreError(f"{name}: {found} groups with objects, {groups} expected")


def _check_sizes(groupings: list[GroupedOutcomes]) -> None:
    for one in groupings:
        sizes = {other.shares.shape[1] for other in groupings if other.grouping == one.grouping}
        if len(sizes) > 1:
            raise StoreError(f"grouping {one.grouping}: scores differ in their number of groups")
