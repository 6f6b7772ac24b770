"""Stop or go on: what each stopping rule says of a campaign by now, and one sentence of advice."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from alray.analysis.campaign.outlook import Outlook
from alray.analysis.stopping_rules.base import Curve, StoppingRule
from alray.analysis.stopping_rules.predictions import Kappa
from alray.analysis.stopping_rules.registry import rules_of
from alray.analysis.targets import about, target_text
from alray.analysis.wording import interval, joined, share, signed
from alray.statistics.proportion import FEWEST

SMALL_GAIN = 0.01
"""Stopping is advised only where the forecast's upper end promises less accuracy than this for as many labels again."""

RULE_COLUMNS: Mapping[str, str] = {
    "rule": "the stopping rule",
    "says": "stop, go on, or not known where too little is on record",
    "reason": "what the rule goes by now, and what it wants in order to stop",
    "since": "labels that the network had learnt from when the rule first said stop; null where it never did",
}
"""Columns of `findings/stopping.csv` of a campaign."""


def rules_said(rounds: pd.DataFrame) -> pd.DataFrame:
    """Return what the usual rules say after the last network, a row each, with `RULE_COLUMNS`.

    Rules that go by validation accuracy see that of the audit part: of objects that are never learnt from, and on all
    answers known now.

    Args:
        rounds: The status's, a row per batch, in order; those without a fit are left out.
    """
    fitted = rounds[rounds["train_loss"].notna()].drop_duplicates("labels", keep="last")
    fitted = fitted.assign(validation_accuracy=fitted["accuracy"])
    rows = [_row(text, rule, fitted) for text, rule in rules_of(()).items()]
    return pd.DataFrame(rows, columns=list(RULE_COLUMNS))


def _row(text: str, rule: StoppingRule, rounds: pd.DataFrame) -> dict[str, object]:
    columns = ("round", "labels", *rule.needs)
    curve: Curve = {name: rounds[name].to_numpy(dtype=np.float64) for name in columns}
    if not len(rounds) or any(np.isnan(curve[name][-1]) for name in rule.needs):
        reason = _lacking(rule.needs[0], rounds)
        return {"rule": text, "says": "not known", "reason": reason, "since": math.nan}
    stops, reason = rule.stops(curve), rule.says(curve)
    unknown = "not known yet" in reason
    if unknown and isinstance(rule, Kappa) and _all_compared(rounds, rule.window):
        reason = (
            f"one of the last {rule.window} kappas is not known: all predictions were of one class"
        )
    now = "stop" if stops[-1] else "not known" if unknown else "go on"
    first = float(curve["labels"][np.flatnonzero(stops)[0]]) if stops.any() else math.nan
    return {
        "rule": text,
        "says": now,
        "reason": reason.replace("validation_", "audit "),
        "since": first,
    }


def _lacking(column: str, rounds: pd.DataFrame) -> str:
    """Return why a column is not known after the last network."""
    if not len(rounds):
        return "no network has been fitted"
    if column == "validation_accuracy":
        return f"{FEWEST} objects of the audit part with answers are needed"
    last = rounds.iloc[-1]
    if column == "stop_kappa" and not np.isnan(last["stop_agreement"]):
        # Of predictions of one and the same class agreement is known, but not how much of it is beyond chance.
        return "all predictions are of one class"
    if column in {"stop_kappa", "stop_agreement"} and not np.isnan(last["stop_entropy"]):
        return "two networks are needed, to compare"
    return "the network has no objects of the audit part to predict"


def _all_compared(rounds: pd.DataFrame, window: int) -> bool:
    """Whether each of the last networks was compared with the one before."""
    last = rounds["stop_agreement"].tail(window)
    return len(last) == window and bool(last.notna().all())


def advice(
    rules: pd.DataFrame, found: Outlook, numbers: Mapping[str, Any], targets: Sequence[float]
) -> str:
    """Return one sentence that says stop or go on, and no more than the rules and the audit part show.

    Args:
        rules: Rows of `rules_said`.
        found: The forecast.
        numbers: The status's.
        targets: Accuracies that the user wants.
    """
    if targets and numbers["accuracy_low"] >= max(targets):
        return (
            f"Stop: the accuracy wanted, {target_text(max(targets))}, is reached; the 95 % interval begins at "
            f"{share(numbers['accuracy_low'])}."
        )
    stop = [str(rule) for rule in rules.loc[rules["says"] == "stop", "rule"]]
    known = int((rules["says"] != "not known").sum())
    if not known:
        return "Go on: nothing is known by which a rule could say stop."
    of_rules = _of_rules(stop, known)
    if found.reason:
        return f"Go on: {of_rules}, and without a forecast nothing says what stopping would lose."
    last, end = (float(found.forecast["labels"].iloc[row]) for row in (0, -1))
    row = found.at(min(2 * last, end))
    gain = (
        f"by the curve that the forecast fits {about(row['labels'] - last)} more labels lead from "
        f"{share(row['accuracy'] - row['gain'])} to {share(row['accuracy'])}, {signed(row['gain'])} (90 % interval of "
        f"that gain {interval(row['gain_low'], row['gain_high'])[1:-1]})"
    )
    if stop and row["gain_high"] < SMALL_GAIN:
        return f"Stopping now loses little, as far as is known: {of_rules}, and {gain}."
    if stop:
        return f"Go on, unless that is worth too little to you: {of_rules}, but {gain}."
    return f"Go on: {of_rules}; {gain}."


def _of_rules(stop: Sequence[str], known: int) -> str:
    """Return how many of the rules that can judge say stop, and which."""
    judging = "the one rule that can judge" if known == 1 else f"the {known} rules that can judge"
    if not stop:
        return f"{judging} says go on" if known == 1 else f"none of {judging} says stop"
    if known == 1:
        return f"{judging} says stop ({stop[0]})"
    return f"{len(stop)} of {judging} {'says' if len(stop) == 1 else 'say'} stop ({joined(stop)})"
