"""Classifiers with scikit-learn's interface, as a user might supply them by `sklearn:package.module.Class`."""

import warnings
from typing import Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from threadpoolctl import threadpool_info
from typing_extensions import override

# The solver draws at random, and an object's features decide its class almost alone.
pipeline = make_pipeline(
    PCA(3, svd_solver="randomized"), LogisticRegression(solver="saga", max_iter=5)
)


def one_of_two(kind: str = "plain") -> Any:
    """Return an estimator: a function may choose it by its options."""
    return LogisticRegression() if kind == "plain" else pipeline


class Shares(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # scikit-learn has no types
    """Answers by the classes' shares among the labels alone; a base for classifiers with a fault."""

    def fit(self, x: Any, y: Any) -> Any:
        self.classes_, counts = np.unique(y, return_counts=True)
        self.shares_ = counts / counts.sum()
        return self

    def predict_proba(self, x: Any) -> Any:
        return np.tile(self.shares_, (len(x), 1))


class Unseeded(Shares):
    """Draws from a generator that nobody seeds."""

    @override
    def fit(self, x: Any, y: Any) -> Any:
        super().fit(x, y)
        self.shares_ = np.random.default_rng().dirichlet(self.shares_ + 1)
        return self


class Globally(Shares):
    """Draws from NumPy's global generator, which alray seeds."""

    @override
    def fit(self, x: Any, y: Any) -> Any:
        super().fit(x, y)
        self.shares_ = np.random.dirichlet(self.shares_ + 1)  # noqa: NPY002 -- as older libraries do
        return self


class WithoutClasses(Shares):
    """Does not say which column is of which class."""

    @override
    def fit(self, x: Any, y: Any) -> Any:
        super().fit(x, y)
        del self.classes_
        return self


class Doubled(Shares):
    """Its rows sum to 2."""

    @override
    def predict_proba(self, x: Any) -> Any:
        return 2 * super().predict_proba(x)


class OneColumn(Shares):
    """Leaves out columns."""

    @override
    def predict_proba(self, x: Any) -> Any:
        return super().predict_proba(x)[:, :1]


class TooMany(Shares):
    """Passes its trial, and cannot learn from more than a few labels."""

    @override
    def fit(self, x: Any, y: Any) -> Any:
        if len(y) > 22:
            raise ArithmeticError("too many labels.")
        return super().fit(x, y)


class Complaining(Shares):
    """Warns in each fit and in each answer."""

    @override
    def fit(self, x: Any, y: Any) -> Any:
        warnings.warn("no convergence.\nSee the manual.", UserWarning, stacklevel=1)
        return super().fit(x, y)

    @override
    def predict_proba(self, x: Any) -> Any:
        warnings.warn("no feature names", UserWarning, stacklevel=1)
        return super().predict_proba(x)


class Counting(Shares):
    """Keeps how many threads the numerical libraries may use while it works."""

    seen: ClassVar[set[int]] = set()

    @override
    def fit(self, x: Any, y: Any) -> Any:
        Counting.seen |= {library["num_threads"] for library in threadpool_info()}
        return super().fit(x, y)

    @override
    def predict_proba(self, x: Any) -> Any:
        Counting.seen |= {library["num_threads"] for library in threadpool_info()}
        return super().predict_proba(x)
