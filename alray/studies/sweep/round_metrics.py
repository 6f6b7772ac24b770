"""The metrics of a round: what a network says of the parts that nothing is learnt from."""

import numpy as np

from alray.networks.network import FUSED, Network
from alray.networks.tensors import PoolTensors
from alray.pools.pool import PreparedPool
from alray.scoring.evaluation import UNKNOWN, metrics_by_head, metrics_row, predict
from alray.scoring.metrics import LogProbs, mean_recall, predicted_classes, rarest_classes, rows_of
from alray.studies.rounds.stop_set import NOT_PREDICTED, StopSet
from alray.studies.sweep.records import Record


def round_metrics(
    network: Network, pool: PoolTensors, metric_split: str, stop_set: StopSet
) -> Record:
    """Return the metrics of a network on the test part and the validation part, or on the latter as both.

    What it predicts for the stop set is among them.
    """
    prepared, heads = pool.pool, network.head_names
    on_validation = metric_split == "validation"
    part = prepared.validation if on_validation else prepared.test
    labels = prepared.labels[part]
    parts = [part] if on_validation else [part, prepared.validation]
    predictions, *more = predict(network, pool, parts, heads)
    metrics = metrics_by_head(predictions, labels, heads)
    validation = metrics[FUSED]
    for others in more:
        of_validation = metrics_by_head(others, prepared.labels[prepared.validation], (FUSED,))
        validation = of_validation[FUSED]
    rare_recall = _rare_recall(prepared, predictions[FUSED], part)
    stops = stop_set.of([each[FUSED] for each in (predictions, *more)])
    return metrics_row(metrics, validation, rare_recall) | stops


def no_metrics(network: Network) -> Record:
    """Return NaN for each metric, as the row of a round without evaluation has them."""
    unknown = dict.fromkeys(network.head_names, UNKNOWN)
    return metrics_row(unknown, UNKNOWN, np.nan) | NOT_PREDICTED


def _rare_recall(pool: PreparedPool, log_probs: LogProbs, part: np.ndarray) -> float:
    """Return the mean recall, among a part's objects, of the train part's rarest classes."""
    is_rare = np.zeros(pool.class_count, dtype=bool)
    is_rare[rarest_classes(pool.labels[pool.train])] = True
    labels = pool.labels[part]
    rare = is_rare[labels]
    return mean_recall(predicted_classes(rows_of(log_probs, rare)), labels[rare])
