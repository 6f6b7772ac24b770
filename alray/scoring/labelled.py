"""The signals of labelled objects, which some strategies compare candidates with."""

from dataclasses import replace

from alray.networks.network import Network
from alray.networks.tensors import PoolTensors
from alray.pools.pool import Indices
from alray.scoring import engine
from alray.strategies.signals import Request, Signals


def with_labelled(
    signals: Signals, network: Network, pool: PoolTensors, labelled: Indices, needs: Request
) -> Signals:
    """Return the signals of candidates with those of the labelled objects, where they are needed."""
    if not needs.labelled:
        return signals
    wanted = Request(log_probs=needs.log_probs, features=needs.features)
    found = engine.score(network, pool, labelled, wanted)
    return replace(signals, labelled=replace(found, labels=pool.labels(labelled)))
