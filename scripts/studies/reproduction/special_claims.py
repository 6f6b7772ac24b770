"""Rules of claims that are about more than one difference of two arms."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd

from alray.analysis.wording import joined, share, signed
from alray.statistics.paired import FEWEST_SEEDS, excludes_zero
from studies.reproduction.evidence import Evidence
from studies.reproduction.registry import PARTS
from studies.reproduction.rules import NOT_RUN, Effect, Found, below_zero, of_size
from studies.reproduction.windows import PRINTED

TINY = 64
"""A last batch of fewer objects is called tiny; of a batch size below 512 an eighth of it."""

GROWTH = Path(__file__).parents[3] / "results" / "reference" / "bench" / "growth.csv"
LINEAR = 0.99
"""r^2 from which points are said to lie on a line."""


def is_best_of_its_table(evidence: Evidence, data: str) -> Found:
    """Judge whether no other configuration is shown to be better; disagrees where one is."""
    pairs = evidence.pairs("networks", data)
    if not pairs:
        return NOT_RUN
    effects = {names[0]: evidence.area("networks", data, *names) for names in pairs}
    known = {name: effect for name, effect in effects.items() if effect is not None}
    best = max(known, key=lambda name: known[name].estimate)
    number = f"{best}: {known[best].text}"
    if all(effect.estimate == effect.low == effect.high == 0 for effect in known.values()):
        return Found("cannot tell", number, "all configurations have equal records")
    better = [name for name, effect in known.items() if effect.low > 0]
    if better:
        return Found("disagrees", number, f"better: {joined(better)}")
    if known[best].seeds >= FEWEST_SEEDS and all(effect.high < 0 for effect in known.values()):
        return Found("agrees", number, "all others are shown to be worse")
    return Found("cannot tell", number, "no other is shown to be better, and not all to be worse")


def last_batch(labels: "pd.Series[int]", size: int) -> "pd.Series[int]":
    """Return the objects in the last batch of an epoch over so many labels, in batches of a fixed size."""
    rest = labels % size
    return rest.where(rest > 0, size)


def tiny(labels: "pd.Series[int]", size: int) -> "pd.Series[bool]":
    """Return where the last batch is tiny."""
    return last_batch(labels, size) < min(TINY, max(2, size // 8))


def fixed_against_published(evidence: Evidence, data: str) -> pd.DataFrame:
    """Return a row per strategy, seed and round: accuracy and training loss with fixed batches minus published ones.

    Columns: strategy, seed, labels, accuracy, train_loss, last_batch, tiny. Empty where it has not run.
    """
    rounds, runs = evidence.records("batches", data)
    if rounds.empty:
        return pd.DataFrame()
    size = int(runs["batch_size"].iloc[0])
    tables = []
    for strategy in ("margin", "random"):
        fixed, published = (
            rounds[rounds["arm"] == f"{strategy}, {rule}"].set_index(["seed", "labels"])
            for rule in ("fixed", "published")
        )
        values = ["accuracy", "train_loss"]
        difference = (fixed[values] - published[values]).dropna().reset_index()
        tables.append(difference.assign(strategy=strategy))
    table = pd.concat(tables, ignore_index=True)
    return table.assign(
        last_batch=last_batch(table["labels"], size), tiny=tiny(table["labels"], size)
    )


def tiny_batch_effects(evidence: Evidence, data: str, column: str) -> dict[str, Effect]:
    """Return by strategy the mean difference in the rounds with a tiny last batch minus that in the others."""
    table = fixed_against_published(evidence, data)
    # The passive phase stops early, at its best epoch.
    table = table[table["labels"] > table["labels"].min()] if len(table) else table
    if table.empty or table["tiny"].nunique() < 2:
        return {}
    means = table.groupby(["strategy", "seed", "tiny"])[column].mean().unstack("tiny").dropna()
    change = means[True] - means[False]
    return evidence.joint(
        {
            str(strategy): dict(
                zip(
                    of_strategy.index.get_level_values("seed").astype(int),
                    of_strategy.astype(float),
                    strict=True,
                )
            )
            for strategy, of_strategy in change.groupby("strategy")
        }
    )


def last_batches_harm(evidence: Evidence, data: str) -> Found:
    """Judge whether accuracy is lower in the rounds with a tiny last batch."""
    if fixed_against_published(evidence, data).empty:
        return NOT_RUN
    effects = tiny_batch_effects(evidence, data, "accuracy")
    if not effects:
        return Found("cannot tell", "", "no round has a tiny last batch, or every round has")
    return below_zero(effects.get("margin"))


def saving_rises(evidence: Evidence, data: str) -> Found:
    """Judge whether the labels saved at the end are more than at half of the budget: intervals must be apart."""
    table = evidence.milestones("long", data, "margin", "random")
    effects = [
        Effect(row["saving"], row["low"], row["high"], int(row["seeds"]), share=True)
        for row in table[table["share"].isin([0.5, 1.0])].to_dict("records")
    ]
    if not effects:
        return NOT_RUN
    number = f"half: {effects[0].text}; end: {effects[1].text}"
    if effects[1].low > effects[0].high:
        return Found("agrees", number, "the interval at the end lies above that at half")
    if effects[1].high < effects[0].low:
        return Found("disagrees", number, "the interval at the end lies below that at half")
    return Found("cannot tell", number, "the two intervals overlap, or have no ends")


def same_ranking(evidence: Evidence, data: str) -> Found:
    """Judge whether what is shown of a strategy in one mode is shown in the other, and never the opposite."""
    shown: dict[str, list[int]] = {}
    for arm, against in PARTS["modes"].pairs[:-1]:
        effect = evidence.area("modes", data, arm, against)
        if effect is None:
            return NOT_RUN
        name = arm.removesuffix(", scratch")
        apart = excludes_zero(effect.low, effect.high)
        shown.setdefault(name, []).append(int(np.sign(effect.estimate)) if apart else 0)
    modes = zip(("fine-tuned", "fresh"), zip(*shown.values(), strict=True), strict=True)
    number = "; ".join(
        f"{mode}: {', '.join(f'{name} {_sign(sign)}' for name, sign in zip(shown, signs, strict=True))}"
        for mode, signs in modes
    )
    opposite = [name for name, (tuned, fresh) in shown.items() if tuned * fresh < 0]
    if opposite:
        return Found("disagrees", number, f"opposite signs are shown of {joined(opposite)}")
    if all(tuned == fresh != 0 for tuned, fresh in shown.values()):
        return Found("agrees", number, "the same sign is shown of each strategy in both")
    return Found("cannot tell", number, "no opposite signs are shown, and not the same of each")


def _sign(value: int) -> str:
    return {1: "+", -1: "-"}.get(value, "?")


def correlates(score: str, sign: int) -> Callable[[Evidence, str], Found]:
    """Return the rule of a claim about the sign of a rank correlation, at all doses of the sound design."""

    def rule(evidence: Evidence, data: str) -> Found:
        table = _correlations(evidence, data, "sound", score)
        if table.empty:
            return NOT_RUN
        number = ", ".join(
            f"{signed(rho, 2)} at {dose}"
            for dose, rho in zip(table["epochs"], table["rho"], strict=True)
        )
        apart = table[(table["rho_low"] > 0) | (table["rho_high"] < 0)]
        signs = set(np.sign(apart["rho"]).astype(int))
        number = f"{number} epochs"
        if not signs:
            return Found("cannot tell", number, "no interval leaves 0 out")
        if len(signs) == 2:
            return Found("cannot tell", number, "the sign depends on the dose")
        doses = joined([str(dose) for dose in apart["epochs"]])
        kind = "agrees" if signs == {sign} else "disagrees"
        return Found(kind, number, f"its interval leaves 0 out at dose {doses}")  # type: ignore[arg-type]

    return rule


def correlates_by_original(score: str, printed: float) -> Callable[[Evidence, str], Found]:
    """Return the rule of a claim about the size of a rank correlation, at the original's largest dose."""

    def rule(evidence: Evidence, data: str) -> Found:
        table = _correlations(evidence, data, "original", score)
        if table.empty:
            return NOT_RUN
        row = table.iloc[-1]
        # The replicates of a correlation are its base models: their t interval needs no six of them.
        seeds = max(FEWEST_SEEDS, int(row["bases"]))
        return of_size(Effect(row["rho"], row["rho_low"], row["rho_high"], seeds), printed)

    return rule


