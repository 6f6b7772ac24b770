"""How many wrong labels does `alray pool suspects` find, and how many right ones does it suspect?

POOLS are some of digits, made and openclipart (all if not given). The labels of digits (scikit-learn's) are taken to be
right, and those of made (a synthetic pool whose classes overlap) are, so what is suspect there while none is made wrong
is a right label. Those of openclipart are not all right. In each pool labels are made wrong: towards classes that are
easily taken for the true one (structured), or towards any other (uniform). Takes a quarter of an hour on one core, most
of it for openclipart. Writes suspects.csv and README.md into the folder --out; what other pools have there stays.
"""

import tempfile
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click
import pandas as pd

from alray.pools.importing import Target, write_chunks
from alray.pools.synthetic import SyntheticSpec, make_synthetic
from alray.settings.suspects import SuspectsSpec
from alray.studies.suspects.finding import judged, tried
from alray.studies.suspects.preparing import prepare
from studies.digits_pool import write_digits

POOLS = ("digits", "made", "openclipart")
RIGHT = ("digits", "made")
"""Pools whose labels are all right, or are taken to be."""

SHARES = (0.05, 0.2)
ERRORS = ("structured", "uniform")
SEEDS = 2
MADE: Mapping[str, Any] = {
    "objects": 3000,
    "classes": 12,
    "families": 4,
    "largest": 500,
    "smallest": 100,
    "image_features": 48,
    "text_features": 32,
    "modes": 2,
    "latent": 16,
    "image_separation": 0.8,
    "text_separation": 0.8,
    "label_noise": 0.0,
}

INTRODUCTION = """# Labels that are likely wrong: how many are found

`alray pool suspects` on labels that were made wrong (`scripts/studies/suspects`; means over {seeds} seeds, which draw
folds, weights and wrong labels). *structured*: a wrong label names a class that is easily taken for the true one.
found: of 100 wrong labels so many are suspect; first: so many are among as many first ranks as there are wrong labels;
made wrong: of 100 suspects so many were made wrong; the others are right or, in openclipart, may have been wrong
before;
right: of 100 labels that were not made wrong so many are suspect.

"""


def rows_of(pool: str, source: str, spec: Mapping[str, Any], seed: int) -> list[dict[str, Any]]:
    """Return a row for the pool as it is, and one for each share and kind of wrong labels."""
    settings = SuspectsSpec.model_validate({"pool": {"source": source}, "seed": seed, **spec})
    task = prepare(settings)
    found = judged(task, lambda *_: None)
    labels = len(found.table)
    about = {"pool": pool, "seed": seed, "judged": labels}
    rows: list[dict[str, Any]] = [
        {**about, "errors": "none", "labels": 0, "suspects": found.count, "found": 0, "first": 0}
    ]
    for share in SHARES:
        for errors in ERRORS:
            planted = {"plant": round(share * labels), "plant_errors": errors}
            of_pool = replace(task, spec=settings.model_copy(update=planted))
            rows.append({**about, **asdict(tried(of_pool, lambda *_: None))})
    return rows


def summarised(rows: pd.DataFrame) -> pd.DataFrame:
    """Return a row per pool, kind of errors and share: shares out of 100, means over seeds."""
    wrong = rows["labels"].where(rows["labels"] > 0)
    suspects = rows["suspects"].where(rows["suspects"] > 0)
    shares = rows.assign(
        share=(100 * rows["labels"] / rows["judged"]).round(),
        found_of_100=100 * rows["found"] / wrong,
        first_of_100=100 * rows["first"] / wrong,
        planted_of_100=(100 * rows["found"] / suspects).where(wrong.notna()),
        right_of_100=100 * (rows["suspects"] - rows["found"]) / (rows["judged"] - rows["labels"]),
    )
    kept = ["found_of_100", "first_of_100", "planted_of_100", "right_of_100"]
    return shares.groupby(["pool", "share", "errors"], sort=False)[kept].mean().reset_index()


def page(rows: pd.DataFrame) -> str:
    """Return the page as Markdown."""
    lines = [
        "| pool | made wrong | how | found | first | made wrong, of suspects | right |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in summarised(rows).to_dict("records"):
        numbers = [row[f"{name}_of_100"] for name in ("found", "first", "planted", "right")]
        shown = ["" if pd.isna(each) else f"{each:.1f}" for each in numbers]
        lines.append(
            f"| {row['pool']} | {row['share']:.0f} % | {row['errors']} | {' | '.join(shown)} |"
        )
    seeds = rows["seed"].nunique()
    return INTRODUCTION.format(seeds=seeds) + "\n".join(lines) + "\n\n" + said(rows)


def said(rows: pd.DataFrame) -> str:
    """Return what to make of it, by the pools whose labels are all right."""
    found = summarised(rows)
    null = found[(found["errors"] == "none") & found["pool"].isin(RIGHT)]
    parts = [f"{row['right_of_100']:.1f} on {row['pool']}" for row in null.to_dict("records")]
    if not parts:
        return ""
    return (
        f"Of 100 right labels of a pool without a wrong one so many are suspect: {', '.join(parts)}. Have suspects "
        "looked at, and do not delete them unseen.\n"
    )


def source_of(pool: str, folder: Path) -> str:
    """Return where a pool is; digits and made are written into the folder."""
    path = folder / f"{pool}.parquet"
    if pool == "digits":
        write_digits(path)
    elif pool == "made":
        spec = SyntheticSpec.model_validate(MADE)
        write_chunks(make_synthetic(spec), spec.objects, Target(path), lambda *_: None)
    else:
        return pool
    return str(path)


def study(pools: tuple[str, ...], out: Path, seeds: int, spec: Mapping[str, Any]) -> None:
    """Judge the labels of these pools, and write the table and its page."""
    table = out / "suspects.csv"
    kept = [pd.read_csv(table).query("pool not in @pools")] if table.exists() else []
    with tempfile.TemporaryDirectory() as folder:
        for pool in pools:
            source = source_of(pool, Path(folder))
            for seed in range(seeds):
                kept.append(pd.DataFrame(rows_of(pool, source, spec, seed)))
                click.echo(f"{pool}, seed {seed}: done", err=True)
    found = pd.concat(kept, ignore_index=True)
    place = found["pool"].map({pool: number for number, pool in enumerate(POOLS)})
    found = found.assign(place=place).sort_values("place", kind="stable").drop(columns="place")
    out.mkdir(parents=True, exist_ok=True)
    found.to_csv(table, index=False)
    (out / "README.md").write_text(page(found))
    click.echo(page(found))


@click.command(help=__doc__)
@click.argument("pools", nargs=-1, type=click.Choice(POOLS), metavar="[POOLS]...")
@click.option("--seeds", type=click.IntRange(min=1), default=SEEDS, show_default=True)
@click.option("--out", type=Path, default=Path("results/reference/suspects"), show_default=True)
def main(pools: tuple[str, ...], seeds: int, out: Path) -> None:
    study(pools or POOLS, out, seeds, {})


if __name__ == "__main__":
    main()
