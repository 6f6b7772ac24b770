"""Compares all strategies that need no true labels, on pools and with queries of 20 and 200, and ranks them.

STUDIES are some of openclipart-20, openclipart-200, icons-20 and icons-200 (all if not given): sweeps below WORK of
eight seeds, which Ray runs. What is finished is kept, so the same command goes on. Then all that are there are
summarised: areas under the learning curves by accuracy and by macro F1, mean ranks with critical differences, and a
page that says what is worth using. It took seven hours on two cores beside other work, five of them for icons.
"""

import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd

from alray import load
from alray.analysis.sweep.arms import Criterion
from alray.analysis.sweep.summary import summarise
from alray.analysis.wording import count, enough_decimals
from alray.errors import StoreError
from alray.reporting.sweep.rank_charts import critical_difference_figure
from alray.seeding import generator
from alray.statistics.curves import area_under_curve
from alray.statistics.mean_ranks import RankComparison, blocks_of, rank_arms
from alray.statistics.paired import excludes_zero
from alray.strategies import STRATEGIES, parse
from alray.studies.sweep.results import Sweep

METRICS: Mapping[str, str] = {"accuracy": "accuracy", "macro_f1": "macro F1"}
SEEDS = 8
STUDIES: Mapping[str, Mapping[str, int]] = {
    "openclipart-20": {"initial": 300, "query": 20, "rounds": 60, "evaluate-every": 2},
    "openclipart-200": {"initial": 300, "query": 200, "rounds": 6, "evaluate-every": 1},
    "icons-20": {"initial": 2000, "query": 20, "rounds": 25, "evaluate-every": 5},
    "icons-200": {"initial": 2000, "query": 200, "rounds": 10, "evaluate-every": 1},
}
"""Study: its pool's name, then how its labels grow."""

INTRODUCTION = """# All strategies, on two pools

Every strategy of alray that needs no true labels, eight seeds each, queries of 20 and of 200 objects
(`scripts/studies/strategies`). Numbers are areas under the learning curve minus those of the random arm, paired by
seed, with 95 % intervals for all strategies of a study together; **bold** where such an interval leaves out zero.
learning_loss is compared with random + loss predictor: random choice with a network that is trained alike.
Seconds are medians over the rounds of these runs, which went side by side on two cores.

"""


def strategies() -> list[str]:
    """Return the strategies that need no true labels, `random` first."""
    return [name for name in STRATEGIES if not parse(name).oracle]


def command(name: str, work: Path) -> list[str]:
    """Return the command of a study."""
    options = [word for key, value in STUDIES[name].items() for word in (f"--{key}", str(value))]
    return [
        *(sys.executable, "-m", "alray", "sweep", "--pool", name.rpartition("-")[0]),
        *("--name", name, "--results", str(work), "--no-report", "--seeds", str(SEEDS)),
        *("--strategies", ",".join(strategies()), *options),
    ]


def areas(name: str, study: Sweep, metric: str) -> pd.DataFrame:
    """Return a row per finished run: pool, setting, seed, arm, value: the area under its curve."""
    finished = study.runs[study.runs["status"] == "finished"]
    rounds = study.rounds[study.rounds["run_id"].isin(finished["run_id"])]
    rows = []
    for (arm, seed), of_run in rounds.dropna(subset=[metric]).groupby(["arm", "seed"]):
        curve = of_run.sort_values("labels")
        labels, values = (curve[column].to_numpy(float) for column in ("labels", metric))
        rows.append(
            {
                "pool": name.rpartition("-")[0],
                "setting": f"query {name.rpartition('-')[2]}",
                "seed": seed,
                "arm": arm,
                "value": area_under_curve(labels, values[None])[0],
            }
        )
    return pd.DataFrame(rows)


