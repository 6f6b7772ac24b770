"""How good a network is on a part of the pool: one scoring pass, metrics per head."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from alray import inference
from alray.metrics import Metrics, measure
from alray.models import FUSED, Network
from alray.passes import Request
from alray.pool import Indices
from alray.tensors import PoolTensors


def evaluate(
    network: Network, pool: PoolTensors, indices: Indices, heads: Sequence[str] = (FUSED,)
) -> dict[str, Metrics]:
    """Return metrics per head; a side head is judged on the objects that have its modality."""
    scored = inference.score(network, pool, indices, Request(heads=tuple(heads)))
    labels = pool.pool.labels[indices]
    metrics: dict[str, Metrics] = {}
    for head in heads:
        log_probs = scored.log_probs.get(head)
        if log_probs is None:
            metrics[head] = Metrics(np.nan, np.nan, np.nan, np.nan)
            continue
        values: npt.NDArray[np.float32] = log_probs.cpu().numpy()
        present = np.ones(len(indices), dtype=bool)
        if head != FUSED:
            present = ~np.isnan(values[:, 0])
        metrics[head] = measure(values[present], labels[present])
    return metrics
