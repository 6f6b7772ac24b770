"""How often does a correlation study find what is true, and how often what is not? A table of protocols at equal cost.

Fine-tunes of small networks (`stand_in.py`) on pools whose truth is planted are kept in WORK; studies are drawn from
their base models and seeds, and summarised as `alray correlate` does. Writes power.csv and power.md into OUT.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np
import pandas as pd
import torch

from alray.analysis.correlation.summary import summarise
from studies.planted_pools import POOLS
from studies.stand_in import GROUPS, Found, fine_tuned

BASES, STUDIES, PERMUTATIONS = 12, 30, 199
"""Base models on record for each pool, studies drawn from them, and permutations behind each p."""

TRUTHS = {
    "rare-modes": ("helps",),
    "wrong-labels": ("hurts",),
    "a random score": (),
    "overlapping": ("helps", "hurts"),
    "uninformative": (),
    "easy": (),
}
"""Verdicts on the largest loss that are true; of classes that overlap either may be, but never both in two studies."""


@dataclass(frozen=True)
class Protocol:
    """The settings that a protocol is made of; all take as many gradient steps, or fewer."""

    name: str
    bases: int
    seeds: int
    replay: str
    doses: tuple[int, ...]


FORMER = (1, 2, 5, 10, 20)
PROTOCOLS = (
    Protocol("8 bases x 2 seeds, initial labels replayed, 1 epoch", 8, 2, "initial", (1,)),
    Protocol("3 bases x 5 seeds, no replay, 1 to 20 epochs", 3, 5, "none", FORMER),
)
"""The present default and the former one."""


def on_record(work: Path, pool: str, base: int, protocol: Protocol) -> Found:
    """Return a base's fine-tunes with five seeds, computed where they are not on record."""
    path = work / f"{pool}-{protocol.replay}-{base}.npz"
    if not path.exists():
        planted = POOLS[pool](np.random.default_rng(7))
        found = fine_tuned(planted, base, 5, protocol.replay, protocol.doses)
        work.mkdir(parents=True, exist_ok=True)
        np.savez(path, useful=found.useful, loss=found.loss)
    with np.load(path) as content:
        return Found(content["useful"], content["loss"])


