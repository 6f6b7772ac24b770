"""Signals that no pass over the candidates computes: own features, dropped inputs, the last layer, labelled objects."""

from dataclasses import replace

import numpy as np

from alray.networks.network import Network
from alray.networks.targets import Known, classes_of
from alray.networks.tensors import PoolTensors, side_by_side
from alray.scoring import engine
from alray.scoring.input_dropout import dropped_classes
from alray.strategies.signals import LastLayer, Request, Signals


def with_further(
    signals: Signals,
    network: Network,
    pool: PoolTensors,
    labelled: Known,
    needs: Request,
    rng: np.random.Generator,
) -> Signals:
    """Return the signals of candidates with the further ones that are needed.

    Args:
        signals: Those of the pass over the candidates.
        network: The network.
        pool: The pool.
        labelled: The labelled objects.
        needs: What is needed.
        rng: Draws which inputs are dropped.
    """
    signals = _with_pool_features(signals, pool, needs)
    if needs.input_dropout is not None:
        found = dropped_classes(network, pool, signals.candidates, needs.input_dropout, rng)
        signals = replace(signals, dropped_classes=found)
    if needs.last_layer:
        signals = replace(signals, last_layer=_last_layer(network))
    wanted = needs.of_labelled
    if wanted is None:
        return signals
    known = Signals(labelled.objects)
    if wanted.anything:
        known = engine.score(network, pool, labelled.objects, wanted)
    known = _with_pool_features(known, pool, wanted)
    labels = classes_of((labelled.targets or pool.labels)(labelled.objects))
    return replace(signals, labelled=replace(known, labels=labels))


def _last_layer(network: Network) -> LastLayer:
    layer = network.last_layer
    if layer is None:
        raise RuntimeError("a study is refused where the network does not offer its last layer")
    return LastLayer(layer.weight.detach().clone(), layer.bias.detach().clone())


def _with_pool_features(signals: Signals, pool: PoolTensors, needs: Request) -> Signals:
    if not needs.pool_features:
        return signals
    return replace(signals, pool_features=side_by_side(pool.batch(signals.candidates)))
