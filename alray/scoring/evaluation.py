"""Evaluate a network on a part of the pool: one scoring pass, metrics per head."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from alray.networks.network import FUSED, Network
from alray.networks.targets import TargetsOf, mean_target_loss
from alray.networks.tensors import PoolTensors
from alray.pools.pool import Indices
from alray.scoring import engine
from alray.scoring.metrics import LogProbs, Metrics, measure, rows_of
from alray.strategies.base import given
from alray.strategies.signals import Request

UNKNOWN = Metrics(np.nan, np.nan, np.nan, np.nan)
"""Of no objects."""

Predictions = Mapping[str, LogProbs]
"""Per head (n, classes) log-probabilities; NaN where the head's modality is absent, no entry where no object has it."""


def predict(
    network: Network, pool: PoolTensors, parts: Sequence[Indices], heads: Sequence[str]
) -> list[Predictions]:
    """Return for each part of the pool the log-probabilities of these heads, `fused` among them, for its objects.

    All parts are scored in one pass.
    """
    side_heads = tuple(head for head in heads if head != FUSED)
    request = Request(log_probs=True, side_heads=side_heads)
    signals = engine.score_recurring(network, pool, np.concatenate(parts), request)
    fused = {} if signals.log_probs is None else {FUSED: signals.log_probs}
    found = fused | dict(signals.side_log_probs)
    of_parts = {head: _split(log_probs, parts) for head, log_probs in found.items()}
    return [
        {head: values[number] for head, values in of_parts.items()} for number in range(len(parts))
    ]


def _split(log_probs: Tensor, parts: Sequence[Indices]) -> Sequence[LogProbs]:
    sizes = [len(part) for part in parts]
    if log_probs.device.type != "cpu":
        return torch.split(log_probs, sizes)
    return np.split(log_probs.numpy(), np.cumsum(sizes)[:-1])


def metrics_by_head(
    predictions: Predictions, labels: Indices, heads: Sequence[str]
) -> dict[str, Metrics]:
    """Return metrics per head; a side head is evaluated on the objects that have its modality."""
    metrics: dict[str, Metrics] = {}
    for head in heads:
        values = predictions.get(head)
        if values is None:
            metrics[head] = UNKNOWN
            continue
        # NaN of the main head is no absence: `measure` refuses it.
        present = np.ones(len(values), dtype=bool) if head == FUSED else _present(values)
        if not present.any():
            metrics[head] = UNKNOWN
        elif present.all():
            metrics[head] = measure(values, labels)
        else:
            metrics[head] = measure(rows_of(values, present), labels[present])
    return metrics


def _present(values: LogProbs) -> npt.NDArray[np.bool_]:
    """Return (n,) which objects have log-probabilities."""
    first = values[:, 0].cpu().numpy() if isinstance(values, Tensor) else values[:, 0]
    return ~np.isnan(first)


def metrics_row(
    of_heads: Mapping[str, Metrics], of_validation: Metrics, rare: float
) -> dict[str, float]:
    """Return the columns of a round's metrics; `rare` is the recall of the rarest classes."""
    return {
        **asdict(of_heads[FUSED]),
        "rare_recall": rare,
        **{f"validation_{key}": value for key, value in asdict(of_validation).items()},
        **{f"accuracy_{head}": of_heads[head].accuracy for head in of_heads if head != FUSED},
    }


def evaluate(network: Network, pool: PoolTensors, indices: Indices) -> Metrics:
    """Return the fused head's metrics on these objects."""
    (predictions,) = predict(network, pool, [indices], (FUSED,))
    return metrics_by_head(predictions, pool.pool.labels[indices], (FUSED,))[FUSED]


def nll_of(
    network: Network,
    pool: PoolTensors,
    indices: Indices | None,
    targets: TargetsOf | None = None,
) -> Callable[[], float] | None:
    """Return a function that evaluates the loss on these objects, for early stopping; None where there are none.

    It is the NLL of their labels, or the mean loss of their targets where these are given.
    """
    if indices is None:
        return None
    if targets is None:
        return lambda: evaluate(network, pool, indices).nll
    wanted = targets(indices)

    def loss() -> float:
        signals = engine.score_recurring(network, pool, indices, Request(log_probs=True))
        return float(mean_target_loss(given(signals.log_probs), wanted))

    return loss
