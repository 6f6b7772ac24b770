"""A scikit-learn classifier behind the interface of all networks: it is fitted anew, and has no weights to train."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from typing_extensions import override

from alray.custom.user_errors import named_errors
from alray.errors import SpecError
from alray.networks.estimators import seed_estimator
from alray.networks.network import FUSED, Network, Outputs, Values
from alray.networks.tensors import Batch, side_by_side
from alray.networks.threads import Libraries

SMALLEST = float(np.finfo(np.float64).eps)
"""The least probability, so that logarithms are finite: what `sklearn.metrics.log_loss` puts in the place of 0."""

Features = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Fitted:
    """An estimator after its fit.

    Attributes:
        estimator: None where all objects were of one class, which then has the probability 1.
        classes: (columns,) the class of each column of its `predict_proba`; all others are unknown to it.
    """

    estimator: Any
    classes: Labels


class SklearnClassifier(Network):
    """Features of all modalities side by side, and an estimator that tells classes from them.

    An absent modality's features are zeros, the train part's mean; images enter as their pixels in a row. A class
    that the estimator was not fitted on has the least probability. A committee's members are estimators that are
    fitted on as many objects, drawn from the same ones with replacement (Breiman 1996, bagging).

    Attributes:
        name: `model.name`, for messages.
    """

    def __init__(self, name: str, make: Callable[[], Any], classes: int) -> None:
        """Take what makes a fresh estimator, and the number of the pool's classes."""
        super().__init__()
        self.head_names = (FUSED,)
        self.tap_sizes = ()
        self.name = name
        self._make = make
        self._classes = classes
        self._libraries = Libraries()
        self._learned: tuple[Features, Labels] | None = None
        self._fitted: Fitted | None = None
        self._members: list[Fitted] = []
        self._member: int | None = None

    def fit(self, batch: Batch, labels: Tensor, seed: int) -> list[str]:
        """Fit a fresh estimator on a batch's objects (b,); return the first line of each warning that it gave.

        Args:
            batch: The objects.
            labels: (b,) int64 their classes.
            seed: Decides what the estimator draws.

        Raises:
            SpecError: The estimator cannot be fitted on them.
        """
        self._learned = _features(batch), labels.cpu().numpy()
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            self._fitted = self._fit(*self._learned, seed)
        self._libraries.look_up()  # some are loaded when they are first needed
        return [f"{type(each.message).__name__}: {each.message}".splitlines()[0] for each in found]

    @override
    def forward(self, batch: Batch) -> Outputs:
        """Return as logits (b, classes) the logarithms of probabilities, float32."""
        fitted = self._fitted if self._member is None else self._members[self._member]
        if fitted is None:
            raise RuntimeError("a scikit-learn classifier answers after a fit alone")
        shares = torch.from_numpy(np.log(self._probabilities(fitted, _features(batch))))
        return Outputs({FUSED: Values(shares.to(torch.float32))})

    @contextmanager
    @override
    def committee(self, members: int, generator: torch.Generator) -> Iterator[None]:
        """Fit as many members, each on a bootstrap sample, for the time of a `with` statement."""
        if self._learned is None:
            raise RuntimeError("a committee learns from the objects of the last fit")
        features, labels = self._learned
        n = len(labels)
        try:
            for _ in range(members):
                rows = torch.randint(n, (n,), generator=generator).numpy()
                seed = int(torch.randint(2**31 - 1, (), generator=generator))
                with _quiet():
                    self._members.append(self._fit(features[rows], labels[rows], seed))
            yield
        finally:
            self._members = []

    @override
    def members(self) -> Callable[[int], AbstractContextManager[None]]:
        return self._as_member

    @contextmanager
    def _as_member(self, member: int) -> Iterator[None]:
        self._member = member
        try:
            yield
        finally:
            self._member = None

    def _fit(self, features: Features, labels: Labels, seed: int) -> Fitted:
        # Numbered without gaps: some classifiers take no others.
        known, codes = np.unique(labels, return_inverse=True)
        if len(known) == 1:
            return Fitted(None, known)
        when = f"when it was fitted on {len(labels):,} objects of {len(known):,} classes"
        with named_errors(self.name, when), self._libraries.limited():
            estimator = self._make()
            seed_estimator(estimator, seed)
            estimator.fit(features, codes)
        order = np.asarray(getattr(estimator, "classes_", ()))
        if sorted(order.tolist()) != list(range(len(known))):
            raise SpecError(
                f"model.name: {self.name!r} has no attribute classes_ with the {len(known)} classes that it was fitted "
                "on, as scikit-learn's classifiers have: without it nobody knows which column of predict_proba is of "
                "which class"
            )
        return Fitted(estimator, known[order.astype(np.int64)])

    def _probabilities(self, fitted: Fitted, features: Features) -> npt.NDArray[np.float64]:
        """Return (n, classes) probabilities, none below `SMALLEST`."""
        n = len(features)
        found = np.full((n, self._classes), SMALLEST)
        if fitted.estimator is None or n == 0:
            found[:, fitted.classes] = 1.0
            return found
        with named_errors(self.name, f"in predict_proba of {n:,} objects"), self._predicting():
            answer = np.asarray(fitted.estimator.predict_proba(features), dtype=np.float64)
        reason = _unlike_probabilities(answer, (n, len(fitted.classes)))
        if reason:
            raise SpecError(f"model.name: {self.name!r}: its predict_proba returned {reason}")
        found[:, fitted.classes] = np.maximum(answer, SMALLEST)
        return found

    @contextmanager
    def _predicting(self) -> Iterator[None]:
        """Predict without warnings, and one part after the other: threads of a forest add up in any order."""
        import joblib  # noqa: PLC0415 -- it comes with scikit-learn, which need not be installed

        with _quiet(), self._libraries.limited(), joblib.parallel_config(backend="sequential"):
            yield


def _features(batch: Batch) -> Features:
    return np.ascontiguousarray(side_by_side(batch).cpu().numpy())


@contextmanager
def _quiet() -> Iterator[None]:
    """Show no warning: what a classifier warns of is said once, where a study is planned."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _unlike_probabilities(answer: npt.NDArray[np.float64], shape: tuple[int, int]) -> str:
    """Return why an answer is not (objects, classes) probabilities, and nothing where it is."""
    if answer.shape != shape:
        return f"an array {answer.shape}, not {shape}: objects, classes"
    if not np.isfinite(answer).all():
        return "numbers that are not finite (NaN or infinite)"
    if (answer < -1e-6).any() or (np.abs(answer.sum(axis=1) - 1) > 1e-3).any():
        return "rows that are no probabilities: each has to sum to 1, without negative numbers"
    return ""