def frames(
    bases: Sequence[Found],
    seeds: np.ndarray,
    doses: Sequence[int],
    noise: np.random.Generator | None,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Return a study as frames; with `noise` half of the random groups are ranked by a random score instead."""
    groups, outcomes = [], []
    half = GROUPS // 2
    for base, found in enumerate(bases):
        parts = {"score": slice(0, GROUPS), "random": slice(GROUPS, 2 * GROUPS)}
        if noise is not None:
            parts = {
                "score": slice(GROUPS, GROUPS + half),
                "random": slice(GROUPS + half, 2 * GROUPS),
            }
        for grouping, part in parts.items():
            loss = found.loss[part] if noise is None else noise.normal(size=half)
            key = {
                "base": base,
                "grouping": grouping,
                "sorted_by": "loss" if grouping == "score" else "",
            }
            number = np.arange(len(loss))
            ids = [f"{grouping}-{each}" for each in number]
            labels = np.where(number % 2, "even", "odd")
            groups.append(
                pd.DataFrame({**key, "group": number, "id": ids, "label": labels, "loss": loss})
            )
            outcomes.append(_outcomes(key, found.useful[seeds][..., part], doses))
        nothing = np.zeros((len(seeds), len(doses), 1))
        control = {"base": base, "grouping": "control", "sorted_by": ""}
        outcomes.append(_outcomes(control, nothing, doses).assign(group=-1))
    before = pd.DataFrame(
        {"base": range(len(bases)), "labels": 1, "accuracy": 0.5, "nll": 1.0, "macro_f1": 0.5}
    )
    return pd.concat(groups), pd.concat(outcomes), before


def _outcomes(key: dict[str, object], useful: np.ndarray, doses: Sequence[int]) -> pd.DataFrame:
    seed, dose, group = (axis.ravel() for axis in np.indices(useful.shape))
    accuracy = useful.ravel()
    epochs = np.array(doses)[dose]
    what = {"group": group, "seed": seed, "epochs": epochs, "steps": epochs}
    return pd.DataFrame(
        {**key, **what, "accuracy": accuracy, "nll": -accuracy, "macro_f1": accuracy}
    )


def studies_of(work: Path, pool: str, protocol: Protocol) -> pd.DataFrame:
    """Return the row of the largest loss at each dose, for all studies of a pool."""
    is_noise = pool not in POOLS
    source = "wrong-labels" if is_noise else pool
    kept = [on_record(work, source, base, protocol) for base in range(BASES)]
    rows = []
    for study in range(STUDIES):
        rng = np.random.default_rng([study, 3])
        chosen = [kept[base] for base in rng.choice(BASES, size=protocol.bases, replace=False)]
        seeds = rng.choice(5, size=protocol.seeds, replace=False)
        of_study = frames(chosen, seeds, protocol.doses, rng if is_noise else None)
        found = summarise(*of_study, rng, PERMUTATIONS, 2).summary
        at = (found["grouping"] == "score") & (found["outcome"] == "accuracy")
        rows.append(found[at].assign(study=study))
    return pd.concat(rows)


def counted(rows: pd.DataFrame, truth: Sequence[str]) -> dict[str, object]:
    """Return shares of studies: any true verdict and any false one at a dose, by the present and the former rule."""
    former = (
        (rows["icc"] >= 0.3)
        & ((rows["uplift_low"] > 0) | (rows["uplift_high"] < 0))
        & (rows["p_max"] < 0.05)
        & (rows["rho"] * rows["uplift"] > 0)
    )
    named = np.where(rows["uplift"] > 0, "helps", "hurts")
    by_former = pd.Series(np.where(former, named, ""), rows.index)
    shares: dict[str, object] = {"truth": " or ".join(truth) or "nothing"}
    for rule, verdicts in (("", rows["verdict"]), (" (former rule)", by_former)):
        effects = verdicts.isin(["helps", "hurts"])
        right = verdicts.isin(truth)
        of_study = (
            pd.DataFrame({"true": right, "false": effects & ~right}).groupby(rows["study"]).any()
        )
        shares |= {f"{name}{rule}": float(share) for name, share in of_study.mean().items()}
    commonest = rows.loc[~rows["verdict"].isin(["helps", "hurts"]), "verdict"]
    shares["otherwise"] = commonest.mode().iat[0] if len(commonest) else ""
    largest = rows.groupby("epochs")[["uplift", "typical_change", "icc"]].mean().iloc[-1]
    return {**shares, **{str(name): value for name, value in largest.items()}}


@click.command(help=__doc__)
@click.argument("work", type=Path)
@click.argument("out", type=Path)
def main(work: Path, out: Path) -> None:
    torch.set_num_threads(1)
    rows = []
    for pool, truth in TRUTHS.items():
        for protocol in PROTOCOLS:
            found = studies_of(work, pool, protocol)
            rows.append({"pool": pool, "protocol": protocol.name, **counted(found, truth)})
            print(rows[-1], flush=True)
    table = pd.DataFrame(rows)
    out.mkdir(parents=True, exist_ok=True)
    table.round(4).to_csv(out / "power.csv", index=False)
    (out / "power.md").write_text(as_text(table))


def as_text(table: pd.DataFrame) -> str:
    """Return the table for reading: a row per protocol, true and false verdicts per pool."""
    lines = [
        "| largest loss | truth | protocol | true, % | false, % | by the former rule |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for row in table.to_dict("records"):
        true, false = (
            f"{100 * row[name]:.0f}"
            if name.startswith("false") or row["truth"] != "nothing"
            else ""
            for name in ("true", "false")
        )
        former = f"{100 * row['true (former rule)']:.0f}, {100 * row['false (former rule)']:.0f}"
        cells = (row["pool"], row["truth"], row["protocol"], true, false, former)
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
