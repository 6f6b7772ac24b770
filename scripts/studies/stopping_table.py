"""What stops a fit, and what that costs: paired differences of accuracy and of areas, as tables.

Reads the studies that `scripts/studies/stopping` has run below the folder STUDIES, and writes stopping.csv and
README.md into the folder OUT.
"""

from pathlib import Path

import click
import numpy as np
import pandas as pd

from alray import load
from alray.statistics.curves import area_under_curve
from alray.statistics.paired import mean_interval

HELD_OUT, KINDS = "held_out", ("held_out", "from_labels", "fixed_epochs")
INTRODUCTION = """# What stops a fit early, and what that costs

`training.stopping` beside `held_out`, by which a study stops at the validation part's labels: paired differences over
six seeds with 95 % t intervals (`scripts/studies/stopping`; accuracies on the test part).

"""


def per_run(study: Path) -> pd.DataFrame:
    """Return a row per finished run: strategy, variant, seed, epochs of the first fit, accuracies and area."""
    rows = []
    for (strategy, variant, seed), records in load(study).rounds.groupby(
        ["strategy", "variant", "seed"]
    ):
        run = records.sort_values("round")
        accuracy, labels = run["accuracy"].to_numpy(float), run["labels"].to_numpy(float)
        area = area_under_curve(labels, accuracy[None])[0] if len(run) > 1 else np.nan
        rows.append(
            {
                "study": study.name,
                "strategy": strategy,
                "kind": str(variant).partition("=")[2] or HELD_OUT,
                "seed": seed,
                "epochs": run["epochs"].iloc[0],
                "first": accuracy[0],
                "last": accuracy[-1],
                "area": area,
            }
        )
    return pd.DataFrame(rows)


def difference(runs: pd.DataFrame, value: str, column: str, one: str, other: str) -> str:
    """Return the paired difference of a value between two entries of a column, with its interval, as text."""
    by_seed = runs.pivot(index="seed", columns=column, values=value)
    found = mean_interval((by_seed[one] - by_seed[other]).to_numpy(float))
    return f"{found.estimate:+.4f} ({found.low:+.4f}, {found.high:+.4f})"


def first_fits(runs: pd.DataFrame) -> pd.DataFrame:
    """Return a row per study of first fits: epochs and accuracy under held_out, and what the others differ by."""
    rows = []
    for study, of_study in runs[runs["study"].str.startswith("first-")].groupby("study"):
        means = of_study.groupby("kind")[["epochs", "first"]].mean().to_dict("index")
        rows.append(
            {
                "first fit (pool, labels)": str(study).removeprefix("first-").replace("-", " "),
                **{f"epochs, {kind}": f"{means[kind]['epochs']:.0f}" for kind in KINDS},
                "accuracy, held_out": f"{means[HELD_OUT]['first']:.3f}",
                **{
                    kind: difference(of_study, "first", "kind", kind, HELD_OUT)
                    for kind in KINDS[1:]
                },
            }
        )
    return pd.DataFrame(rows)


def whole_sweeps(runs: pd.DataFrame) -> pd.DataFrame:
    """Return a row per kind of the sweep: final accuracies, areas, and what margin gains over random."""
    sweep = runs[runs["study"] == "stopping-finetune"]
    rows = []
    for kind in KINDS:
        row = {"stopping": kind}
        for strategy in ("random", "margin"):
            own = sweep[sweep["strategy"] == strategy]
            row[f"{strategy}: final accuracy"] = (
                f"{own.loc[own['kind'] == kind, 'last'].mean():.3f}"
            )
            for value in ("last", "area"):
                name = f"{strategy}: {'ALC' if value == 'area' else 'final'} - held_out"
                row[name] = (
                    "" if kind == HELD_OUT else difference(own, value, "kind", kind, HELD_OUT)
                )
        of_kind = sweep[sweep["kind"] == kind]
        row["margin - random, ALC"] = difference(of_kind, "area", "strategy", "margin", "random")
        rows.append(row)
    return pd.DataFrame(rows)


def shares(runs: pd.DataFrame) -> pd.DataFrame:
    """Return a row per share held out: epochs and accuracy of the first fit."""
    own = runs[runs["study"].str.startswith("share-")]
    own = own.assign(share=own["kind"].where(own["kind"] != HELD_OUT, "0.1"))
    means = own.groupby("share", as_index=False)[["epochs", "first"]].mean()
    return means.rename(columns={"share": "share held out", "first": "accuracy"}).round(3)


def as_table(frame: pd.DataFrame) -> str:
    """Return a frame as a Markdown table."""
    lines = [
        list(frame.columns),
        ["---"] * len(frame.columns),
        *frame.astype(str).to_numpy().tolist(),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


@click.command(help=__doc__)
@click.argument("studies", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("out", type=click.Path(path_type=Path, file_okay=False))
def main(studies: Path, out: Path) -> None:
    folders = sorted(path.parent for path in studies.glob("*/summary.parquet"))
    runs = pd.concat([per_run(folder) for folder in folders], ignore_index=True)
    out.mkdir(parents=True, exist_ok=True)
    runs.to_csv(out / "stopping.csv", index=False)
    tables = [as_table(made(runs)) for made in (first_fits, whole_sweeps, shares)]
    (out / "README.md").write_text(INTRODUCTION + "\n".join(tables))
    click.echo("\n".join(tables))


if __name__ == "__main__":
    main()
