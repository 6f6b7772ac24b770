"""The results as files: every counted round as CSV, the summary as Markdown."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from peers import task
from peers.contestants import Contestant
from peers.match import TURN
from peers.summary import TIMES, summarise, verdicts, with_spread

HEAD = """# One active-learning round, alray beside other libraries

Written by `scripts/bench_round`; every counted round is in `round.csv`. Processor: {processor}. One thread per
process. Medians over {rounds} rounds of each of {seeds} seeds, contestants take turns of {turn}, of which the
first is not counted.

A round: {pool:,} objects x {features} float32 in {classes} classes (a seeded mixture of normals), {initial:,} labels at the
start, score all unlabelled objects, query {query}, fit one epoch at batch {batch} with Adam {rate} from the present
weights, find the accuracy on {test:,} test objects. The network is {features}-{hidden}-{classes}: Linear, ReLU, Dropout
{dropout}, Linear; all start from the same weights of a seed, after {epochs} epochs over its initial labels. BALD has
{members} members.

Times are milliseconds of processor time (`wall` of the clock); `ratio` is a contestant's round in rounds of
`{first}`. `vs plain` is the mean difference of the final accuracy to the plain loop with the same seed, and its
standard error.
"""


def write(
    folder: Path,
    rounds: pd.DataFrame,
    contestants: Sequence[Contestant],
    versions: Mapping[str, Mapping[str, str]],
    processor: str,
) -> None:
    """Write round.csv and round.md into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    rounds.to_csv(folder / "round.csv", index=False)
    head = HEAD.format(
        processor=processor,
        rounds=rounds["round"].nunique(),
        seeds=rounds["seed"].nunique(),
        pool=task.OBJECTS,
        features=task.FEATURES,
        classes=task.CLASSES,
        initial=task.INITIAL,
        query=task.QUERY,
        batch=task.BATCH,
        rate=task.LEARNING_RATE,
        test=task.TEST,
        hidden=task.HIDDEN,
        dropout=task.DROPOUT,
        epochs=task.START_EPOCHS,
        members=task.MEMBERS,
        first=contestants[0].name,
        turn=TURN,
    )
    parts = [head]
    for strategy in task.STRATEGIES:
        table = summarise(rounds, strategy)
        parts.append(f"## {strategy}\n\n{_markdown(table)}\n")
        parts.append("".join(f"- {line}\n" for line in verdicts(table, strategy, contestants)))
    parts.append(f"## Contestants\n\n{_described(contestants, versions)}")
    (folder / "round.md").write_text("\n".join(parts))


def _markdown(table: pd.DataFrame) -> str:
    heads = ["contestant", "processor", "wall", "query", "fit", "evaluate", "ratio"]
    heads += ["accuracy (sd)", "vs plain"]
    lines = [_row(heads), _row(["---"] + ["---:"] * (len(heads) - 1))]
    base = table["processor_ms"].iloc[0]
    for name, row in table.iterrows():
        cells = [str(name), *(f"{row[key]:.0f}" for key in TIMES)]
        cells += [f"{row['processor_ms'] / base:.2f}"]
        cells += [with_spread(row), _gap(row)]
        lines.append(_row(cells))
    return "\n".join(lines)


def _gap(row: pd.Series) -> str:
    if "gap" not in row or np.isnan(row["gap_error"]):
        return ""
    return f"{row['gap']:+.4f} ± {row['gap_error']:.4f}"


def _described(
    contestants: Sequence[Contestant], versions: Mapping[str, Mapping[str, str]]
) -> str:
    lines = [_row(["contestant", "versions", "settings"]), _row(["---"] * 3)]
    for one in contestants:
        found = ", ".join(f"{name} {number}" for name, number in versions[one.name].items())
        lines.append(_row([one.name, found, one.settings]))
    return "\n".join(lines) + "\n"


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"
