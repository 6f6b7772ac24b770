"""baal: its data set, model wrapper, active-learning loop and heuristics.

Variant `documented` is used as its documentation shows. Variant `batched` hands its loop a pool that is read a batch at
a time. Both predict in large batches and let `MCCachingModule` keep the result of the layers before
dropout, so that ten passes compute it once; dropout is on for the committee alone.
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
from torch import nn
from torch.utils.data import Subset, TensorDataset, default_collate

from benchmarks.libraries import task
from benchmarks.libraries.worker import run_phases

PACKAGES = ("baal",)
PREDICT = 1024

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


class SharedData(TensorDataset):
    """Tensors that are never changed: baal copies its data set in every step, and need not."""

    def __deepcopy__(self, _memo: dict[int, object]) -> "SharedData":
        return self


class Rounds:
    def __init__(self, objects: task.Objects, strategy: str, seed: int, variant: str) -> None:
        self._batched = variant == "batched"
        kind = task.BatchedData if self._batched else SharedData
        self._objects = kind(*(torch.from_numpy(part) for part in objects.pool))
        self._test = kind(*(torch.from_numpy(part) for part in objects.test))
        labelled = np.zeros(len(self._objects), dtype=int)
        labelled[task.initial_labels(seed)] = 1
        self._data = ActiveLearningDataset(self._objects, labelled=labelled)
        network = task.make_network(seed)
        self._wrapper = ModelWrapper(network, self._arguments(network, task.BATCH, epoch=1))
        self._evaluator = ModelWrapper(network, self._arguments(None, len(self._test)))
        self._evaluator.add_metric("accuracy", Accuracy)
        members = task.MEMBERS if strategy == "bald" else 1
        scorer = ModelWrapper(
            _committee(network) if strategy == "bald" else network, self._arguments(None, PREDICT)
        )
        self._loop = ActiveLearningLoop(
            self._data,
            scorer.predict_on_dataset_generator,
            heuristic=BALD() if strategy == "bald" else Margin(),
            query_size=task.QUERY,
            iterations=members,
            verbose=False,
        )
        task.seed_globally(seed)
        for _ in range(task.START_EPOCHS):
            self._fit()

    def _arguments(self, network: nn.Module | None, batch: int, epoch: int = 0) -> TrainingArgs:
        return TrainingArgs(
            optimizer=None if network is None else task.make_adam(network.parameters()),
            criterion=nn.CrossEntropyLoss(),
            batch_size=batch,
            epoch=epoch,
            use_cuda=False,
            workers=0,
            collate_fn=task.as_it_is if self._batched else default_collate,
            replicate_in_memory=False,
        )

    def next_round(self) -> tuple[float, dict[str, float]]:
        return run_phases(self._query, self._fit, self._evaluate)

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
        self._evaluator.test_on_dataset(self._test)
        return float(self._evaluator.get_metrics("test")["test_accuracy"])


def _committee(network: nn.Sequential) -> nn.Module:
    """Return a module with the same layers, their dropout always on and the others' last results kept."""
    committee: nn.Module = MCCachingModule(MCDropoutModule(nn.Sequential(*network)))
    return committee
