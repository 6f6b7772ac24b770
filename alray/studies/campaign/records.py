"""The rows of a campaign's ledger, with the meaning of each column."""

from collections.abc import Mapping
from typing import Literal

import pyarrow as pa

Purpose = Literal["initial", "strategy", "audit"]
"""Why an object was asked about."""

Outcome = Literal["used", "skipped", "rejected", "unasked", "unknown"]
"""What became of an answer when it was added."""

TIME = pa.timestamp("us", tz="UTC")

OBJECT_COLUMNS: Mapping[str, tuple[pa.DataType, str]] = {
    "id": (pa.string(), "the object's id in the pool"),
    "label": (
        pa.string(),
        "the label that the pool had when the object was first seen, else null",
    ),
    "seen": (TIME, "when it was first seen"),
}
"""Objects of the pool, each once; they may leave the pool later."""

BATCH_COLUMNS: Mapping[str, tuple[pa.DataType, str]] = {
    "batch": (pa.int64(), "number of the batch, from 1"),
    "position": (pa.int64(), "position in the batch, from 0, as assessors get it"),
    "id": (pa.string(), "the object asked about"),
    "purpose": (
        pa.string(),
        "initial (chosen before the strategy could), strategy, or audit (drawn at random, never learnt from)",
    ),
    "strategy": (
        pa.string(),
        "what chose it: the strategy with all options, or the way of `initial`",
    ),
    "score": (pa.float64(), "what the strategy chose it by, null where by chance"),
    "group": (
        pa.string(),
        "its value of `group_by`, null where it is alone or there are no groups",
    ),
    "again": (pa.bool_(), "whether an earlier batch had it too"),
    "asked": (TIME, "when the batch was made"),
}

ANSWER_COLUMNS: Mapping[str, tuple[pa.DataType, str]] = {
    "task": (pa.string(), "the object's id"),
    "worker": (pa.string(), "the assessor, empty where the file does not say"),
    "label": (pa.string(), "the class answered, null where none is"),
    "status": (pa.string(), "answered, skipped or rejected, as the file has it"),
    "seconds": (pa.float64(), "time that the answer took"),
    "cost": (pa.float64(), "price of the answer, null where the file does not say"),
    "time": (TIME, "when the answer was given, null where the file does not say"),
    "answer_id": (pa.string(), "the labelling tool's own key of the answer, if any"),
    "outcome": (
        pa.string(),
        "used, skipped, rejected, unasked (about an object of the pool that no batch had) or unknown (no such object)",
    ),
    "batch": (pa.int64(), "the batch that asked first, null where none did"),
    "source": (pa.string(), "the file, or the project of a server, that it came from"),
    "added": (TIME, "when it was added"),
}

ROUND_COLUMNS: Mapping[str, tuple[pa.DataType, str]] = {
    "round": (pa.int64(), "number of the batch before whose choice the network was fitted"),
    "labels": (pa.int64(), "labels that it learnt from"),
    "classes": (pa.int64(), "classes known then"),
    "train_loss": (pa.float64(), "mean training loss of the last epoch, null without a fit"),
    "epochs": (pa.int64(), "epochs of the fit, null without one"),
    "scored": (pa.int64(), "objects that were scored"),
    "stop_objects": (pa.int64(), "objects of the audit part whose predictions are compared"),
    "stop_kappa": (pa.float64(), "Cohen's kappa of their predictions and those of the fit before"),
    "stop_agreement": (pa.float64(), "share of them with the same prediction as before"),
    "stop_entropy": (pa.float64(), "mean entropy of their predictions, divided by its maximum"),
    "stop_max_entropy": (pa.float64(), "the largest of these entropies"),
    "stop_confidence": (pa.float64(), "mean probability of the predicted class"),
    "stop_median_confidence": (pa.float64(), "its median"),
    "stop_max_confidence": (pa.float64(), "its maximum"),
    "choose_s": (pa.float64(), "seconds of fit and choice"),
}

PREDICTION_COLUMNS: Mapping[str, tuple[pa.DataType, str]] = {
    "id": (pa.string(), "an object of the audit part"),
    "predicted": (pa.string(), "the class that the network predicts"),
    "probability": (pa.float64(), "its probability"),
}
