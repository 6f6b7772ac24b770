"""The pictures of the page: learning curves of every part, and those that a single part needs."""

from collections.abc import Iterable, Iterator, Mapping

import altair as alt
import pandas as pd

from alray.analysis.sweep.arms import ArmCurves, Pair
from alray.analysis.sweep.savings import savings
from alray.reporting.figures import Figure, Margins, error_bars, panels, signed_axis, single
from alray.reporting.sweep import difference_charts
from alray.reporting.sweep.curve_charts import learning_curves
from alray.reporting.sweep.style import ArmStyles, arms_of, label_axis
from alray.seeding import generator
from alray.statistics.bands import simultaneous_half_width
from alray.statistics.paired import pointwise
from studies.reproduction.evidence import Evidence
from studies.reproduction.registry import PARTS
from studies.reproduction.special_claims import fixed_against_published, growth_line

BLUE, VERMILION, GREEN = "#0072B2", "#D55E00", "#009E73"


def pictures(evidence: Evidence, part: str, data: str) -> Iterator[Figure]:
    """Yield the pictures of a part on a data set, none where it has not run."""
    if PARTS[part].correlations:
        yield from _correlation(evidence, data)
        return
    arms = evidence.arms(part, data)
    if not arms or max(len(arm.labels) for arm in arms.values()) == 1:
        return
    styles = _styles(part, arms)
    yield learning_curves(_curves(arms.values()), styles, "accuracy", {})
    if part == "batches":
        yield from _batches(evidence, data)
    if part == "long":
        pairs = evidence.pairs(part, data)
        yield difference_charts.differences(_differences(pairs), styles, "accuracy")
        yield difference_charts.savings(savings(pairs.values(), None), styles, "accuracy")


def pictures_of_none(evidence: Evidence, part: str) -> Iterator[Figure]:
    """Yield the pictures of a part that is about no data set."""
    if part == "windows" and len(evidence.frames.windows):
        yield _windows(evidence.frames.windows)
    if part == "costs":
        for what, title in (("pool", "objects of the pool"), ("members", "committee members")):
            medians, r2, _ = growth_line(what)
            if len(medians):
                yield _growth(medians, title, r2, what)


def _styles(part: str, arms: Mapping[str, ArmCurves]) -> ArmStyles:
    against: dict[str, str] = {}
    for arm, reference in PARTS[part].pairs:
        against.setdefault(arm, reference)
    rows = [(name, name, "", False, against.get(name, "")) for name in arms]
    columns = ["arm", "strategy", "variant", "oracle", "against"]
    return arms_of(pd.DataFrame(rows, columns=columns))


