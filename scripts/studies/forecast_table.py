"""How far off forecasts are, and how often their intervals hold: real curves, cut, and forecast to where they went.

A case is a curve (the mean over eight, three or one of its seeds), a cut at 25, 50 or 75 % of the labels that it
bought after the first ones, and a later label count: half, three quarters, or the end. Its truth is the mean of the
same seeds there. Arms that several studies share count once.

`measure` writes into the folder OUT coverage.csv (a row per pool, cut, end and number of seeds), factors.csv (what
`alray.statistics.forecast.FACTORS` have to be) and coverage.md. `keep` writes the curves of a sweep as a small file.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import numpy as np
import pandas as pd
from jaxtyping import Float

from alray import load
from alray.statistics.curves import Curves, Labels
from alray.statistics.forecast import (
    FACTORS,
    LEVEL,
    ONE_SEED,
    Kind,
    factor_of,
    forecast,
    half_width,
    why_not,
)

CUTS, ENDS = (0.25, 0.5, 0.75), (0.5, 0.75, 1.0)
METRICS: Mapping[str, Kind] = {"accuracy": "accuracy", "macro_f1": "class means"}
SEED_GROUPS = ((0, 1, 2, 3, 4, 5, 6, 7), (0, 1, 2), (3, 4, 5), (6,), (7,))
"""Seeds that a study may have had: positions among the eight."""

ERRORS = ("error", "power_law_error", "palm_error")


LEAST = 0.85
"""The share of the cases of each pool and cut that intervals have to hold."""

INTRODUCTION = """# How far off forecasts are, and how often their intervals hold

Real learning curves, cut at 25, 50 and 75 % of the labels that they bought, forecast to half, three quarters or the end
of these, and compared with where they went (`scripts/studies/forecast_coverage`): {cases:,} cases of accuracy and macro
F1 of four pools, every arm once, as studies of eight, three and one of its seeds. Pools are `icons`, `mnist` (the study
run again), `openclipart`, and `twin`, a made one. Cases of one pool share its objects, seeds and network: they are far
fewer pieces of evidence than their number says.

An interval is the forecast +- sqrt((1.645 s)^2 + (f g)^2): s is the error by seeds and noise, g what the curve would
gain if it went on at its own pace by the logarithm of labels, and f the factor below. Each factor holds nine of ten
cases of several seeds where every pool counts alike, and at least 85 % of those of each pool and cut, rounded up, and
is no smaller at a larger ratio; of one seed intervals are {one:g} times as wide. By the number of seeds, every pool
alike, they held {of_seeds}.

In each cell: what the factor covers, and what the factor from the other pools alone would.

"""

AFTER_FACTORS = """The first figure of a cell has seen the pool; the second has not, and is what a new pool may get. It
is icons that makes intervals as wide as they are: factors from the other pools would be too small for it, so a pool
that is harder than icons will leave its intervals more often than one time in ten. Above a ratio of 1.6 icons has one
study of three arms, whose macro F1 rises late, faster than both laws: that alone makes the last factor so large, and
intervals of macro F1 on other pools far too wide there.

