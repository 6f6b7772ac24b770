"""baal: its data set, model wrapper, active-learning loop and heuristics.

Variant `documented` is used as its documentation shows. Variant `batched` hands its loop a pool that is read a batch at
a time. Both predict in large batches and let `MCCachingModule` keep what lies before the dropout layer, so that ten
passes compute it once; dropout is on for the committee alone.
"""

import logging

import numpy as np
import structlog
import torch
from baal.active import ActiveLearningDataset, ActiveLearningLoop
from baal.active.heuristics import BALD, Margin
from baal.bayesian.caching_utils import MCCachingModule
from baal.bayesian.dropout import MCDropoutModule
from baal.modelwrapper import ModelWrapper, TrainingArgs
from baal.utils.metrics import Accuracy
from peers.network import BatchedData, as_it_is, make_adam, make_network, seed_globally
from peers.play import phased
from peers.task import BATCH, MEMBERS, QUERY, START_EPOCHS, World, initial_labels
from torch import nn
from torch.utils.data import Subset, TensorDataset, default_collate

PACKAGES = ("baal",)
PREDICT = 1024

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


class SharedData(TensorDataset):
    """Tensors that are never changed: baal copies its data set in every step, and need not."""

    def __deepcopy__(self, _memo: dict[int, object]) -> "SharedData":
        return self


class BaalRounds:
    def __init__(self, world: World, strategy: str, seed: int, variant: str) -> None:
        self._batched = variant == "batched"
        kind = BatchedData if self._batched else SharedData
        self._objects = kind(*(torch.from_numpy(part) for part in world.pool))
        self._test = kind(*(torch.from_numpy(part) for part in world.test))
        labelled = np.zeros(len(self._objects), dtype=int)
        labelled[initial_labels(seed)] = 1
        self._data = ActiveLearningDataset(self._objects, labelled=labelled)
        network = make_network(seed)
        self._wrapper = ModelWrapper(network, self._arguments(network, BATCH, epoch=1))
        self._judge = ModelWrapper(network, self._arguments(None, len(self._test)))
        self._judge.add_metric("accuracy", Accuracy)
        members = MEMBERS if strategy == "bald" else 1
        scorer = ModelWrapper(
            _committee(network) if strategy == "bald" else network, self._arguments(None, PREDICT)
        )
        self._loop = ActiveLearningLoop(
            self._data,
            scorer.predict_on_dataset_generator,
            heuristic=BALD() if strategy == "bald" else Margin(),
            query_size=QUERY,
            iterations=members,
            verbose=False,
        )
        seed_globally(seed)
        for _ in range(START_EPOCHS):
            self._fit()

    def _arguments(self, network: nn.Module | None, batch: int, epoch: int = 0) -> TrainingArgs:
        return TrainingArgs(
            optimizer=None if network is None else make_adam(network.parameters()),
            criterion=nn.CrossEntropyLoss(),
            batch_size=batch,
            epoch=epoch,
            use_cuda=False,
            workers=0,
            collate_fn=as_it_is if self._batched else default_collate,
            replicate_in_memory=False,
        )

    def play(self) -> tuple[float, dict[str, float]]:
        return phased(self._query, self._fit, self._evaluate)

    def _query(self) -> None:
        pool = None
        if self._batched:
            pool = Subset(self._objects, np.flatnonzero(~self._data.labelled).tolist())
        self._loop.step(pool)

    def _fit(self) -> None:
        data = self._data
        if self._batched:
            data = Subset(self._objects, np.flatnonzero(data.labelled).tolist())
        self._wrapper.train_on_dataset(data)

    def _evaluate(self) -> float:
        self._judge.test_on_dataset(self._test)
        return float(self._judge.get_metrics("test")["test_accuracy"])


def _committee(network: nn.Sequential) -> nn.Module:
    """Return a module with the same layers, their dropout always on and the others' last results kept."""
    return MCCachingModule(MCDropoutModule(nn.Sequential(*network)))


make = BaalRounds
