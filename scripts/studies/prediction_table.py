"""How well do correlation studies predict what sweeps realise? A table of protocols, best first.

Writes into the folder OUT prediction-pairs.csv (a row per pool and score: realised and predicted) and prediction.csv (a
row per protocol), which it prints, and the default protocols' numbers for reports into alray/data/prediction.json.
Without --correlations it reads prediction-pairs.csv as it is there. Without --sweeps it reads what they realised there,
and new predictions take the place of those with the same replay.
"""

import json
from pathlib import Path

import click
import numpy as np
import pandas as pd
from scipy.stats import spearmanr

from alray import load

ARMS = {name: name for name in ("margin", "entropy", "least_confidence", "bald")}
ARMS |= {"loss": "ideal_loss"}
PROTOCOL = ["replay", "grouping", "outcome", "epochs", "statistic"]
REPORTED = {
    "none": ("score", "accuracy", 10, "uplift"),
    "initial": ("score", "accuracy", 1, "uplift"),
}
"""The protocols that reports speak of, by their replay: that of the former defaults, and that of the present ones at
their first dose, the one that was measured."""

DATA = Path(__file__).resolve().parents[2] / "alray" / "data" / "prediction.json"
PAIRS = "prediction-pairs.csv"
DRAWS = 500


def realised(sweeps: Path) -> pd.DataFrame:
    """Return pool, score and the difference of the area under the learning curve from querying by it."""
    rows = []
    for path in sorted(p for p in sweeps.iterdir() if (p / "study.yaml").is_file()):
        summary = load(path).summary
        plain = summary[summary["variant"] == ""].set_index("strategy")["alc_difference"]
        rows += [
            {"pool": path.name, "score": score, "realised": plain[arm]}
            for score, arm in ARMS.items()
            if arm in plain.index
        ]
    return pd.DataFrame(rows)


def predicted(correlations: Path) -> pd.DataFrame:
    """Return every protocol's prediction per pool and score: the uplift, and rho towards the queried end."""
    frames = []
    for path in sorted(correlations.glob("*-*/summary.parquet")):
        pool, _, replay = path.parent.name.rpartition("-")
        summary = pd.read_parquet(path)
        summary = summary[summary["grouping"] != "random"].assign(pool=pool, replay=replay)
        towards = np.where(summary["queried"] == "large", 1, -1)
        summary["rho"] = summary["rho"] * towards
        frames.append(
            summary.melt(
                ["pool", "score", "replay", "grouping", "outcome", "epochs"],
                ["uplift", "rho"],
                var_name="statistic",
                value_name="predicted",
            )
        )
    return pd.concat(frames)


def pairs_of(path: Path, sweeps: Path | None, correlations: Path | None) -> pd.DataFrame:
    """Return what was predicted and realised per pool and score; what is not given is read from this table."""
    if correlations is None:
        return pd.read_csv(path)
    keys = ["pool", "score"]
    if sweeps is not None:
        return predicted(correlations).merge(realised(sweeps), on=keys)
    known = pd.read_csv(path)
    made = predicted(correlations).merge(known[[*keys, "realised"]].drop_duplicates(), on=keys)
    return pd.concat([known[~known["replay"].isin(made["replay"])], made])


def agreement(pairs: pd.DataFrame) -> float:
    """Return Spearman's rho between predicted and realised over all (pool, score) pairs."""
    known = pairs.dropna(subset=["predicted", "realised"])
    if known["predicted"].nunique() < 2 or known["realised"].nunique() < 2:
        return np.nan
    return float(spearmanr(known["predicted"], known["realised"]).statistic)


def describe(pairs: pd.DataFrame, rng: np.random.Generator) -> dict[str, float]:
    """Return the agreement, with an interval by resampling pools."""
    pools = pairs["pool"].unique()
    by_pool = dict(iter(pairs.groupby("pool")))
    drawn = [
        agreement(pd.concat([by_pool[pool] for pool in rng.choice(pools, len(pools))]))
        for _ in range(DRAWS)
    ]
    low, high = np.nanquantile(drawn, [0.025, 0.975])
    known = pairs.dropna(subset=["predicted", "realised"])
    within_pools = np.nanmean([agreement(of_pool) for of_pool in by_pool.values()])
    return {
        "pools": len(pools),
        "pairs": len(known),
        "agreement": agreement(pairs),
        "low": float(low),
        "high": float(high),
        "within_pools": float(within_pools),
        "same_sign": float((np.sign(known["predicted"]) == np.sign(known["realised"])).mean()),
    }


