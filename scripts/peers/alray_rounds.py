"""alray's own rounds, as a sweep runs them.

Variant `module` brings the common network as a user's own module, which alray runs as it is; variant `fusion` is its
built-in network with about as many multiplications for an object, which its engine folds.
"""

import time
from typing import Any

import numpy as np
import torch
from peers.network import make_network
from peers.task import (
    BATCH,
    CLASSES,
    DROPOUT,
    FEATURES,
    INITIAL,
    LEARNING_RATE,
    MEMBERS,
    OBJECTS,
    QUERY,
    START_EPOCHS,
    TEST,
    World,
    initial_labels,
)
from torch import Tensor, nn

from alray.networks.generators import torch_generator
from alray.networks.models import CustomModule
from alray.networks.tensors import PoolTensors
from alray.pools.pool import Modality, PreparedPool
from alray.settings.common import ModelSpec, SplitSpec, TrainingSpec
from alray.settings.run import RunSpec
from alray.strategies import identity
from alray.studies.sweep.experiment import Experiment
from alray.studies.sweep.state import RunState
from alray.training.checkpoint import learner_tensors
from alray.training.fit import Draws, FitOptions, fit
from alray.training.learner import fresh_learner

PACKAGES = ("alray",)
FUSION_WIDTH = 48
"""Layers 192, 96, 48, 48 and 50 units wide: 76,896 multiplications for an object; the common network has 78,336."""

MODELS = {
    "module": ModelSpec(name="peers.alray_rounds:common_network", dropout=DROPOUT),
    "fusion": ModelSpec(name="late_fusion", dropout=DROPOUT, width=FUSION_WIDTH),
}
TRAINING = TrainingSpec(
    lr=LEARNING_RATE, weight_decay=0, batch_size=BATCH, batch_rule="fixed", loss="sum"
)
STRATEGIES = {"margin": "margin", "bald": f"bald:members={MEMBERS}"}


class CommonNetwork(nn.Module):
    """The common network behind alray's interface for modules."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = make_network(0)

    def forward(self, features: dict[str, Tensor], present: dict[str, Tensor]) -> Tensor:
        del present  # every object has its one modality
        logits: Tensor = self.layers(features["features"])
        return logits


def common_network(shapes: dict[str, tuple[int, ...]], classes: int) -> nn.Module:
    if shapes != {"features": (FEATURES,)} or classes != CLASSES:
        raise ValueError(f"the common network does not fit {shapes}, {classes} classes")
    return CommonNetwork()


class AlrayRounds:
    def __init__(self, world: World, strategy: str, seed: int, variant: str) -> None:
        pool = PoolTensors(_prepare(world))
        run = _run(strategy, seed, MODELS[variant])
        learner = fresh_learner(run.model, run.training, pool, lambda _: seed)
        if isinstance(learner.network, CustomModule):
            module: Any = learner.network.module
            module.layers.load_state_dict(_common_weights(seed, module.layers))
        labelled = initial_labels(seed)
        draws = Draws(np.random.default_rng(seed), torch_generator(seed))
        fit(learner, pool, labelled, draws, FitOptions(epochs=START_EPOCHS))
        state = RunState(0, labelled, {}, learner_tensors(learner))
        self._experiment = Experiment(run, pool, time.process_time, state)

    def play(self) -> tuple[float, dict[str, float]]:
        record = self._experiment.next_round().record
        phases = {"query": "query_s", "fit": "fit_s", "evaluate": "eval_s"}
        return record["accuracy"], {phase: record[name] for phase, name in phases.items()}


def _common_weights(seed: int, layers: nn.Sequential) -> dict[str, Tensor]:
    """Return this seed's weights by the names that they have in `layers`."""
    weights = make_network(seed).state_dict()
    if set(weights) != set(layers.state_dict()):
        raise RuntimeError("alray has changed the network's layers")
    return dict(weights)


def _prepare(world: World) -> PreparedPool:
    """Return the pool with the test objects as the part that alray is told to judge by.

    Of the parts `validation` and `test` alray evaluates both in a round; with `metric_split: validation` just the one.
    """
    rows = np.arange(OBJECTS + TEST, dtype=np.int32)
    modality = Modality("features", world.features, rows, (FEATURES,))
    train, test = np.split(np.arange(OBJECTS + TEST), [OBJECTS])
    return PreparedPool((modality,), world.labels, CLASSES, train, test, test)


def _run(strategy: str, seed: int, model: ModelSpec) -> RunSpec:
    text = STRATEGIES[strategy]
    return RunSpec(
        arm=strategy,
        strategy=text,
        strategy_options=identity(text),
        variant="",
        oracle=False,
        seed=seed,
        study_seed=0,
        pool_fingerprint="",
        pool_dtype="float32",
        split=SplitSpec(),
        model=model,
        training=TRAINING,
        initial=INITIAL,
        query=QUERY,
        rounds=1_000,
        metric_split="validation",
        threads=torch.get_num_threads(),
    )


make = AlrayRounds
