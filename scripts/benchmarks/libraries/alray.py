"""alray's rounds, as a sweep runs them.

Variant `module` is the common network as a user-supplied module, which alray runs as it is; variant `fusion` is the
built-in network with about as many multiplications for an object, which the engine folds.
"""

import time
from typing import Any

import numpy as np
from torch import Tensor, nn
from typing_extensions import override

from alray.networks.custom_module import CustomModule
from alray.networks.generators import torch_generator
from alray.networks.targets import Known
from alray.networks.tensors import PoolTensors
from alray.pools.pool import Modality, PreparedPool
from alray.settings.common import ModelSpec, TrainingSpec
from alray.settings.run import RunSpec
from alray.settings.sweep import SweepSpec
from alray.studies.sweep.experiment import Experiment
from alray.studies.sweep.state import RunState
from alray.training.checkpoint import learner_tensors
from alray.training.fit import Draws, FitOptions, fit
from alray.training.learner import fresh_learner
from benchmarks.libraries import task
from benchmarks.products import use_faster_products
from benchmarks.workloads import plan_for

PACKAGES = ("alray",)
FUSION_WIDTH = 48
"""Layers 192, 96, 48, 48 and 50 units wide: 76,896 multiplications for an object; the common network has 78,336."""

MODELS = {
    "module": ModelSpec(name=f"{__name__}:common_network"),
    "fusion": ModelSpec(name="late_fusion", dropout=task.DROPOUT, width=FUSION_WIDTH),
}
TRAINING = TrainingSpec(
    lr=task.LEARNING_RATE, weight_decay=0, batch_size=task.BATCH, batch_rule="fixed", loss="sum"
)
STRATEGIES = {"margin": "margin", "bald": f"bald:members={task.MEMBERS}"}


class CommonNetwork(nn.Module):
    """The common network behind alray's interface for modules."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = task.make_network(0)

    @override
    def forward(self, features: dict[str, Tensor], present: dict[str, Tensor]) -> Tensor:
        del present  # every object has its one modality
        logits: Tensor = self.layers(features["features"])
        return logits


def common_network(shapes: dict[str, tuple[int, ...]], classes: int) -> nn.Module:
    if shapes != {"features": (task.FEATURES,)} or classes != task.CLASSES:
        raise ValueError(f"the common network does not fit {shapes}, {classes} classes")
    return CommonNetwork()


class Rounds:
    def __init__(self, objects: task.Objects, strategy: str, seed: int, variant: str) -> None:
        prepared = _prepare(objects)
        pool, run = PoolTensors(prepared), _run(prepared, strategy, seed, variant)
        learner = fresh_learner(run.model, run.training, pool, lambda _: seed)
        use_faster_products(learner.network, task.BATCH)
        if isinstance(learner.network, CustomModule):
            module: Any = learner.network.module
            module.layers.load_state_dict(task.make_network(seed).state_dict())
        labelled = task.initial_labels(seed)
        draws = Draws(np.random.default_rng(seed), torch_generator(seed))
        fit(learner, pool, Known(labelled), draws, FitOptions(epochs=task.START_EPOCHS))
        state = RunState(0, labelled, {}, learner_tensors(learner))
        self._experiment = Experiment(run, pool, time.process_time, state)

    def next_round(self) -> tuple[float, dict[str, float]]:
        record = self._experiment.next_round().record
        phases = {"query": "query_s", "fit": "fit_s", "evaluate": "eval_s"}
        return record["accuracy"], {phase: record[name] for phase, name in phases.items()}


def _prepare(objects: task.Objects) -> PreparedPool:
    """Return the pool with the test objects as the part for metrics.

    Of the parts `validation` and `test` a round evaluates both; with `metric_split: validation` just the one.
    """
    rows = np.arange(task.OBJECTS + task.TEST, dtype=np.int32)
    modality = Modality("features", objects.features, rows, (task.FEATURES,))
    train, test = np.split(np.arange(task.OBJECTS + task.TEST), [task.OBJECTS])
    return PreparedPool((modality,), objects.labels, task.CLASSES, train, test, test)


def _run(prepared: PreparedPool, strategy: str, seed: int, variant: str) -> RunSpec:
    study = SweepSpec(
        strategies=(STRATEGIES[strategy],),
        seeds=(seed,),
        initial=task.INITIAL,
        query=task.QUERY,
        rounds=1_000,
        metric_split="validation",
        model=MODELS[variant],
        training=TRAINING,
    )
    return plan_for(prepared, study).runs[0]
