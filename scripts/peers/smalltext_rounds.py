"""small-text: its active learner, data set and query strategies, around a classifier of one's own.

Its networks read tokens and its scikit-learn path neither goes on from present weights nor samples dropout, so that no
classifier of its own takes this pool. Fitting and predicting are the plain loop's; what is measured of the library is
its learner and its strategies, which score the labelled objects too.
"""

import numpy as np
import numpy.typing as npt
import torch
from peers.network import make_adam, make_network, seed_globally, share_right, softmax_of
from peers.play import phased
from peers.task import BATCH, CLASSES, MEMBERS, QUERY, START_EPOCHS, World, initial_labels
from small_text import BALD, BreakingTies, PoolBasedActiveLearner, SklearnDataset
from small_text.classifiers import Classifier
from torch.nn import functional

PACKAGES = ("small-text",)
BLOCK = 1024

Probabilities = npt.NDArray[np.float32]


class OwnClassifier(Classifier):
    """The plain loop behind small-text's interface for classifiers; each `fit` goes on for an epoch."""

    def __init__(self, seed: int) -> None:
        self._network = make_network(seed)
        self._adam = make_adam(self._network.parameters())

    def fit(self, train_set: SklearnDataset, weights: None = None) -> "OwnClassifier":
        del weights
        self._network.train()
        features, labels = torch.from_numpy(train_set.x), torch.from_numpy(train_set.y)
        for batch in torch.randperm(len(labels)).split(BATCH):
            loss = functional.cross_entropy(self._network(features[batch]), labels[batch])
            self._adam.zero_grad()
            loss.backward()
            self._adam.step()
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
        found = torch.empty(len(features), dropout_sampling, CLASSES)
        for x, room in zip(features.split(BLOCK), found.split(BLOCK), strict=True):
            for member in range(dropout_sampling):
                room[:, member] = softmax_of(self._network(x))
        return (found if dropout_sampling > 1 else found.squeeze(1)).numpy()


class OwnFactory:
    """Makes the one classifier that `reuse_model` keeps."""

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def new(self) -> OwnClassifier:
        return OwnClassifier(self._seed)


class SmalltextRounds:
    def __init__(self, world: World, strategy: str, seed: int, variant: str) -> None:
        del variant
        classes = np.arange(CLASSES)
        features, self._labels = world.pool
        self._test = SklearnDataset(*world.test, target_labels=classes)
        self._learner = PoolBasedActiveLearner(
            OwnFactory(seed),
            BALD(dropout_samples=MEMBERS) if strategy == "bald" else BreakingTies(),
            SklearnDataset(features, self._labels, target_labels=classes),
            reuse_model=True,
        )
        self._chosen = initial_labels(seed)
        seed_globally(seed)
        for _ in range(START_EPOCHS):
            self._learner.initialize_data(self._chosen, self._labels[self._chosen])

    def play(self) -> tuple[float, dict[str, float]]:
        return phased(self._query, self._update, self._evaluate)

    def _query(self) -> None:
        self._chosen = self._learner.query(num_samples=QUERY)

    def _update(self) -> None:
        self._learner.update(self._labels[self._chosen])

    def _evaluate(self) -> float:
        return share_right(self._learner.classifier.predict(self._test), self._test.y)


make = SmalltextRounds
