"""scikit-activeml with a skorch network: `SkorchClassifier`, `UncertaintySampling`, `GreedyBALD`.

Variant `documented` lets skorch read objects one by one, its default; variant `batched` gives it a data set that is
read a batch at a time. `GreedyBALD` asks its classifier for the committee's predictions; that method is ours.
"""

import numpy as np
import sklearn
import torch
from skactiveml.classifier import SkorchClassifier
from skactiveml.pool import GreedyBALD, UncertaintySampling
from skorch.dataset import Dataset as SkorchDataset
from torch import nn

from benchmarks.libraries import task
from benchmarks.libraries.worker import run_phases

PACKAGES = ("scikit-activeml", "skorch", "scikit-learn")
PREDICT = 1024


class DropoutClassifier(SkorchClassifier):  # type: ignore[misc]  # its base class is not typed
    """A classifier that can be asked for the predictions of dropout masks."""

    @torch.no_grad()
    def sample_proba(self, X: task.Features, n_samples: int) -> task.Features:
        """Return (n_samples, n, classes) probabilities."""
        net = self.neural_net_
        found = np.empty((n_samples, len(X), task.CLASSES), dtype=np.float32)
        net.module_.train()
        start = 0
        for x, _ in net.get_iterator(net.get_dataset(X), training=False):
            for member in range(n_samples):
                found[member, start : start + len(x)] = torch.softmax(
                    net.module_(x), dim=1
                ).numpy()
            start += len(x)
        return found


class BatchedArrays(task.BatchedData):
    """Objects that skorch makes from arrays, without labels when it predicts."""

    def __init__(self, X: task.Features, y: np.ndarray | None = None) -> None:
        labels = torch.zeros(len(X)) if y is None else torch.from_numpy(y)
        super().__init__(torch.from_numpy(X), labels)


class Rounds:
    def __init__(self, objects: task.Objects, strategy: str, seed: int, variant: str) -> None:
        # Its arrays are known to be finite, and its settings to be right: no need to check in every round.
        sklearn.set_config(assume_finite=True, skip_parameter_validation=True)
        self._features, self._labels = objects.pool
        self._test, self._test_labels = objects.test
        self._known = np.full(len(self._labels), np.nan)
        initial = task.initial_labels(seed)
        self._known[initial] = self._labels[initial]
        self._classifier = DropoutClassifier(
            module=task.make_network(seed),
            criterion=nn.CrossEntropyLoss,
            neural_net_param_dict=_skorch(batched=variant == "batched"),
            classes=list(range(task.CLASSES)),
            random_state=seed,
        )
        self._strategy, self._model = _strategy(strategy, seed)
        task.seed_globally(seed)
        for _ in range(task.START_EPOCHS):
            self._fit()

    def next_round(self) -> tuple[float, dict[str, float]]:
        return run_phases(self._query, self._fit, self._evaluate)

    def _query(self) -> None:
        fitted = {self._model: self._classifier, f"fit_{self._model}": False}
        chosen = self._strategy.query(self._features, self._known, batch_size=task.QUERY, **fitted)
        self._known[chosen] = self._labels[chosen]

    def _fit(self) -> None:
        labelled = np.flatnonzero(~np.isnan(self._known))
        self._classifier.partial_fit(self._features[labelled], self._known[labelled])

    def _evaluate(self) -> float:
        return task.accuracy(self._classifier.predict(self._test), self._test_labels)


def _strategy(name: str, seed: int) -> tuple[UncertaintySampling | GreedyBALD, str]:
    """Return the strategy, and its name for the model."""
    if name == "margin":
        return UncertaintySampling(method="margin_sampling", random_state=seed), "clf"
    bald = GreedyBALD(
        sample_predictions_method_name="sample_proba",
        sample_predictions_dict={"n_samples": task.MEMBERS},
        random_state=seed,
    )
    return bald, "ensemble"


def _skorch(*, batched: bool) -> dict[str, object]:
    settings: dict[str, object] = {
        "optimizer": torch.optim.Adam,
        "optimizer__fused": True,
        "lr": task.LEARNING_RATE,
        "max_epochs": 1,
        "batch_size": task.BATCH,
        "iterator_train__shuffle": True,
        "iterator_valid__batch_size": PREDICT,
        "train_split": None,
        "callbacks": "disable",
        "verbose": 0,
        "device": "cpu",
        "dataset": BatchedArrays if batched else SkorchDataset,
    }
    if batched:
        settings |= {
            "iterator_train__collate_fn": task.as_it_is,
            "iterator_valid__collate_fn": task.as_it_is,
        }
    return settings
