"""small-text: its active learner, data set and query strategies, around a custom classifier.

Its networks read tokens and its scikit-learn path neither goes on from present weights nor samples dropout, so that
none of its classifiers takes this pool. Fitting and predicting are the plain loop's; the library's parts that are
measured are its learner and its strategies, which score the labelled objects too.
"""

import numpy as np
import numpy.typing as npt
import torch
from small_text import BALD, BreakingTies, PoolBasedActiveLearner, SklearnDataset
from small_text.classifiers import Classifier

from benchmarks.libraries import task
from benchmarks.libraries.worker import run_phases

PACKAGES = ("small-text",)
BLOCK = 1024

Probabilities = npt.NDArray[np.float32]


class PlainClassifier(Classifier):  # type: ignore[misc]  # its base class is not typed
    """The plain loop behind small-text's interface for classifiers; each `fit` goes on for an epoch."""

    def __init__(self, seed: int) -> None:
        self._network = task.make_network(seed)
        self._adam = task.make_adam(self._network.parameters())

    def fit(self, train_set: SklearnDataset, weights: None = None) -> "PlainClassifier":
        del weights
        features, labels = torch.from_numpy(train_set.x), torch.from_numpy(train_set.y)
        order = torch.randperm(len(labels))
        task.train_epoch(self._network, self._adam, features, labels, order)
        return self

    def predict(
        self,
        data_set: SklearnDataset,
        return_proba: bool = False,  # noqa: FBT001, FBT002 -- its interface
    ) -> npt.NDArray[np.int64] | tuple[npt.NDArray[np.int64], Probabilities]:
        probabilities = self.predict_proba(data_set)
        predicted = probabilities.argmax(axis=1)
        return (predicted, probabilities) if return_proba else predicted

    @torch.inference_mode()
    def predict_proba(self, data_set: SklearnDataset, dropout_sampling: int = 1) -> Probabilities:
        """Return (n, classes), or (n, dropout_sampling, classes) with dropout."""
        self._network.train(dropout_sampling > 1)
        features = torch.from_numpy(data_set.x)
        found = torch.empty(len(features), dropout_sampling, task.CLASSES)
        for x, rows in zip(task.blocks(features, BLOCK), task.blocks(found, BLOCK), strict=True):
            for member in range(dropout_sampling):
                rows[:, member] = torch.softmax(self._network(x), dim=1)
        return (found if dropout_sampling > 1 else found.squeeze(1)).numpy()


class PlainFactory:
    """Makes the one classifier that `reuse_model` keeps."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def new(self) -> PlainClassifier:
        return PlainClassifier(self._seed)


class Rounds:
    def __init__(self, objects: task.Objects, strategy: str, seed: int, variant: str) -> None:
        del variant
        classes = np.arange(task.CLASSES)
        features, self._labels = objects.pool
        self._test = SklearnDataset(*objects.test, target_labels=classes)
        self._learner = PoolBasedActiveLearner(
            PlainFactory(seed),
            BALD(dropout_samples=task.MEMBERS) if strategy == "bald" else BreakingTies(),
            SklearnDataset(features, self._labels, target_labels=classes),
            reuse_model=True,
        )
        self._chosen = task.initial_labels(seed)
        task.seed_globally(seed)
        for _ in range(task.START_EPOCHS):
            self._learner.initialize_data(self._chosen, self._labels[self._chosen])

    def next_round(self) -> tuple[float, dict[str, float]]:
        return run_phases(self._query, self._fit, self._evaluate)

    def _query(self) -> None:
        self._chosen = self._learner.query(num_samples=task.QUERY)

    def _fit(self) -> None:
        self._learner.update(self._labels[self._chosen])

    def _evaluate(self) -> float:
        return task.accuracy(self._learner.classifier.predict(self._test), self._test.y)
