"""Asks a strategy of scikit-activeml, which has to be installed, for a query."""

from typing import Any

import numpy as np
import numpy.typing as npt
from skactiveml.base import SkactivemlClassifier

from alray.strategies.libraries.catalogue import Known
from alray.strategies.libraries.given import Given, NotGivenError, Numbers


def make(kind: Any, known: Known, options: dict[str, Any], seed: int, classes: int) -> Any:
    """Return the library's object for these options."""
    of_all = {"classes": list(range(classes))} if known.classes else {}
    return kind(**options, **of_all, missing_label=np.nan, random_state=seed)


def ask(strategy: Any, known: Known, given: Given, k: int) -> Any:
    """Return the library's answer: positions among all objects."""
    y = np.full(len(given.x), np.nan)
    y[: given.labelled] = given.labels
    model = {known.model: _Answers(given), f"fit_{known.model}": False} if known.model else {}
    return strategy.query(given.x, y, batch_size=k, **model)


class _Answers(SkactivemlClassifier):  # type: ignore[misc] # its base class is not typed
    """Stands for the fitted classifier: it knows the probabilities of the objects, and nothing else."""

    def __init__(self, given: Given) -> None:
        super().__init__(classes=list(range(given.classes)), missing_label=np.nan)
        self.classes_ = np.arange(given.classes)
        known, x, p = given.labelled, given.x, given.known_probabilities
        self._parts = ((x[known:], p[known:]), (x[:known], p[:known]), (x, p))

    def fit(self, *_: object, **__: object) -> None:
        """Refuse: a fit would give another model."""
        raise NotGivenError("it fits a model")

    def __sklearn_clone__(self) -> None:
        """Refuse: a copy is made to be fitted."""
        raise NotGivenError("it fits a copy of the model")

    def predict_proba(self, X: Numbers, **_: object) -> Numbers:
        """Return (n, classes) probabilities of all candidates, of all labelled objects, or of both."""
        for x, probabilities in self._parts:
            if np.array_equal(X, x):
                return probabilities.copy()
        raise NotGivenError(
            "it asks for probabilities of other objects than all candidates and all labelled ones"
        )

    def predict(self, X: Numbers, **_: object) -> npt.NDArray[np.int64]:
        """Return (n,) the most probable classes of the same objects."""
        predicted: npt.NDArray[np.int64] = self.predict_proba(X).argmax(1)
        return predicted
