"""Signals that no pass over the candidates computes: the pool's own features, and all that of labelled objects."""

from dataclasses import replace

from alray.networks.network import Network
from alray.networks.tensors import PoolTensors, side_by_side
from alray.pools.pool import Indices
from alray.scoring import engine
from alray.strategies.signals import Request, Signals


def with_further(
    signals: Signals, network: Network, pool: PoolTensors, labelled: Indices, needs: Request
) -> Signals:
    """Return the signals of candidates with the further ones that are needed."""
    signals = _with_pool_features(signals, pool, needs)
    if not needs.labelled:
        return signals
    wanted = Request(log_probs=needs.log_probs, features=needs.features)
    found = Signals(labelled)
    if wanted.anything:
        found = engine.score(network, pool, labelled, wanted)
    found = _with_pool_features(found, pool, needs)
    return replace(signals, labelled=replace(found, labels=pool.labels(labelled)))


def _with_pool_features(signals: Signals, pool: PoolTensors, needs: Request) -> Signals:
    if not needs.pool_features:
        return signals
    return replace(signals, pool_features=side_by_side(pool.batch(signals.candidates)))