def summary_of(name: str, study: Sweep, metric: str) -> pd.DataFrame:
    """Return a row per arm: its area's difference to random with the ends of its interval, and what it takes."""
    rng = generator(study.settings.seed, 0, "bootstrap")
    table = summarise(study.rounds, study.runs, rng, Criterion(metric=metric))
    queries = study.rounds[study.rounds["round"] > 0].groupby("arm")["query_s"]
    table["query_seconds"] = table["arm"].map(queries.median())
    columns = ["arm", "seeds", "labels", metric, "alc_difference", "alc_difference_low"]
    columns += ["alc_difference_high", "p", "labels_saved", "seconds_per_round", "query_seconds"]
    chosen = table[columns].rename(columns={metric: "value"})
    return chosen.assign(study=name, metric=metric)[["study", "metric", *chosen.columns]]


def cell(row: Mapping[Any, Any]) -> str:
    """Return a difference with its interval as a table's cell has it."""
    low, mid, high = (row[f"alc_difference{end}"] for end in ("_low", "", "_high"))
    if not np.isfinite(mid):
        return ""
    if not (np.isfinite(low) and np.isfinite(high)):
        return f"{mid:+.4f}"
    shown = excludes_zero(low, high)
    ends = (f"{end:+.{enough_decimals(end, 4) if shown else 4}f}" for end in (low, high))
    text = f"{mid:+.4f} ({', '.join(ends)})"
    return f"**{text}**" if shown else text


def differences_table(summary: pd.DataFrame, metric: str, order: Sequence[str]) -> str:
    """Return a Markdown table: a row per arm, a column per study."""
    rows = summary[summary["metric"] == metric]
    names = list(dict.fromkeys(rows["study"]))
    lines = [f"| arm | {' | '.join(names)} |", f"| --- |{' --- |' * len(names)}"]
    cells = {(row["study"], row["arm"]): cell(row) for row in rows.to_dict("records")}
    lines += [
        f"| {arm} | {' | '.join(cells.get((name, arm), '') for name in names)} |"
        for arm in order
        if any(cells.get((name, arm)) for name in names)
    ]
    return "\n".join(lines)


def verdicts(summary: pd.DataFrame) -> pd.DataFrame:
    """Return a row per arm but random: in how many studies it is better and worse by each metric, and its seconds."""
    rows = summary[summary["arm"] != "random"]
    by_arm = rows.assign(
        better=rows["alc_difference_low"] > 0, worse=rows["alc_difference_high"] < 0
    )
    counts = by_arm.pivot_table(
        index="arm", columns="metric", values=["better", "worse"], aggfunc="sum"
    )
    counts.columns = pd.Index(["_".join(of) for of in counts.columns.to_flat_index()])
    seconds = by_arm.groupby("arm")["query_seconds"].agg(["min", "max"])
    return counts.astype(int).assign(least_seconds=seconds["min"], most_seconds=seconds["max"])


def worth_using(summary: pd.DataFrame, order: Sequence[str]) -> str:
    """Return which arms are better than random in all studies, and a table that says in how many the others are."""
    table, studies = verdicts(summary), summary["study"].nunique()
    better = [f"better_{metric}" for metric in METRICS]
    always = table[(table[better] == studies).all(axis=1)].sort_values("most_seconds")
    named = [f"{arm} ({row.most_seconds:.2g} s)" for arm, row in always.iterrows()]
    lines = [
        f"Better than random in each of {count(studies, 'study', 'studies')} by accuracy and by macro F1, the cheapest "
        f"first, with what a query takes where it takes longest: {', '.join(named) or 'none'}. In how many studies an "
        "interval leaves out zero (those of a study hold together with 95 %):",
        "",
        f"| arm | by accuracy, of {studies} | by macro F1, of {studies} | seconds a query |",
        "| --- | --- | --- | --- |",
    ]
    for arm in (each for each in order if each in table.index):
        row = table.loc[arm]
        counts = [
            f"better in {row[f'better_{metric}']:.0f}, worse in {row[f'worse_{metric}']:.0f}"
            for metric in METRICS
        ]
        seconds = f"{row['least_seconds']:.2g} to {row['most_seconds']:.2g}"
        lines.append(f"| {' | '.join([str(arm), *counts, seconds])} |")
    return "\n".join(lines)


