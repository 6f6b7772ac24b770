"""The frames that the figures of a correlation study are drawn from: those of one outcome, in order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from alray.analysis.correlation import groupings
from alray.analysis.correlation.groupings import GROUPING_TITLES, SHORT_GROUPING_TITLES
from alray.analysis.wording import count, signed
from alray.statistics.paired import pointwise

OUTCOME_TITLES: Mapping[str, str] = {"accuracy": "accuracy", "nll": "NLL", "macro_f1": "macro F1"}
"""Outcomes in words."""

_UNITS = {"loss": "nats", "entropy": "nats", "bald": "nats"}


@dataclass(frozen=True)
class Choice:
    """The outcome, dose and groupings that figures show, and their order.

    Attributes:
        outcome: The outcome that usefulness is measured by.
        epochs: The dose shown where a figure shows one.
        grouping: The grouping shown where a figure shows one.
        scores: All scores, in order.
        groupings: All groupings, in order.
        doses: All doses, rising.
        controlled: Usefulness is against a control with equal gradient steps, not against the base itself.
        queried: Score: "large" or "small", the end that a strategy would choose.
    """

    outcome: str
    epochs: int
    grouping: str
    scores: tuple[str, ...]
    groupings: tuple[str, ...]
    doses: tuple[int, ...]
    controlled: bool
    queried: Mapping[str, str]

    @property
    def usefulness(self) -> str:
        """Title of an axis of usefulness, with its unit."""
        unit = " (nats)" if self.outcome == "nll" else ""
        change = "fall in" if self.outcome == "nll" else "change in"
        return f"{change} {self.outcome_title}{unit} against {'control' if self.controlled else 'base'}"

    @property
    def outcome_title(self) -> str:
        """The outcome in words."""
        return OUTCOME_TITLES.get(self.outcome, self.outcome)

    @property
    def at_dose(self) -> str:
        """Outcome and dose in words."""
        return f"{self.outcome_title} after {count(self.epochs, 'epoch')}"

    @property
    def grouping_titles(self) -> dict[str, str]:
        """Groupings in words, short enough for a legend."""
        return {name: SHORT_GROUPING_TITLES[name] for name in self.groupings}

    def values(self, summary: pd.DataFrame, column: str) -> str:
        """Return a column's values for the chosen dose and grouping: `Groups by score, 5 epochs: loss -.640, ...`."""
        chosen = (summary["epochs"] == self.epochs) & (summary["grouping"] == self.grouping)
        rows = summary[chosen & (summary["outcome"] == self.outcome)]
        values = ", ".join(
            f"{words(score)} {signed(float(value))}"
            for score, value in zip(rows["score"], rows[column], strict=True)
        )
        return f"Groups {GROUPING_TITLES[self.grouping]}, {count(self.epochs, 'epoch')}: {values}."

    @property
    def panels(self) -> dict[str, str]:
        """Titles of the scores' panels: name, unit and queried end."""
        return {
            score: f"{with_unit(score)}: {self.queried[score]} is queried" for score in self.scores
        }


def choose(
    summary: pd.DataFrame, outcomes: pd.DataFrame, outcome: str, epochs: int | None
) -> Choice:
    """Return the default choice: the largest dose, and groups by score where there are any.

    Raises:
        ValueError: If the summary lacks the outcome or the dose.
    """
    doses = sorted(int(dose) for dose in summary["epochs"].unique())
    if outcome not in set(summary["outcome"]) or (epochs is not None and epochs not in doses):
        raise ValueError(
            f"the summary has no outcome {outcome!r} at {epochs} epochs; doses: {doses}"
        )
    groupings = [name for name in GROUPING_TITLES if name in set(summary["grouping"])]
    return Choice(
        outcome=outcome,
        epochs=doses[-1] if epochs is None else epochs,
        grouping=groupings[0],
        scores=tuple(summary["score"].unique()),
        groupings=tuple(groupings),
        doses=tuple(doses),
        controlled=bool((outcomes["grouping"] == "control").any()),
        queried=dict(zip(summary["score"], summary["queried"], strict=True)),
    )


def words(name: str) -> str:
    """Return a score's name in words."""
    return name.replace("_", " ")


def with_unit(score: str) -> str:
    """Return a score's name with its unit."""
    return f"{words(score)} ({_UNITS[score]})" if score in _UNITS else words(score)


def group_points(
    groups: pd.DataFrame, outcomes: pd.DataFrame, bases: pd.DataFrame, choice: Choice
) -> pd.DataFrame:
    """Return a row per grouping, score, base, group and dose: its mean score, usefulness and commonest class.

    Columns: grouping, score, base, group, epochs, mean_score, usefulness, low, high (t interval over
    fine-tuning seeds, NaN for one seed), commonest (its share of the group, and the class). Random groups are
    repeated for every score, each time with that score's means.
    """
    useful = usefulness(outcomes, bases, choice)
    keys = ["base", "grouping", "sorted_by", "group"]
    by_seed = useful.pivot(columns=[*keys, "epochs"], index="seed", values="usefulness")
    mean, half = pointwise(by_seed.to_numpy(float))
    table = by_seed.columns.to_frame(index=False)
    table = table.assign(usefulness=mean, low=mean - half, high=mean + half)
    points = _mean_scores(groups, choice.scores).merge(table, on=keys)
    return points.drop(columns="sorted_by")


def usefulness(outcomes: pd.DataFrame, bases: pd.DataFrame, choice: Choice) -> pd.DataFrame:
    """Return the rows of groups with a column `usefulness`: outcome minus the control's, larger is better.

    As `groupings.usefulness`, for the groupings and the outcome that are shown.
    """
    shown = outcomes[outcomes["grouping"].isin(["control", *choice.groupings])]
    change = groupings.usefulness(shown, bases)[choice.outcome]
    return shown.loc[change.index].assign(usefulness=change)


def _mean_scores(groups: pd.DataFrame, scores: Sequence[str]) -> pd.DataFrame:
    """Return base, grouping, sorted_by, group, commonest, score, mean_score."""
    keys = ["base", "grouping", "sorted_by", "group"]
    by_group = groups.groupby(keys)
    wide = by_group[list(scores)].mean().assign(commonest=_commonest(groups, keys)).reset_index()
    tall = wide.melt([*keys, "commonest"], list(scores), "score", "mean_score")
    return tall[(tall["sorted_by"] == tall["score"]) | (tall["grouping"] == "random")]


def _commonest(groups: pd.DataFrame, keys: list[str]) -> pd.Series:
    """Return `62 % cat` for every group."""
    counts = groups.groupby([*keys, "label"]).size()
    first = counts.sort_values(ascending=False, kind="stable").reset_index(name="objects")
    first = first.drop_duplicates(keys).set_index(keys)
    percent = 100 * first["objects"] / groups.groupby(keys).size()
    labels = first["label"].reindex(percent.index)
    return percent.round().astype(int).astype(str) + " % " + labels.astype(str)


def shown_interval(summary: pd.DataFrame) -> pd.DataFrame:
    """Return the summary with `low` and `high` of rho: over bases, or for one base the bootstrap over its groups."""
    one_base = summary["rho_low"].isna()
    return summary.assign(
        low=summary["rho_low"].where(~one_base, summary["rho_bootstrap_low"]),
        high=summary["rho_high"].where(~one_base, summary["rho_bootstrap_high"]),
    )
