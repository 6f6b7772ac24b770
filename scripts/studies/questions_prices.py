"""At which price of a yes/no answer, as a share of a label's, questions pay: tables and a figure."""

import math
from collections.abc import Mapping

import altair as alt
import numpy as np
import pandas as pd

from alray.reporting.figures import Figure, Margins, panels
from alray.statistics.curves import labels_needed, monotone
from alray.statistics.paired import t_quantile

RANDOM = "random"
BUYING = (RANDOM, "margin")
"""Arms that buy labels."""

LEARNT = (0.1, 0.25, 0.5, 0.75)
"""Shares of the train part whose labels random choice has bought at a target."""

PRICES = (0.01, 0.02, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.5)
"""Prices of an answer, as shares of a label's."""

SHOWN = 0.5
"""The target that the figure is about."""

Curve = tuple[np.ndarray, np.ndarray]


def prices(rounds: pd.DataFrame) -> pd.DataFrame:
    """Return the price of an answer at which an arm that asks costs what one that buys labels does, at some targets.

    It is a share of the price of a label: what a label arm needs in labels for an accuracy over what the other needs in
    answers, by monotone mean curves. Targets are what random choice reaches with a part of the labels. There is none
    where a curve begins above the target or does not reach it.

    Columns: labels of random, accuracy, arm, against, labels (that the label arm needs), answers (that the other
    needs), price, with the ends of its 95 % interval over seeds: t for the jackknife of the logarithm, null where the
    target is not reached without some seed.
    """
    labelled = [arm for arm in BUYING if arm in set(rounds["arm"])]
    asking = list(dict.fromkeys(rounds.loc[rounds["partly_labelled"].notna(), "arm"]))
    arms = (*labelled, *asking)
    curves = _mean_curves(rounds, arms)
    seeds = sorted(rounds["seed"].unique())
    # Of one seed nothing is left.
    without = [_mean_curves(rounds[rounds["seed"] != seed], arms) for seed in seeds if seeds[1:]]
    bought, accuracy = curves[RANDOM]
    rows = []
    for part in LEARNT:
        target = float(np.interp(part * bought[-1], bought, accuracy))
        needed = {arm: _needed(curve, target) for arm, curve in curves.items()}
        left = [{arm: _needed(each[arm], target) for arm in arms} for each in without]
        for arm in asking:
            for other in labelled:
                logs = np.array([_log_price(each, arm, other) for each in left])
                rows.append(
                    {
                        "labels of random": part,
                        "accuracy": target,
                        "arm": arm,
                        "against": other,
                        "labels": needed[other],
                        "answers": needed[arm],
                        **_interval(_log_price(needed, arm, other), logs),
                    }
                )
    return pd.DataFrame(rows)


def money(found: pd.DataFrame) -> pd.DataFrame:
    """Return what each arm pays for an accuracy at each price of an answer, in prices of a label.

    Args:
        found: From `prices`.

    Returns:
        A row per row of `found` and price of `PRICES`: columns labels of random, accuracy, arm, against, price of an
        answer, cost (of the arm that asks), cost of labels (of the other), saved (1 - the one / the other, negative
        where it costs more), with the ends of its 95 % interval over seeds.
    """
    rows = []
    for row in found[found["price"].notna()].to_dict("records"):
        kept = {name: row[name] for name in ("labels of random", "accuracy", "arm", "against")}
        rows += [
            {
                **kept,
                "price of an answer": each,
                "cost": each * row["answers"],
                "cost of labels": row["labels"],
                "saved": 1 - each / row["price"],
                "saved_low": 1 - each / row["price_low"],
                "saved_high": 1 - each / row["price_high"],
            }
            for each in PRICES
        ]
    return pd.DataFrame(rows)


def _log_price(needed: Mapping[str, float], arm: str, other: str) -> float:
    return math.log(needed[other]) - math.log(needed[arm])


