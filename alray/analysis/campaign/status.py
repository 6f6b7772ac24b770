"""The status of a campaign as numbers, tables and sentences."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from alray.analysis.campaign.outlook import Outlook
from alray.analysis.campaign.saved import saved_said
from alray.analysis.wording import count, interval, share
from alray.statistics.proportion import FEWEST


@dataclass(frozen=True, eq=False)
class CampaignStatus:
    """What a campaign has reached.

    Attributes:
        name: The campaign's.
        numbers: Numbers by name, see `NUMBERS`; NaN or None where unknown.
        batches: A row per batch, with `tables.BATCH_COLUMNS`. Its network is measured on all answers about the audit
            part that are known now.
        labels: A row per source, with `tables.LABEL_COLUMNS`.
        classes: A row per class, with `tables.CLASS_COLUMNS`.
        assessors: A row per assessor, with `tables.ASSESSOR_COLUMNS`.
        rounds: As the rounds of a sweep, for what reads these.
        rules: What each stopping rule says, with `stopping.RULE_COLUMNS`.
        outlook: The forecast.
        advice: Stop or go on, in a sentence.
        sentences: What the numbers say.
        next_command: What to type next.
    """

    name: str
    numbers: dict[str, Any]
    batches: pd.DataFrame
    labels: pd.DataFrame
    classes: pd.DataFrame
    assessors: pd.DataFrame
    rounds: pd.DataFrame
    rules: pd.DataFrame
    outlook: Outlook
    advice: str
    sentences: list[str]
    next_command: str


NUMBERS = {
    "objects": "objects that were ever in the pool",
    "asked": "objects asked about",
    "labels": "objects with a label: those of the start among them",
    "waiting": "objects that were asked about and have fewer answers than wanted",
    "answers": "answers that name a class, the latest of each assessor about an object",
    "skipped": "answers of assessors who could not tell",
    "rejected": "answers that were rejected",
    "kept_aside": "answers about objects that no batch had when they were added, and that are not used",
    "cost": "what the answers cost",
    "learnt": "labels that the last network has learnt from",
    "accuracy": "share of the pool's objects without a label at the start that it gets right, by the audit part",
    "accuracy_low": "lower end of its 95 % interval",
    "accuracy_high": "upper end",
    "audit_objects": "objects of the audit part that it is measured on",
    "alpha": "Krippendorff's alpha of the assessors",
}
"""Number of a status: what it is."""


def sentences_of(
    numbers: dict[str, Any],
    settings: dict[str, Any],
    ahead: Sequence[str],
    origin: Mapping[str, Any],
) -> list[str]:
    """Return what the numbers say.

    Args:
        numbers: Those of `NUMBERS`.
        settings: The campaign's settings, as plain values.
        ahead: Advice and forecast, in sentences.
        origin: The manifest's entry of the study that gave the settings, empty where none did.
    """
    saved = saved_said(
        origin,
        str(settings["strategy"]),
        int(numbers["learnt"]),
        (float(numbers["accuracy_low"]), float(numbers["accuracy_high"])),
    )
    found = str(origin.get("found", ""))
    return [
        _about_accuracy(numbers, settings),
        *ahead,
        *([saved] if saved else []),
        *_about_labels(numbers, settings),
        *_about_assessors(numbers),
        *([f"The study that the settings are from found: {found}"] if found else []),
    ]


def _about_accuracy(numbers: dict[str, Any], settings: dict[str, Any]) -> str:
    if not settings["audit"]:
        return (
            "Nothing says how accurate the network is: the campaign has no audit part (audit = 0)."
        )
    if not numbers["learnt"]:
        return "No network has been fitted yet: the next batch fits one once labels of two classes are known."
    learnt, n = count(numbers["learnt"], "label"), int(numbers["audit_objects"])
    if n < FEWEST:
        return (
            f"The last network has learnt from {learnt}. How accurate it is is not known yet: {count(n, 'object')} of "
            f"the audit part {'has' if n == 1 else 'have'} an answer, and {FEWEST} are needed."
        )
    ends = interval(numbers["accuracy_low"], numbers["accuracy_high"], share)
    return (
        f"The last network has learnt from {learnt}, and predicts what assessors answer for "
        f"{share(numbers['accuracy'])} of the objects that had no label at the start (95 % interval {ends[1:-1]}, "
        f"measured on {count(n, 'object')} of the audit part, which it has not learnt from)."
    )


def _about_labels(numbers: dict[str, Any], settings: dict[str, Any]) -> list[str]:
    found = [
        f"{count(numbers['labels'], 'object')} of {numbers['objects']:,} "
        f"{'has' if numbers['labels'] == 1 else 'have'} a label; {count(numbers['waiting'], 'object')} "
        f"{'waits' if numbers['waiting'] == 1 else 'wait'} for answers."
    ]
    if numbers["cost"]:
        currency = f" {settings['currency']}" if settings["currency"] else ""
        answers = count(numbers["answers"], "answer")
        found.append(f"{answers} cost {numbers['cost']:,.2f}{currency}.")
    if numbers["kept_aside"]:
        one = numbers["kept_aside"] == 1
        found.append(
            f"{count(numbers['kept_aside'], 'answer')} about objects that no batch had when "
            f"{'it was added is' if one else 'they were added are'} kept aside, and not used."
        )
    return found


def _about_assessors(numbers: dict[str, Any]) -> list[str]:
    alpha = numbers["alpha"]
    if alpha is None or math.isnan(alpha):
        return []
    return [
        f"Where several assessors answered about an object, they agree by Krippendorff's alpha of {share(alpha, 2)} "
        "(1: always; 0: as by chance)."
    ]
