"""What a replay of stopping rules says, and what it does not know, in sentences."""

import math
from collections.abc import Mapping

import pandas as pd

from alray.analysis.sweep.metrics import metric_title
from alray.analysis.sweep.stopping_rules.replay import Replay
from alray.analysis.wording import count, joined, percentage, share


def stopping_said(found: Replay) -> list[str]:
    """Return what each rule did over all arms, and what could not be replayed."""
    by_rule = [(str(rule), rows) for rule, rows in found.stops.groupby("rule", sort=False)]
    per_rule = [_rule_said(rule, rows) for rule, rows in by_rule if rows["stopped"].any()]
    idle = [rule for rule, rows in by_rule if not rows["stopped"].any()]
    if idle:
        per_rule.append(f"{joined(idle)} never {'stops' if len(idle) == 1 else 'stop'}")
    said = [f"Over all arms and seeds: {'; '.join(per_rule)}."] if per_rule else []
    return [*said, *missing(found)]


def missing(found: Replay) -> list[str]:
    """Return what could not be replayed, and why, and what the rules were given."""
    sentences = []
    if found.lacking:
        columns = dict.fromkeys(name for needs in found.lacking.values() for name in needs)
        sentences.append(
            f"Not replayed: {joined([*found.lacking])}. They need {joined([*columns])}, which the rounds of this study "
            "lack: an older alray made them. The same sweep by this version under another name, or with --fresh, "
            "records them."
        )
    for number, rules in _by_number(found.partly).items():
        sentences.append(
            f"{joined(rules)}: {count(number, 'run')} left out, since an older alray made some of their rounds and did "
            "not record what is needed."
        )
    return [*sentences, *found.notes]


def explained(found: Replay) -> str:
    """Return what the numbers of the table mean, in a paragraph."""
    metric = "metric" if found.table.empty else metric_title(str(found.table["metric"].iloc[0]))
    return (
        f"lost: {metric} at the arm's best budget, the labels at which its mean curve is best, less that where the "
        "rule stops. spared: share of the labels at the end that are not bought. Means over seeds, with 95 % t "
        "intervals; a seed that the rule never stops counts with its end."
    )


def _rule_said(rule: str, rows: pd.DataFrame) -> str:
    stopped, runs = int(rows["stopped"].sum()), len(rows)
    spared, _ = percentage(float(rows["spared"].mean()), math.nan, math.nan)
    lost = share(float(rows["lost"].mean()))
    return f"{rule} stops {stopped} of {count(runs, 'run')}, spares {spared} of the labels and loses {lost}"


def _by_number(partly: Mapping[str, int]) -> dict[int, list[str]]:
    found: dict[int, list[str]] = {}
    for rule, number in partly.items():
        found.setdefault(number, []).append(rule)
    return found