def _interval(log_price: float, without: np.ndarray) -> dict[str, float]:
    """Return a price and the ends of its interval; `without` has its logarithm without each seed."""
    n = len(without)
    if n < 2 or not np.isfinite(without).all():
        return {"price": math.exp(log_price), "price_low": math.nan, "price_high": math.nan}
    # Var = (n - 1) / n * sum of squares (Efron and Stein 1981).
    half = t_quantile(n) * math.sqrt(n - 1) * float(np.std(without))
    ends = {"price_low": log_price - half, "price_high": log_price + half}
    return {"price": math.exp(log_price), **{key: math.exp(end) for key, end in ends.items()}}


def _needed(curve: Curve, target: float) -> float:
    """Return what a curve needs for a target; NaN where it begins above it, and how little it needs is not known."""
    bought, accuracy = curve
    return math.nan if accuracy[0] > target else labels_needed(bought, accuracy, target)


def _mean_curves(rounds: pd.DataFrame, arms: tuple[str, ...]) -> dict[str, Curve]:
    """Return what each arm has bought in each round and its accuracy, means over seeds, as curves that never fall."""
    found = {}
    for arm in arms:
        means = rounds[rounds["arm"] == arm].groupby("round")[["answers", "accuracy"]].mean()
        # Where everything is labelled nothing more is bought.
        means = means[~means["answers"].round().duplicated()]
        found[arm] = means["answers"].to_numpy(float), monotone(means["accuracy"].to_numpy(float))
    return found


def price_table(found: pd.DataFrame) -> str:
    """Return `prices` as a Markdown table: a column per target."""
    targets = found.drop_duplicates("labels of random")
    heads = [
        f"{100 * row['labels of random']:.0f} % ({row['accuracy']:.3f})"
        for row in targets.to_dict("records")
    ]
    lines = [f"| arm | against | {' | '.join(heads)} |", "| --- " * (len(heads) + 2) + "|"]
    for (arm, other), rows in found.groupby(["arm", "against"], sort=False):
        cells = [
            _cell(row["price"], row["price_low"], row["price_high"])
            for row in rows.to_dict("records")
        ]
        lines.append(f"| {arm} | {other} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(price: float, low: float, high: float) -> str:
    if math.isnan(price):
        return ""
    return f"{price:.3f}" if math.isnan(low) else f"{price:.3f} ({low:.3f}, {high:.3f})"


def price_figure(paid: pd.DataFrame, study: str) -> Figure | None:
    """Return a panel per arm that asks: what it saves against random choice over the price of an answer.

    None where no arm can be compared at the target.

    Args:
        paid: From `money`.
        study: The study's name.
    """
    if not len(paid):
        return None
    rows = paid[(paid["against"] == RANDOM) & (paid["labels of random"] == SHOWN)]
    rows = rows.rename(columns={"price of an answer": "price", "saved_low": "low"})
    rows = rows.rename(columns={"saved_high": "high"})[["arm", "price", "saved", "low", "high"]]
    if not len(rows):
        return None
    x = alt.X("price:Q", axis=alt.Axis(title="price of an answer / of a label", format=".1f"))
    axis = alt.Axis(title="money saved", format="%")
    scale = alt.Scale(domain=[-1, 1], nice=False, clamp=True)
    y = alt.Y("saved:Q", axis=axis, scale=scale)
    band = alt.Chart().transform_filter("isValid(datum.low) && isValid(datum.high)")
    layers = [
        band.mark_area(opacity=0.2).encode(x=x, y=alt.Y("low:Q", scale=scale), y2="high:Q"),
        alt.Chart().mark_line(point=True).encode(x=x, y=y),
        alt.Chart().mark_rule(strokeDash=[3, 3]).encode(y=alt.datum(0)),
    ]
    accuracy = paid.loc[paid["labels of random"] == SHOWN, "accuracy"].iloc[0]
    return Figure(
        name="prices",
        heading="At which price of a yes/no answer do questions pay?",
        shown=f"{study}: money for an accuracy of {accuracy:.3f}, which random choice has with half of all labels",
        caption="Above zero an arm that asks costs less than random choice that buys labels. Band: 95 % over seeds. "
        "Less than -100 % is drawn at -100 %.",
        description="Lines of the money saved over the price of an answer, a panel per arm that asks questions.",
        rows=rows,
        chart=panels(layers, rows, "arm", {str(arm): str(arm) for arm in rows["arm"].unique()}),
        margins=Margins(left=70),
    )
