"""Does BALD gain by more members, or by dropout masks of its own for every object? A sweep and its table.

Runs random, BALD with 10, 30 and 100 members, and with 10 and 30 members whose masks differ by object, on POOL, into
the folder RESULTS; what is finished is kept. Writes bald-members-POOL.csv into the folder OUT: a row per arm, paired by
seed with random.
"""

from collections.abc import Mapping
from pathlib import Path

import click
import pandas as pd

import alray
from studies.object_masks import BaldByObject, object_masks

ARMS: Mapping[str, object] = {
    "random": "random",
    "10 members": "bald",
    "10 members, masks by object": BaldByObject(10),
    "30 members, masks by object": BaldByObject(30),
    "30 members": "bald:members=30",
    "100 members": "bald:members=100",
}
COLUMNS = [
    *(
        "seeds",
        "labels",
        "accuracy",
        "alc_difference",
        "alc_difference_low",
        "alc_difference_high",
    ),
    *("labels_saved", "labels_saved_low", "labels_saved_high", "seconds_per_round"),
]


@click.command(help=__doc__)
@click.argument("pool")
@click.argument("results", type=Path)
@click.argument("out", type=Path)
@click.option("--seeds", type=click.IntRange(2), default=8, show_default=True)
@click.option("--initial", type=click.IntRange(2), default=300, show_default=True)
@click.option("--rounds", type=click.IntRange(1), default=60, show_default=True)
def main(pool: str, results: Path, out: Path, seeds: int, initial: int, rounds: int) -> None:
    # In this process alone: the engine learns of masks by object here, and workers on Ray would not.
    with object_masks():
        found = alray.sweep(
            pool=pool,
            strategies=list(ARMS.values()),
            results=results,
            name=f"bald-members-{Path(pool).stem}",
            execution={"executor": "inline"},
            seeds=seeds,
            initial=initial,
            rounds=rounds,
        )
    table = found.summary.assign(arm=list(ARMS))[["arm", *COLUMNS]]
    out.mkdir(parents=True, exist_ok=True)
    table.round(4).to_csv(out / f"bald-members-{Path(pool).stem}.csv", index=False)
    pd.set_option("display.width", 160)
    print(table.round(4).to_string(index=False))


if __name__ == "__main__":
    main()
