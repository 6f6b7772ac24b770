"""Asks a strategy of small-text, which has to be installed, for a query."""

from typing import Any

import numpy as np
import numpy.typing as npt

from alray.strategies.libraries.catalogue import Known
from alray.strategies.libraries.given import Given, NotGivenError, Numbers

UNLABELLED = -1
"""The library's label of objects without one."""


def make(kind: Any, known: Known, options: dict[str, Any], seed: int, classes: int) -> Any:
    """Return the library's object for these options; its strategies draw from the global generators."""
    del known, seed, classes
    return kind(**options)


def ask(strategy: Any, known: Known, given: Given, k: int) -> Any:
    """Return the library's answer: positions among all objects."""
    del known
    everything, labelled = np.arange(len(given.x)), given.labelled
    y = np.full(len(given.x), UNLABELLED)
    y[:labelled] = given.labels
    objects = _Objects(everything, y)
    return strategy.query(
        _Answers(given), objects, everything[labelled:], everything[:labelled], given.labels, n=k
    )


class _Objects:
    """Some of the objects as the library's data sets are: without texts, by their positions.

    Attributes:
        x: (m,) positions.
        y: (m,) labels.
        is_multi_label: Whether an object has several labels.
    """

    is_multi_label = False

    def __init__(self, x: npt.NDArray[np.int64], y: npt.NDArray[np.int64]) -> None:
        self.x, self.y = x, y

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, which: Any) -> "_Objects":
        return _Objects(np.atleast_1d(self.x[which]), np.atleast_1d(self.y[which]))


class _Answers:
    """Stands for the fitted classifier: it knows the probabilities and features of the objects, and nothing else.

    Of small-text's strategies those that wrap others ask for the number of classes too; they cannot be arms.
    """

    def __init__(self, given: Given) -> None:
        self._given = given

    def fit(self, *_: object, **__: object) -> None:
        """Refuse: a fit would give another model."""
        raise NotGivenError("it fits a model")

    def predict_proba(self, objects: _Objects, dropout_sampling: int = 1) -> Numbers:
        """Return (m, classes) the objects' probabilities."""
        if dropout_sampling > 1:
            raise NotGivenError("it asks for the members of a committee")
        return self._given.known_probabilities[objects.x]

    def predict(self, objects: _Objects) -> npt.NDArray[np.int64]:
        """Return (m,) their most probable classes."""
        predicted: npt.NDArray[np.int64] = self.predict_proba(objects).argmax(1)
        return predicted

    def embed(self, objects: _Objects, *, return_proba: bool = False, **_: object) -> Any:
        """Return (m, d) their features, with their probabilities where these are asked for."""
        features = self._given.x[objects.x]
        return (features, self.predict_proba(objects)) if return_proba else features