Errors are mean absolute ones, of the same unit as the metric. Neither law is the better one on all pools, so a forecast
is the mean of both."""


def curves_of(rounds: pd.DataFrame) -> Iterator[tuple[str, str, str, Labels, Curves]]:
    """Yield pool, arm, metric, label counts and (seed, label count), every curve once."""
    seen = set()
    for (pool, _, arm), records in rounds.groupby(["data", "sweep", "arm"], sort=True):
        for metric in METRICS:
            table = records.pivot(index="seed", columns="labels", values=metric).dropna(axis=1)
            values = table.to_numpy(float)
            key = (pool, metric, values.tobytes())
            if table.shape[1] > 3 and key not in seen:
                seen.add(key)
                yield str(pool), str(arm), metric, table.columns.to_numpy(float), values


def cases_of(labels: Labels, values: Curves) -> Iterator[dict[str, Any]]:
    """Yield a row per case of a curve that can be forecast."""
    bought = labels[-1] - labels[0]
    for cut in CUTS:
        known = int((labels <= labels[0] + cut * bought + 1e-9).sum())
        at = {
            end: int((labels <= labels[0] + end * bought + 1e-9).sum()) - 1
            for end in ENDS
            if end > cut
        }
        for seeds in SEED_GROUPS:
            part = values[[seed for seed in seeds if seed < len(values)]]
            if len(part) < len(seeds) or why_not(labels[:known], part[:, :known]):
                continue
            made = forecast(labels[:known], part[:, :known], labels[list(at.values())])
            for i, (end, point) in enumerate(at.items()):
                truth = float(part[:, point].mean())
                yield {
                    "cut": cut,
                    "end": end,
                    "seeds": len(seeds),
                    "points": known,
                    "ratio": labels[point] / labels[known - 1],
                    "gain": truth - float(part[:, known - 1].mean()),
                    "error": made.mean[i] - truth,
                    "power_law_error": made.laws["power_law"][i] - truth,
                    "palm_error": made.laws["palm"][i] - truth,
                    "sampling": made.sampling[i],
                    "growth": made.growth[i],
                }


def all_cases(rounds: pd.DataFrame) -> pd.DataFrame:
    """Return a row per case of all curves."""
    rows = []
    for pool, arm, metric, labels, values in curves_of(rounds):
        rows += [
            {"pool": pool, "arm": arm, "metric": metric, **case}
            for case in cases_of(labels, values)
        ]
    return pd.DataFrame(rows)


def with_intervals(cases: pd.DataFrame) -> pd.DataFrame:
    """Return cases with the half width that `forecast` gives them (but for 0 and 1 as ends), and whether it holds."""
    of_laws = [
        factor_of(row["ratio"], METRICS[row["metric"]]) * row["growth"]
        for row in cases.to_dict("records")
    ]
    half = half_width(cases["sampling"].to_numpy(float), np.array(of_laws))
    half = np.where(cases["seeds"] == 1, ONE_SEED, 1.0) * half
    return cases.assign(half=half, held=cases["error"].abs() <= half)


def coverage(cases: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    """Return what intervals hold and how large errors are, a row per group of cases."""
    rows = []
    for key, part in cases.groupby(list(by), sort=True):
        low, high = part["ratio"].min(), part["ratio"].max()
        rows.append(
            {
                **dict(zip(by, key, strict=True)),
                "cases": len(part),
                "ratio_from": low,
                "ratio_to": high,
                "coverage": part["held"].mean(),
                "width": 2 * part["half"].mean(),
                "gain": part["gain"].mean(),
                "bias": part["error"].mean(),
                **{f"mean_{name}": part[name].abs().mean() for name in ERRORS},
            }
        )
    return pd.DataFrame(rows)


def needed_factor(cases: pd.DataFrame) -> float:
    """Return the factor that holds nine of ten cases where every pool counts alike, and 85 % of any pool and cut."""
    spread = half_width(cases["sampling"].to_numpy(float), np.zeros(len(cases)))
    beyond = np.sqrt(np.maximum(cases["error"].to_numpy(float) ** 2 - spread**2, 0.0))
    # A curve that did not grow is held by its noise, or by no factor.
    score = np.where(beyond > 0, beyond / np.maximum(cases["growth"].to_numpy(float), 1e-12), 0.0)
    return _least(score, cases)


def _least(score: Float[np.ndarray, " case"], cases: pd.DataFrame) -> float:
    """Return what nine of ten scores lie below where every pool counts alike, and 85 % of those of a pool and cut."""
    weight = (1 / cases.groupby("pool")["pool"].transform("size")).to_numpy(float)
    parts = cases.groupby(["pool", "cut"]).indices.values()
    least = [_quantile(score[part], np.ones(len(part)), LEAST) for part in parts]
    return max(_quantile(score, weight, LEVEL), *least)


def _quantile(
    values: Float[np.ndarray, " case"], weight: Float[np.ndarray, " case"], level: float
) -> float:
    order = np.argsort(values)
    share = np.cumsum(weight[order]) / weight.sum()
    return float(values[order][np.searchsorted(share, level - 1e-9)])


def held_by(cases: pd.DataFrame, factor: float) -> float:
    """Return the share of cases of several seeds that intervals of this factor hold."""
    half = half_width(cases["sampling"].to_numpy(float), factor * cases["growth"].to_numpy(float))
    return float((cases["error"].abs() <= half).mean())


def one_seed_needed(cases: pd.DataFrame) -> float:
    """Return how much wider intervals of one seed have to be, by the rule of `needed_factor`."""
    one = cases[cases["seeds"] == 1]
    score = (one["error"].abs() / one["half"] * ONE_SEED).to_numpy(float)
    return _least(score, one)


def factors(cases: pd.DataFrame) -> pd.DataFrame:
    """Return a row per metric and range of ratios: what its cases of several seeds need, and others' would cover."""
    rows = []
    for metric, kind in METRICS.items():
        of_metric = cases[cases["metric"] == metric]
        one_seed = {"one_seed_used": ONE_SEED, "one_seed_needed": one_seed_needed(of_metric)}
        begin = 1.0
        for end, used in FACTORS[kind]:
            inside = (of_metric["ratio"] > begin) & (of_metric["ratio"] <= end)
            part = of_metric[inside & (of_metric["seeds"] > 1)]
            row = {"metric": metric, "ratio_above": begin, "ratio_to": end}
            row |= {"largest_ratio": part["ratio"].max(), "cases": len(part)}
            row |= {"used": used, "needed": needed_factor(part), **one_seed}
            for pool, of_pool in part.groupby("pool"):
                others = part[part["pool"] != pool]
                row[f"covers_{pool}"] = held_by(of_pool, used)
                if len(others):
                    row[f"others_cover_{pool}"] = held_by(of_pool, needed_factor(others))
            rows.append(row)
            begin = end
    return pd.DataFrame(rows)