def ranks_said(found: RankComparison, metric: str) -> str:
    """Return what the ranks show about each arm beside random, in a paragraph."""
    blocks, arms = found.blocks, len(found.arms)
    if blocks < found.fewest_blocks:
        return (
            f"By {metric}, over {blocks} blocks of pool and seed, {found.arms[0]} has the best mean rank "
            f"({found.mean_ranks[0]:.1f} of {arms}). {blocks} blocks cannot show which arms differ (Friedman p = "
            f"{found.friedman_p:.2g}): {found.fewest_blocks} or more can."
        )
    shown, at = found.shown(), found.arms.index("random")
    ahead = [arm for i, arm in enumerate(found.arms) if shown[i, at] and i < at]
    behind = [arm for i, arm in enumerate(found.arms) if shown[i, at] and i > at]
    first = found.arms[0]
    equal = [arm for i, arm in enumerate(found.arms) if i and not shown[0, i]]
    return (
        f"By {metric}, over {blocks} blocks of pool and seed (Friedman p = {found.friedman_p:.2g}), shown to be "
        f"better than random: {', '.join(ahead) or 'none'}. Shown to be worse: {', '.join(behind) or 'none'}. {first} "
        f"has the best mean rank ({found.mean_ranks[0]:.1f} of {arms}; random {found.mean_ranks[at]:.1f}); "
        f"not shown to differ from it: {', '.join(equal) or 'none'}."
    )


def publish(work: Path, out: Path) -> None:
    """Write the tables, figures and the page of all studies that are there."""
    studies = {}
    for name in STUDIES:
        try:
            studies[name] = load(work / name)
        except StoreError:
            click.echo(f"{name} has not been run, and is left out")
    if not studies:
        raise click.ClickException(f"there is no study below {work}: run one first")
    out.mkdir(parents=True, exist_ok=True)
    summary = pd.concat(
        [summary_of(name, study, metric) for name, study in studies.items() for metric in METRICS]
    )
    summary.round(5).to_csv(out / "summary.csv", index=False)
    parts: list[str] = []
    ranks: list[pd.DataFrame] = []
    order: tuple[str, ...] = ()
    for metric, title in METRICS.items():
        frame = pd.concat([areas(name, study, metric) for name, study in studies.items()])
        found = rank_arms(blocks_of(frame, "these pools"))
        figure = critical_difference_figure(found, title, "pool and seed")
        (out / f"ranks-{metric}.svg").write_bytes(figure.svg())
        ranks.append(
            pd.DataFrame({"metric": metric, "arm": found.arms, "mean_rank": found.mean_ranks})
        )
        order = order or found.arms
        table = differences_table(summary, metric, found.arms)
        parts += [
            f"## By {title}\n\n{ranks_said(found, title)}\n\n![Mean ranks by {title}](ranks-{metric}.svg)\n\n"
            f"{table}\n\n"
        ]
    pd.concat(ranks).round(3).to_csv(out / "ranks.csv", index=False)
    said = f"## What is worth using\n\n{worth_using(summary, order)}\n\n"
    (out / "README.md").write_text("".join([INTRODUCTION, said, *parts]).rstrip() + "\n")


@click.command(help=__doc__)
@click.argument("names", nargs=-1, type=click.Choice(list(STUDIES)), metavar="[STUDIES]...")
@click.option("--page-only", is_flag=True, help="Write the page again from what is stored.")
@click.option("--work", type=Path, default=Path("results/strategies"), show_default=True)
@click.option("--out", type=Path, default=Path("results/reference/strategies"), show_default=True)
def main(names: tuple[str, ...], work: Path, out: Path, *, page_only: bool) -> None:
    for name in () if page_only else names or tuple(STUDIES):
        code = subprocess.run(command(name, work), check=False).returncode
        if code:
            sys.exit(code)
    publish(work, out)


if __name__ == "__main__":
    main()
