"""How often does a correlation study find what is true, and how often what is not?

Runs `alray correlate` on pools whose truth is planted (`planted_pools.py`), several draws of each, and keeps the
studies in the folder WORK. Protocols are parts of them: some bases, seeds and doses, summarised as `alray correlate`
does. Writes power.csv into the folder OUT: a row per pool and protocol.
"""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd

import alray
from alray.analysis.correlation.summary import summarise
from studies.planted_pools import write_planted

PERMUTATIONS, SUBSETS, NOISES = 499, 4, 20
"""Permutations behind each p; studies drawn from the bases of one that holds more than a protocol wants; random scores
for each study on record."""

NOISE = "random score"
TRUTHS = {
    "rare-modes": ("helps",),
    "wrong-labels": ("hurts",),
    "overlapping": ("helps", "hurts"),
    "uninformative": (),
    NOISE: (),
}
"""Verdicts on the largest loss that are true; where classes overlap either may be."""

Records = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]
"""Groups, outcomes and bases."""


@dataclass(frozen=True)
class Protocol:
    """Part of a study on record: so many bases and seeds, and these doses."""

    replay: str
    bases: int
    seeds: int
    doses: tuple[int, ...]

    @property
    def name(self) -> str:
        """What the table calls it."""
        doses = ", ".join(map(str, self.doses))
        return f"{self.bases} bases x {self.seeds} seeds, replay {self.replay}, epochs {doses}"


FORMER = Protocol("none", 3, 5, (1, 2, 5, 10, 20))
ON_RECORD = (Protocol("initial", 8, 2, (1, 3, 4, 5)), FORMER)
"""What is run."""

PROTOCOLS = (
    FORMER,
    Protocol("initial", 6, 2, (1, 3)),
    Protocol("initial", 6, 2, (1, 4)),
    Protocol("initial", 6, 2, (1, 5)),
    Protocol("initial", 8, 2, (1, 5)),
)
"""What is counted: the former default first."""


def on_record(work: Path, kind: str, draw: int, protocol: Protocol) -> Records:
    """Return the records of a study, run as far as it is not finished."""
    pool = work / "pools" / f"{kind}-{draw}.parquet"
    if not pool.exists():
        write_planted(pool, kind, draw)
    found = alray.correlate(
        name=f"{kind}-{draw}-{protocol.replay}",
        results=work,
        pool=pool,
        split={"column": "part"},
        scores=["loss"],
        grouping=["score", "random"],
        bases=protocol.bases,
        fine_tune_seeds=protocol.seeds,
        replay=protocol.replay,
        epochs=protocol.doses,
        execution={"executor": "inline"},
    )
    return found.groups, found.outcomes, found.bases


def part_of(records: Records, protocol: Protocol, rng: np.random.Generator) -> Records:
    """Return a study by a protocol, its bases and seeds drawn from those on record."""
    groups, outcomes, bases = records
    chosen = rng.choice(bases["base"], protocol.bases, replace=False)
    seeds = rng.choice(outcomes["seed"].unique(), protocol.seeds, replace=False)
    kept = (
        outcomes["base"].isin(chosen)
        & outcomes["seed"].isin(seeds)
        & outcomes["epochs"].isin(protocol.doses)
    )
    of_groups, of_bases = (frame[frame["base"].isin(chosen)] for frame in (groups, bases))
    return of_groups, outcomes[kept], of_bases


def with_noise(records: Records, rng: np.random.Generator) -> Records:
    """Return the study of a score that means nothing: half of the random groups, ranked by draws of it."""
    groups, outcomes, bases = records
    groups = _half_ranked(groups)
    is_ranked = groups["grouping"] == "score"
    groups.loc[is_ranked, "loss"] = rng.normal(size=is_ranked.sum())
    controls = outcomes[outcomes["grouping"] == "control"]
    return groups, pd.concat([controls, _half_ranked(outcomes)]), bases


def _half_ranked(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of random groups, every second of which is called a group by score; both are numbered anew."""
    of_random = frame[frame["grouping"] == "random"]
    number = of_random["group"]
    named = {0: ("score", "loss"), 1: ("random", "")}
    kinds, scores = zip(*(named[each] for each in number % 2), strict=True)
    return of_random.assign(grouping=kinds, sorted_by=scores, group=number // 2)


def studies_of(
    work: Path, kind: str, draws: int, protocol: Protocol
) -> Iterator[dict[Hashable, Any]]:
    """Yield the rows of the largest loss, for each study drawn."""
    source = next(each for each in ON_RECORD if each.replay == protocol.replay)
    drawn = SUBSETS if source.bases > protocol.bases else 1
    subsets = NOISES if kind == NOISE else drawn
    for draw in range(draws):
        records = on_record(work, "wrong-labels" if kind == NOISE else kind, draw, source)
        for subset in range(subsets):
            rng = np.random.default_rng([draw, subset])
            part = part_of(records, protocol, rng)
            if kind == NOISE:
                part = with_noise(part, rng)
            found = summarise(*part, rng, PERMUTATIONS, 2).summary
            at = (found["grouping"] == "score") & (found["outcome"] == "accuracy")
            for row in found[at].to_dict("records"):
                yield {**row, "study": f"{draw}-{subset}"}


def counted(rows: Sequence[dict[Hashable, Any]], truth: Sequence[str]) -> dict[str, Any]:
    """Return the shares of studies with a true verdict at some dose, with a false one, and what the last dose shows."""
    table = pd.DataFrame(rows)
    effects = table["verdict"].isin(["helps", "hurts"])
    right = table["verdict"].isin(truth)
    verdicts = pd.DataFrame({"found": right, "false": effects & ~right})
    shares = verdicts.groupby(table["study"]).any().mean()
    last = table[table["epochs"] == table["epochs"].max()]
    means = last[["uplift", "typical_change", "icc"]].mean()
    return {"studies": table["study"].nunique(), **shares, **means}


@click.command(help=__doc__)
@click.argument("work", type=Path)
@click.argument("out", type=Path)
@click.option("--draws", type=click.IntRange(1), default=3, show_default=True)
def main(work: Path, out: Path, draws: int) -> None:
    rows = []
    for kind, truth in TRUTHS.items():
        for protocol in PROTOCOLS:
            found = list(studies_of(work, kind, draws, protocol))
            named = {"pool": kind, "truth": " or ".join(truth) or "no effect"}
            rows.append({**named, "protocol": protocol.name, **counted(found, truth)})
            print(rows[-1], flush=True)
    out.mkdir(parents=True, exist_ok=True)
    pd.DataFrame(rows).round(4).to_csv(out / "power.csv", index=False)


if __name__ == "__main__":
    main()