def page(cases: pd.DataFrame, found: pd.DataFrame) -> str:
    """Return coverage.md."""
    rows = coverage(cases, ("metric", "pool", "cut", "end"))
    head = "| metric | pool | cut at | forecast at | labels there / known | cases | coverage | mean width | mean gain"
    lines = [f"{head} | error: mean of both | power law | PALM |", "|" + " --- |" * 12]
    for row in rows.to_dict("records"):
        ratios = f"{row['ratio_from']:.2f} to {row['ratio_to']:.2f}"
        cells = [
            row["metric"],
            row["pool"],
            f"{row['cut']:.0%}",
            f"{row['end']:.0%}",
            ratios,
            row["cases"],
        ]
        cells += [f"{row['coverage']:.0%}", *(f"{row[name]:.3f}" for name in ("width", "gain"))]
        cells += [f"{row[f'mean_{name}']:.4f}" for name in ERRORS]
        lines.append(f"| {' | '.join(map(str, cells))} |")
    pools = sorted(set(cases["pool"]))
    factor_lines = [
        f"| metric | labels there / known | factor | {' | '.join(pools)} |",
        "|" + " --- |" * (3 + len(pools)),
    ]
    for row in found.to_dict("records"):
        end = (
            f"{row['largest_ratio']:.2f}" if np.isinf(row["ratio_to"]) else f"{row['ratio_to']:g}"
        )
        cells = [row["metric"], f"{row['ratio_above']:g} to {end}", f"{row['used']:g}"]
        for pool in pools:
            own, other = (
                row.get(f"{start}_{pool}", np.nan) for start in ("covers", "others_cover")
            )
            cells.append("" if np.isnan(own) else f"{own:.0%}, {other:.0%}")
        factor_lines.append(f"| {' | '.join(cells)} |")
    by_seeds = cases.groupby(["seeds", "pool"])["held"].mean().groupby("seeds").mean()
    of_seeds = ", ".join(f"{share:.0%} with {seeds}" for seeds, share in by_seeds.items())
    start = INTRODUCTION.format(cases=len(cases), of_seeds=of_seeds, one=ONE_SEED)
    return start + "\n".join([*factor_lines, "", AFTER_FACTORS, "", *lines, ""])


@click.group(help=__doc__)
def main() -> None:
    pass


@main.command(help="Write the curves of the sweep STUDY to FILE.")
@click.argument("study", type=Path)
@click.argument("file", type=Path)
def keep(study: Path, file: Path) -> None:
    found = load(study)
    done = found.runs.loc[found.runs["status"] == "finished", "run_id"]
    rounds = found.rounds[found.rounds["run_id"].isin(done)].dropna(subset=["accuracy"])
    kept = rounds[["arm", "seed", "labels", *METRICS]].assign(data=study.name, sweep=study.name)
    kept.astype({"accuracy": "float32", "macro_f1": "float32"}).to_parquet(file, index=False)


@main.command(
    help="Measure on the curves of ROUNDS and on those kept in OUT, and write tables to OUT."
)
@click.argument("rounds", type=Path)
@click.argument("out", type=Path)
def measure(rounds: Path, out: Path) -> None:
    parts = [pd.read_parquet(path) for path in (rounds, *sorted(out.glob("*.parquet")))]
    write_tables(all_cases(pd.concat(parts, ignore_index=True)), out)


def write_tables(bare: pd.DataFrame, out: Path) -> None:
    """Write coverage.csv, factors.csv and coverage.md from all cases."""
    cases = with_intervals(bare)
    by_pool = coverage(cases, ("metric", "pool", "cut", "end", "seeds"))
    by_pool.round(4).to_csv(out / "coverage.csv", index=False)
    found = factors(cases)
    found.round(3).to_csv(out / "factors.csv", index=False)
    (out / "coverage.md").write_text(page(cases, found))


if __name__ == "__main__":
    main()
