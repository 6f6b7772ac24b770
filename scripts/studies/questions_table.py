"""What yes/no questions save, and at which price they pay beside labels, as tables.

Reads the studies that `scripts/studies/questions` has run below the folder STUDIES, and writes arms.csv, prices.csv,
money.csv, a figure of prices per study, and README.md into the folder OUT.
"""

import math
from pathlib import Path

import click
import numpy as np
import pandas as pd

from alray import load
from alray.statistics.paired import mean_interval
from studies.questions_prices import money, price_figure, price_table, prices

PASSIVE = "questions:passive"
SHARE = 0.3
"""Of the passive arm's questions for all labels, as Hu et al. 2019 report."""

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


def _accuracy(rounds: pd.DataFrame, arm: str, seed: int, answers: float) -> float:
    run = rounds[(rounds["arm"] == arm) & (rounds["seed"] == seed)].sort_values("round")
    return float(np.interp(answers, run["answers"], run["accuracy"]))


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


@click.command(help=__doc__)
@click.argument("studies", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
def main(studies: Path, out: Path) -> None:
    folders = sorted(path.parent for path in studies.glob("*/summary.parquet"))
    if not folders:
        raise click.UsageError(
            f"there is no study below {studies}: run scripts/studies/questions first"
        )
    out.mkdir(parents=True, exist_ok=True)
    tables: dict[str, list[pd.DataFrame]] = {"arms": [], "prices": [], "money": []}
    page = INTRODUCTION
    for folder in folders:
        rounds = load(folder).rounds
        of_arms, of_prices = arms(rounds), prices(rounds)
        paid = money(of_prices)
        page += f"## {folder.name}\n\n{arm_table(of_arms)}\n"
        page += (
            "An answer pays where it costs less than this share of a label, at the accuracy that random choice reaches "
            "with a part of all labels (95 % intervals over seeds; empty where a curve begins above that accuracy or "
            f"does not reach it):\n\n{price_table(of_prices)}\n"
        )
        figure = price_figure(paid, folder.name)
        if figure is not None:
            (out / f"prices-{folder.name}.svg").write_bytes(figure.svg())
            page += f"![Money saved over the price of an answer](prices-{folder.name}.svg)\n\n"
        for name, frame in (("arms", of_arms), ("prices", of_prices), ("money", paid)):
            tables[name].append(frame.assign(study=folder.name))
    for name, frames in tables.items():
        pd.concat(frames).to_csv(out / f"{name}.csv", index=False)
    (out / "README.md").write_text(page)
    click.echo(page)


if __name__ == "__main__":
    main()
