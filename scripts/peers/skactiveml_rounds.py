"""scikit-activeml with a skorch network: `SkorchClassifier`, `UncertaintySampling`, `GreedyBALD`.

Variant `documented` lets skorch read objects one by one, as it does by itself; variant `batched` gives it a data set
that is read a batch at a time. `GreedyBALD` asks its classifier for the committee's predictions; that method is ours.
"""

import numpy as np
import sklearn
import torch
from peers.network import (
    BatchedData,
    as_it_is,
    make_network,
    seed_globally,
    share_right,
    softmax_of,
)
from peers.play import phased
from peers.task import (
    BATCH,
    CLASSES,
    LEARNING_RATE,
    MEMBERS,
    QUERY,
    START_EPOCHS,
    Features,
    World,
    initial_labels,
)
from skactiveml.classifier import SkorchClassifier
from skactiveml.pool import GreedyBALD, UncertaintySampling
from skorch.dataset import Dataset as SkorchDataset
from torch import nn

PACKAGES = ("scikit-activeml", "skorch", "scikit-learn")
PREDICT = 1024


class DropoutClassifier(SkorchClassifier):
    """A classifier that can be asked for the predictions of dropout masks."""

    @torch.no_grad()
    def sample_proba(self, X: Features, n_samples: int) -> Features:
        """Return (n_samples, n, classes) probabilities."""
        net = self.neural_net_
        found = np.empty((n_samples, len(X), CLASSES), dtype=np.float32)
        net.module_.train()
        start = 0
        for x, _ in net.get_iterator(net.get_dataset(X), training=False):
            for member in range(n_samples):
                found[member, start : start + len(x)] = softmax_of(net.module_(x)).numpy()
            start += len(x)
        return found


class BatchedArrays(BatchedData):
    """The same for skorch, which gives arrays, and no labels when it predicts."""

    def __init__(self, X: Features, y: np.ndarray | None = None) -> None:
        labels = torch.zeros(len(X)) if y is None else torch.from_numpy(y)
        super().__init__(torch.from_numpy(X), labels)


class SkactivemlRounds:
    def __init__(self, world: World, strategy: str, seed: int, variant: str) -> None:
        # Its arrays are known to be finite, and its settings to be right: no need to look in every round.
        sklearn.set_config(assume_finite=True, skip_parameter_validation=True)
        self._features, self._labels = world.pool
        self._test, self._test_labels = world.test
        self._known = np.full(len(self._labels), np.nan)
        initial = initial_labels(seed)
        self._known[initial] = self._labels[initial]
        self._classifier = DropoutClassifier(
            module=make_network(seed),
            criterion=nn.CrossEntropyLoss,
            neural_net_param_dict=_skorch(batched=variant == "batched"),
            classes=list(range(CLASSES)),
            random_state=seed,
        )
        self._strategy, self._model = _strategy(strategy, seed)
        seed_globally(seed)
        for _ in range(START_EPOCHS):
            self._fit()

    def play(self) -> tuple[float, dict[str, float]]:
        return phased(self._query, self._fit, self._evaluate)

    def _query(self) -> None:
        fitted = {self._model: self._classifier, f"fit_{self._model}": False}
        chosen = self._strategy.query(self._features, self._known, batch_size=QUERY, **fitted)
        self._known[chosen] = self._labels[chosen]

    def _fit(self) -> None:
        labelled = np.flatnonzero(~np.isnan(self._known))
        self._classifier.partial_fit(self._features[labelled], self._known[labelled])

    def _evaluate(self) -> float:
        return share_right(self._classifier.predict(self._test), self._test_labels)


def _strategy(name: str, seed: int) -> tuple[UncertaintySampling | GreedyBALD, str]:
    """Return the strategy and what it calls the model."""
    if name == "margin":
        return UncertaintySampling(method="margin_sampling", random_state=seed), "clf"
    bald = GreedyBALD(
        sample_predictions_method_name="sample_proba",
        sample_predictions_dict={"n_samples": MEMBERS},
        random_state=seed,
    )
    return bald, "ensemble"


def _skorch(*, batched: bool) -> dict[str, object]:
    settings: dict[str, object] = {
        "optimizer": torch.optim.Adam,
        "optimizer__fused": True,
        "lr": LEARNING_RATE,
        "max_epochs": 1,
        "batch_size": BATCH,
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
            "iterator_train__collate_fn": as_it_is,
            "iterator_valid__collate_fn": as_it_is,
        }
    return settings


make = SkactivemlRounds