def _correlations(evidence: Evidence, data: str, study: str, score: str) -> pd.DataFrame:
    table = evidence.frames.correlations
    chosen = (table["data"] == data) & (table["study"] == study) & (table["score"] == score)
    return table[chosen & (table["grouping"] == "score")].sort_values("epochs")


def windows_prove(evidence: Evidence, _: str) -> Found:
    """Judge whether the printed size is rare among null studies with windows that overlap, for every noise tried."""
    table = evidence.frames.windows
    if table.empty:
        return NOT_RUN
    rows = table[table["design"] == "overlapping windows"]
    low, high = rows["printed"].min(), rows["printed"].max()
    number = (
        f"{round(100 * low)} to {round(100 * high)} % of null studies reach {share(PRINTED, 2)}"
    )
    least = float((rows["printed"] - 2 * rows["printed_error"]).min())
    most = float((rows["printed"] + 2 * rows["printed_error"]).max())
    if most < 0.05:
        return Found("agrees", number, "fewer than 5 % do, for every noise")
    if least > 0.05:
        return Found("disagrees", number, "more than 5 % do, for every noise")
    return Found("cannot tell", number, "it depends on the noise of a fine-tune")


def growth_line(what: str) -> tuple[pd.DataFrame, float, float]:
    """Return the medians by size, r^2 of the line through them, and its slope; an empty frame where none are stored."""
    if not GROWTH.exists():
        return pd.DataFrame(), math.nan, math.nan
    table = pd.read_csv(GROWTH)
    rows = table[(table["what"] == what) & table["round"].notna()]
    medians = rows.groupby("size")["round"].median().reset_index(name="seconds")
    if len(medians) < 3:
        return pd.DataFrame(), math.nan, math.nan
    slope, start = np.polyfit(medians["size"], medians["seconds"], 1)
    residual = medians["seconds"] - (slope * medians["size"] + start)
    spread = medians["seconds"] - medians["seconds"].mean()
    return medians, float(1 - (residual**2).sum() / (spread**2).sum()), float(slope)


def grows_linearly(what: str) -> Callable[[Evidence, str], Found]:
    """Return the rule of a claim that a cost is a line: r^2 of the measured medians."""

    def rule(_: Evidence, __: str) -> Found:
        medians, r2, slope = growth_line(what)
        if medians.empty:
            return Found("not run", "", "scripts/bench growth --write has not run")
        unit, noun = (1_000, "1,000 objects") if what == "pool" else (1, "member")
        number = f"{1000 * slope * unit:.2g} ms per {noun}, r^2 {r2:.4f}"
        if r2 >= LINEAR and slope > 0:
            return Found("agrees", number, f"r^2 is {share(LINEAR, 2)} or more")
        return Found("disagrees", number, f"r^2 is below {share(LINEAR, 2)}")

    return rule
