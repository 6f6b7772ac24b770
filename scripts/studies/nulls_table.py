"""How often does a study of equal arms claim a difference? Studies made of random runs, through alray's own analysis.

Reads a sweep of random from the folder RUNS. Each made study has a random arm and four more that are random too: its
runs are drawn without replacement, so no two arms share one, and all that alray says of a difference is false. Writes
null-studies.csv into the folder OUT: a row per number of seeds with the shares of studies that claim something.
"""

import itertools
import re
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pandas as pd

from alray.analysis.sweep.arms import RANDOM
from alray.analysis.sweep.comparison import compare
from alray.analysis.sweep.findings import whole_curve
from alray.analysis.sweep.summary import summarise
from alray.analysis.sweep.texts import paragraph
from studies.made_studies import Curves, Labels, curves_of, frames_of

ARMS = (RANDOM, *(f"null{number}" for number in range(1, 5)))
SEEDS = (5, 6, 8, 12)
LEAD = 0.1
"""Share of the label counts by which an arm that the matrix of wins calls ahead leads."""

_DENIED = re.compile(r"\b(not|nothing|none|neither|no \w+( \w+)?)( (is|are|was|were))? shown\b")


def claims(text: str) -> dict[str, bool]:
    """Return which claims of a difference a paragraph holds."""
    return {
        "shown": "shown" in _DENIED.sub("", text.lower()),
        "saves": re.search(r"\bsaves\b", text) is not None,
    }


def null_study(
    labels: Labels, runs: Curves, seeds: int, rng: np.random.Generator
) -> tuple[str, dict[str, float]]:
    """Return the paragraph of one made study, and what is claimed: by words, verdicts, and the matrix of wins."""
    drawn = rng.choice(len(runs), (len(ARMS), seeds), replace=False)
    rounds, rows = frames_of(labels, dict(zip(ARMS, runs[drawn], strict=True)))
    summary = summarise(rounds, rows, rng)
    found = compare(rounds, pd.DataFrame(), rows, None, rng)
    text = paragraph(summary, found)
    verdicts = [whole_curve(row).kind for row in summary.to_dict("records") if row["paired_seeds"]]
    leads = (found.wins["wins"] - found.wins["losses"]).abs() >= LEAD * len(labels)
    words = claims(text)
    return text, {
        **words,
        "shown_or_saves": any(words.values()),
        "verdict": any(kind != "open" for kind in verdicts),
        "pairs_ahead": float(leads.mean()),
        "any_pair_ahead": bool(leads.any()),
    }


def null_table(labels: Labels, runs: Curves, studies: int) -> tuple[pd.DataFrame, list[str]]:
    """Return a row per number of seeds, and the paragraphs that claim something."""
    rows, texts = [], []
    for seeds in _numbers_of_seeds(len(runs)):
        rng = np.random.default_rng(seeds)
        made = [null_study(labels, runs, seeds, rng) for _ in range(studies)]
        texts += [text for text, found in made if found["shown_or_saves"]]
        shares = pd.DataFrame([found for _, found in made]).astype(float).mean()
        rows.append({"seeds": seeds, "studies": studies, **shares})
    return pd.DataFrame(rows), texts


def _numbers_of_seeds(runs: int) -> Iterator[int]:
    return itertools.takewhile(lambda seeds: seeds * len(ARMS) <= runs, SEEDS)


@click.command(help=__doc__)
@click.argument("runs", type=Path)
@click.argument("out", type=Path)
@click.option("--studies", type=click.IntRange(1), default=200, show_default=True)
@click.option("--texts", type=click.IntRange(0), default=3, help="Claiming paragraphs to print.")
def main(runs: Path, out: Path, studies: int, texts: int) -> None:
    labels, curves = curves_of(runs, [RANDOM])
    if len(curves[RANDOM]) < len(ARMS) * SEEDS[0]:
        raise click.ClickException(
            f"{runs}: {len(curves[RANDOM])} finished runs, and {len(ARMS) * SEEDS[0]} are needed; add seeds"
        )
    table, claiming = null_table(labels, curves[RANDOM], studies)
    out.mkdir(parents=True, exist_ok=True)
    table.round(3).to_csv(out / "null-studies.csv", index=False)
    print(table.round(3).to_string(index=False))
    for text in claiming[:texts]:
        print(f"\n{text}")


if __name__ == "__main__":
    main()