def _curves(arms: Iterable[ArmCurves]) -> pd.DataFrame:
    tables = []
    for arm in arms:
        mean, half = pointwise(arm.values("accuracy"))
        tables.append(
            pd.DataFrame(
                {
                    "arm": arm.name,
                    "variant": "",
                    "metric": "accuracy",
                    "labels": arm.labels.astype(int),
                    "seeds": len(arm.seeds),
                    "mean": mean,
                    "low": mean - half,
                    "high": mean + half,
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def _differences(pairs: Mapping[tuple[str, str], Pair]) -> pd.DataFrame:
    tables = []
    for (arm, against), each in pairs.items():
        values = each.differences("accuracy")
        mean, half = pointwise(values)
        band = simultaneous_half_width(values, generator(0, 0, "bootstrap"))
        tables.append(
            pd.DataFrame(
                {
                    "arm": arm,
                    "against": against,
                    "metric": "accuracy",
                    "labels": each.labels.astype(int),
                    "difference": mean,
                    "low": mean - half,
                    "high": mean + half,
                    "band_low": mean - band,
                    "band_high": mean + band,
                }
            )
        )
    return pd.concat(tables, ignore_index=True)


def _batches(evidence: Evidence, data: str) -> Iterator[Figure]:
    """Accuracy with fixed batches minus that with the published rule, by the size of the last batch."""
    table = fixed_against_published(evidence, data)
    if table.empty:
        return
    rows = (
        table.groupby(["strategy", "labels", "last_batch", "tiny"])[["accuracy", "train_loss"]]
        .mean()
        .reset_index()
        .assign(batch=lambda frame: frame["tiny"].map({True: "tiny", False: "larger"}))
    )
    y = alt.Y("accuracy:Q", axis=signed_axis("accuracy, fixed minus published"))
    colour = alt.Color(
        "batch:N",
        title="last batch",
        scale=alt.Scale(domain=["tiny", "larger"], range=[VERMILION, BLUE]),
    )
    base = alt.Chart().encode(x=label_axis(zero=False), y=y)
    layers = [
        base.mark_line(color="#858d96", strokeWidth=1),
        base.mark_point(filled=True, size=30, opacity=1).encode(color=colour),
    ]
    titles = {name: name for name in rows["strategy"].unique()}
    yield Figure(
        name="last-batches",
        heading="In which rounds do batches of a fixed size do harm?",
        shown="Mean difference in accuracy over the seeds",
        caption="A point for each round. Its last batch is tiny where the labels leave a small rest.",
        description="Points of the difference in accuracy over labels, a panel per strategy.",
        rows=rows,
        chart=panels(layers, rows, "strategy", titles, width=300),
        margins=Margins(left=74),
    )


def _correlation(evidence: Evidence, data: str) -> Iterator[Figure]:
    table = evidence.frames.correlations
    rows = table[(table["data"] == data) & (table["grouping"] == "score")]
    if rows.empty:
        return
    rows = rows.rename(columns={"rho_low": "low", "rho_high": "high"})
    rows = rows[["study", "score", "epochs", "rho", "low", "high"]]
    known = alt.Chart().encode(
        x=alt.X("epochs:O", title="epochs of fine-tuning", axis=alt.Axis(labelAngle=0)),
        xOffset="score:N",
        color=alt.Color("score:N", scale=alt.Scale(range=[VERMILION, BLUE])),
    )
    zero = alt.Chart().mark_rule(color="#858d96").encode(y=alt.datum(0))
    bars = error_bars(known.encode(y=alt.Y("low:Q"), y2="high"), rows, strokeWidth=1.5)
    points = known.mark_point(filled=True, size=50, opacity=1).encode(
        y=alt.Y("rho:Q", axis=signed_axis("rank correlation"))
    )
    titles = {"sound": "the sound design", "original": "the original's settings, disjoint groups"}
    yield Figure(
        name="correlation",
        heading="Does a group's mean score go with what the group teaches?",
        shown="Spearman's rho with the change of test accuracy",
        caption="Bars are 95 % t intervals over base models.",
        description="Points of the rank correlation for each score and dose, a panel per design.",
        rows=rows,
        chart=panels([zero, *bars, points], rows, "study", titles, width=280),
        margins=Margins(left=74),
    )


def _windows(table: pd.DataFrame) -> Figure:
    rows = table.assign(
        low=table["significant"] - 2 * table["significant_error"],
        high=table["significant"] + 2 * table["significant_error"],
        noise=table["noise"].map("{:g}".format),
    )
    base = alt.Chart().encode(
        x=alt.X(
            "noise:N",
            title="noise of a fine-tune, over what its objects do",
            axis=alt.Axis(labelAngle=0),
        ),
        xOffset="design:N",
        color=alt.Color("design:N", scale=alt.Scale(range=[BLUE, VERMILION])),
    )
    y = alt.Y("significant:Q", title="share of studies with p < .05").scale(domain=[0, 1])
    five = alt.Chart().mark_rule(color="#858d96", strokeDash=[4, 3]).encode(y=alt.datum(0.05))
    layers = [five, base.mark_bar().encode(y=y)]
    return Figure(
        name="windows",
        heading="How often does a study find a correlation where there is none?",
        shown="Share of simulated studies",
        caption="100 groups of 100 objects, whose score has nothing to do with what they teach. Dashed: 5 %.",
        description="Bars of the share of significant studies, by design and noise.",
        rows=rows[["design", "noise", "significant", "low", "high"]],
        chart=single(layers, 420, 220),
        margins=Margins(left=74),
    )


def _growth(medians: pd.DataFrame, title: str, r2: float, what: str) -> Figure:
    base = alt.Chart().encode(
        x=alt.X("size:Q", title=title), y=alt.Y("seconds:Q", title="processor seconds")
    )
    line = base.transform_regression("size", "seconds").mark_line(color="#858d96")
    return Figure(
        name=f"growth-{what}",
        heading=f"What does a query cost, by {title}?",
        shown=f"Medians and the line through them, r^2 {r2:.4f}",
        caption="Measured by scripts/bench growth.",
        description=f"Points of seconds over {title}, with a line.",
        rows=medians,
        chart=single([line, base.mark_point(filled=True, size=60, color=GREEN)], 420, 200),
        margins=Margins(left=74),
    )
