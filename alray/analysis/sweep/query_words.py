"""What is said of the objects that arms query: how many two arms share, how alike they are, and what is shown."""

from collections.abc import Sequence

import pandas as pd

from alray.analysis.sweep.references import own_reference
from alray.analysis.wording import Row, joined
from alray.statistics.paired import SIGNIFICANCE

_MORE_AND_LESS = {
    "query_diversity": ("more diverse", "less diverse"),
    "query_density": ("denser regions", "sparser regions"),
    "query_duplicates": ("more near duplicates", "fewer near duplicates"),
}

NOT_RECORDED = (
    "How alike the objects of a query are was not recorded when this study was run; runs that are made from now on "
    "record it."
)

FEW = 0.005
"""A share of near duplicates below it is not worth a sentence."""


def query_sentences(overlaps: pd.DataFrame, measures: pd.DataFrame, against: str) -> list[str]:
    """Return sentences on what was queried; none where queries are unknown, as in a table of curves."""
    if overlaps.empty and measures.empty:
        return []
    said = [most_alike(overlaps)] if len(overlaps) else []
    if measures.empty:
        return [*said, NOT_RECORDED]
    return [*said, duplicates_said(measures), *_shown(measures, against)]


def by_chance(overlaps: pd.DataFrame) -> str:
    """Say what overlap is expected of an arm and random choice; empty where that is unknown."""
    expected = overlaps["by_chance"].dropna()
    if expected.empty:
        return ""
    low, high = (_percent(value) for value in (expected.min(), expected.max()))
    value = low if low == high else f"{low} to {high}"
    return f"Random choice has {value} % in common with any arm, by chance."


def most_alike(overlaps: pd.DataFrame) -> str:
    """Name the two arms with the most objects in common."""
    top = overlaps.sort_values("overlap", ascending=False, kind="stable").iloc[0]
    said = f"{top['arm']} and {top['versus']} have most objects in common: {_percent(top['overlap'])} %."
    return f"{said} {by_chance(overlaps)}".rstrip()


def duplicates_said(measures: pd.DataFrame) -> str:
    """Name the arm whose queries hold the most near duplicates, beside what it is compared with."""
    of_share = measures[measures["measure"] == "query_duplicates"]
    of_share = of_share.sort_values("mean", ascending=False, kind="stable")
    if of_share.empty or of_share["mean"].iloc[0] < FEW:
        return "No arm's queries hold near duplicates to speak of."
    top = of_share.iloc[0]
    means = dict(zip(of_share["arm"], of_share["mean"], strict=True))
    other = top["against"]
    beside = f", those of {other} {_percent(means[other])} %" if other in means else ""
    return f"The queries of {top['arm']} hold {_percent(top['mean'])} % near duplicates{beside}."


def _shown(measures: pd.DataFrame, against: str) -> list[str]:
    """Say which differences the joint test shows."""
    tested = measures[measures["p"].notna()]
    if tested.empty:
        return []
    shown = tested[tested["p"] < SIGNIFICANCE]
    if shown.empty:
        own = own_reference(tested.to_dict("records"), against)
        return [
            f"No arm's queries are shown to differ from those of {own or against} in these measures."
        ]
    parts = [
        (
            str(other),
            "; ".join(_shown_arm(arm, rows) for arm, rows in of_other.groupby("arm", sort=False)),
        )
        for other, of_other in shown.groupby("against", sort=False)
    ]
    if len(parts) == 1:
        other, arms = parts[0]
        return [f"Shown to differ from {other}, in one test of all arms and measures: {arms}."]
    each = "; ".join(f"from {other}: {arms}" for other, arms in parts)
    return [f"Shown to differ, in one test of all arms and measures, {each}."]


def _shown_arm(arm: object, rows: pd.DataFrame) -> str:
    return f"{arm} ({joined([_direction(row) for row in rows.to_dict('records')])})"


def _direction(row: Row) -> str:
    more, less = _MORE_AND_LESS[row["measure"]]
    return more if row["difference"] > 0 else less


def _percent(share: float) -> str:
    return f"{100 * abs(share):.0f}" if abs(share) >= FEW or share == 0 else f"{100 * share:.1f}"


def shared_most(overlaps: pd.DataFrame, arms: Sequence[str]) -> dict[str, tuple[str, float]]:
    """Return arm: the other arm that it has most objects in common with, and the share."""
    ordered = overlaps.sort_values("overlap", ascending=False, kind="stable")
    best = ordered.drop_duplicates("arm").set_index("arm")
    return {
        arm: (str(best.loc[arm, "versus"]), float(str(best.loc[arm, "overlap"])))
        for arm in arms
        if arm in best.index
    }
