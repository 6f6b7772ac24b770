"""What yes/no questions save, and at which price they pay beside labels, as tables.

Reads the studies that `scripts/studies/questions` has run below the folder STUDIES, and writes arms.csv, prices.csv and
README.md into the folder OUT.
"""

import math
from pathlib import Path

import click
import numpy as np
import pandas as pd

from alray import load
from alray.statistics.curves import labels_needed, monotone
from alray.statistics.paired import mean_interval

PASSIVE, RANDOM = "questions:passive", "random"
SHARE = 0.3
"""Of the passive arm's questions for all labels, as Hu et al. 2019 report."""

LEARNT = (0.1, 0.25, 0.5, 0.75)
"""Shares of the train part whose labels random choice has bought at a target."""

INTRODUCTION = """# Yes/no questions about classes, beside labels

Arms of Hu et al. 2019 on pools of embeddings (`scripts/studies/questions`; means over seeds, differences paired by
seed, 95 % t intervals in brackets; accuracies on the test part).

"""


def arms(rounds: pd.DataFrame) -> pd.DataFrame:
    """Return a row per arm that asks questions: what labels everything, and the accuracy at 30 % of passive's.

    Args:
        rounds: A study's. An arm has labelled everything where it has as many labels as any arm ever has.
    """
    asking = rounds[rounds["partly_labelled"].notna()]
    everything = asking["labels"].max()
    rows = []
    for (arm, seed), run in asking.groupby(["arm", "seed"], sort=False):
        of_run = run.sort_values("round")
        done = of_run[of_run["labels"] == everything]
        asked = float(done["answers"].iloc[0]) if len(done) else math.nan
        rows.append({"arm": arm, "seed": seed, "questions": asked})
    found = pd.DataFrame(rows)
    passive = found[found["arm"] == PASSIVE].set_index("seed")["questions"]
    found["share"] = found["questions"] / found["seed"].map(passive)
    found["accuracy"] = [
        _accuracy(asking, str(row["arm"]), int(row["seed"]), SHARE * passive[row["seed"]])
        for row in found.to_dict("records")
    ]
    return found


def prices(rounds: pd.DataFrame) -> pd.DataFrame:
    """Return the price of an answer at which an arm that asks costs what one that buys labels does, at some targets.

    It is a share of the price of a label: what a label arm needs in labels for an accuracy over what the other needs in
    answers, by monotone mean curves. Targets are what random choice reaches with a part of the labels.
    """
    labelled = [arm for arm in (RANDOM, "margin") if arm in set(rounds["arm"])]
    asking = list(dict.fromkeys(rounds.loc[rounds["partly_labelled"].notna(), "arm"]))
    curves = {arm: _mean_curve(rounds, arm) for arm in (*labelled, *asking)}
    bought, accuracy = curves[RANDOM]
    rows = []
    for part in LEARNT:
        target = float(np.interp(part * bought[-1], bought, accuracy))
        needed = {arm: labels_needed(*curve, target) for arm, curve in curves.items()}
        rows += [
            {
                "labels of random": part,
                "accuracy": target,
                "arm": arm,
                "against": other,
                "price": needed[other] / needed[arm],
            }
            for arm in asking
            for other in labelled
        ]
    return pd.DataFrame(rows)


def _accuracy(rounds: pd.DataFrame, arm: str, seed: int, answers: float) -> float:
    run = rounds[(rounds["arm"] == arm) & (rounds["seed"] == seed)].sort_values("round")
    return float(np.interp(answers, run["answers"], run["accuracy"]))


def _mean_curve(rounds: pd.DataFrame, arm: str) -> tuple[np.ndarray, np.ndarray]:
    """Return what an arm has bought in each round and its accuracy, means over seeds, as a curve that never falls."""
    means = rounds[rounds["arm"] == arm].groupby("round")[["answers", "accuracy"]].mean()
    # Where everything is labelled nothing more is bought.
    means = means[~means["answers"].round().duplicated()]
    return means["answers"].to_numpy(float), monotone(means["accuracy"].to_numpy(float))


def arm_table(found: pd.DataFrame) -> str:
    """Return `arms` as a Markdown table."""
    lines = [
        "| arm | questions to label all | of passive's | accuracy at 30 % of passive's | against passive |",
        "| --- | --- | --- | --- | --- |",
    ]
    passive = found[found["arm"] == PASSIVE].set_index("seed")["accuracy"]
    for arm, rows in found.groupby("arm", sort=False):
        gained = mean_interval((rows["accuracy"] - rows["seed"].map(passive)).to_numpy(float))
        share = mean_interval(rows["share"].to_numpy(float))
        others = ("", "")
        if arm != PASSIVE:
            others = (
                f"{share.estimate:.2f} ({share.low:.2f}, {share.high:.2f})",
                f"{gained.estimate:+.3f} ({gained.low:+.3f}, {gained.high:+.3f})",
            )
        lines.append(
            f"| {arm} | {rows['questions'].mean():,.0f} | {others[0]} | {rows['accuracy'].mean():.3f} | {others[1]} |"
        )
    return "\n".join(lines) + "\n"


def price_table(found: pd.DataFrame) -> str:
    """Return `prices` as a Markdown table: a column per target."""
    targets = found.drop_duplicates("labels of random")
    heads = [
        f"{100 * row['labels of random']:.0f} % ({row['accuracy']:.3f})"
        for row in targets.to_dict("records")
    ]
    lines = [f"| arm | against | {' | '.join(heads)} |", "| --- " * (len(heads) + 2) + "|"]
    for (arm, other), rows in found.groupby(["arm", "against"], sort=False):
        cells = ["" if math.isnan(each) else f"{each:.3f}" for each in rows["price"]]
        lines.append(f"| {arm} | {other} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


@click.command(help=__doc__)
@click.argument("studies", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
def main(studies: Path, out: Path) -> None:
    folders = sorted(path.parent for path in studies.glob("*/summary.parquet"))
    kept_arms, kept_prices, page = [], [], INTRODUCTION
    for folder in folders:
        rounds = load(folder).rounds
        of_arms, of_prices = arms(rounds), prices(rounds)
        page += f"## {folder.name}\n\n{arm_table(of_arms)}\n"
        page += (
            "An answer pays where it costs less than this share of a label, at the accuracy that random choice reaches "
            f"with a part of all labels:\n\n{price_table(of_prices)}\n"
        )
        kept_arms.append(of_arms.assign(study=folder.name))
        kept_prices.append(of_prices.assign(study=folder.name))
    out.mkdir(parents=True, exist_ok=True)
    pd.concat(kept_arms).to_csv(out / "arms.csv", index=False)
    pd.concat(kept_prices).to_csv(out / "prices.csv", index=False)
    (out / "README.md").write_text(page)
    click.echo(page)


if __name__ == "__main__":
    main()
