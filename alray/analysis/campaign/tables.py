"""The tables of a campaign's status, `findings/<name>.csv` beside its page: their columns, and what these mean."""

from collections.abc import Mapping

from alray.analysis.campaign.outlook import FORECAST_COLUMNS, TARGET_COLUMNS
from alray.analysis.campaign.stopping import RULE_COLUMNS

BATCH_COLUMNS: Mapping[str, str] = {
    "batch": "number of the batch",
    "asked": "objects in it",
    "audit": "of them, objects of the audit part",
    "answered": "of them, objects with an answer, a skipped one too",
    "waiting": "of them, objects that have fewer answers than wanted",
    "labels": "labels that the network by which the batch was chosen has learnt from",
    "accuracy": "its accuracy on the audit part, by all answers known now; null below 10 objects",
    "accuracy_low": "lower end of its 95 % interval",
    "accuracy_high": "upper end",
    "audit_objects": "objects of the audit part that it is measured on",
    "stop_kappa": "Cohen's kappa of its predictions and those of the network before",
}

LABEL_COLUMNS: Mapping[str, str] = {
    "source": "where labels are from: start, initial, strategy, audit, or unasked",
    "labels": "objects with a label from there",
    "waiting": "objects that have fewer answers than wanted",
    "answers": "answers that name a class and count",
    "cost": "what the answers cost",
}

CLASS_COLUMNS: Mapping[str, str] = {
    "class": "the class",
    "labels": "objects whose label it is, by the likeliest class where assessors differ; those of the start too",
}

ASSESSOR_COLUMNS: Mapping[str, str] = {
    "worker": "the assessor, empty where the file does not say",
    "answers": "answers that name a class and count",
    "skipped": "answers that name none",
    "rejected": "answers that were rejected",
    "seconds": "median time of an answer, null where no file says",
    "skill": "estimated share of right answers, null where too few answers are shared with others",
}

TABLES: Mapping[str, Mapping[str, str]] = {
    "batches": BATCH_COLUMNS,
    "labels": LABEL_COLUMNS,
    "classes": CLASS_COLUMNS,
    "assessors": ASSESSOR_COLUMNS,
    "stopping": RULE_COLUMNS,
    "forecast": FORECAST_COLUMNS,
    "targets": TARGET_COLUMNS,
}
"""Name of each table: its columns."""