def protocol_table(pairs: pd.DataFrame) -> pd.DataFrame:
    """Return a row per protocol, best first."""
    rows = []
    for names, of_protocol in pairs.groupby(PROTOCOL):
        rng = np.random.default_rng(0)
        rows.append({**dict(zip(PROTOCOL, names, strict=True)), **describe(of_protocol, rng)})
    order = ["pools", "agreement"]
    return pd.DataFrame(rows).sort_values(order, ascending=False, ignore_index=True)


def held_out(pairs: pd.DataFrame) -> dict[str, tuple[tuple[object, ...], float]]:
    """Return by pool the best protocol of the other pools, among those that all pools have, and its agreement here."""
    found = {}
    everywhere = pairs.groupby(PROTOCOL)["pool"].transform("nunique") == pairs["pool"].nunique()
    pairs = pairs[everywhere]
    for pool in pairs["pool"].unique():
        others = pairs[pairs["pool"] != pool]
        scores = {names: agreement(of_protocol) for names, of_protocol in others.groupby(PROTOCOL)}
        best = max(
            (names for names in scores if not np.isnan(scores[names])), key=scores.__getitem__
        )
        of_best = pairs[(pairs[PROTOCOL] == list(best)).all(axis=1) & (pairs["pool"] == pool)]
        found[str(pool)] = (best, agreement(of_best))
    return found


def reported_protocol(
    replay: str, table: pd.DataFrame, agreements: list[float]
) -> dict[str, object]:
    """Return the numbers that reports give of a protocol, among those that all pools have.

    Args:
        replay: Names it in `REPORTED`.
        table: A row per protocol, best first.
        agreements: By held-out pool.
    """
    everywhere = table[table["pools"] == table["pools"].max()].reset_index(drop=True)
    wanted = dict(zip(PROTOCOL, (replay, *REPORTED[replay]), strict=True))
    (rank,) = np.flatnonzero((everywhere[PROTOCOL] == list(wanted.values())).all(axis=1))
    row = everywhere.loc[rank]
    return {
        **{name: wanted[name] for name in ("replay", "grouping", "outcome", "epochs")},
        **{name: int(row[name]) for name in ("pools", "pairs")},
        **{name: round(row[name], 3) for name in ("agreement", "low", "high")},
        "protocols": len(everywhere),
        "rank": int(rank) + 1,
        "held_out": round(float(np.nanmean(agreements)), 3),
        "held_out_low": round(min(agreements), 3),
        "held_out_high": round(max(agreements), 3),
    }


@click.command(help=__doc__)
@click.argument("out", type=Path)
@click.option("--sweeps", type=Path, help="Folder with a sweep per pool, of random and all arms.")
@click.option("--correlations", type=Path, help="Folder with POOL-none and POOL-initial (replay).")
def main(out: Path, sweeps: Path | None, correlations: Path | None) -> None:
    pairs = pairs_of(out / PAIRS, sweeps, correlations)
    table = protocol_table(pairs)
    out.mkdir(parents=True, exist_ok=True)
    table.round(3).to_csv(out / "prediction.csv", index=False)
    pairs.round(5).to_csv(out / PAIRS, index=False)
    pd.set_option("display.width", 160)
    differences = pairs.pivot_table(index="pool", columns="score", values="realised")
    print(differences.round(4).to_string(), end="\n\n")
    print(table.head(20).round(2).to_string(index=False))
    print("...")
    print(table.tail(5).round(2).to_string(index=False))
    choices = held_out(pairs)
    agreements = [value for _, value in choices.values()]
    mean = float(np.nanmean(agreements))
    print(
        f"\nprotocol chosen on the other pools: mean agreement within the held-out pool {mean:+.2f}"
    )
    for pool, (names, value) in choices.items():
        print(f"{pool}: {', '.join(map(str, names))} ({value:+.2f})")
    reported = {replay: reported_protocol(replay, table, agreements) for replay in REPORTED}
    DATA.write_text(json.dumps(reported, indent=2) + "\n")


if __name__ == "__main__":
    main()
