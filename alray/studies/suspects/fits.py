"""Predict each object of a pool by a network that has not learned its label: a fit for each fold."""

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from alray.networks.generators import forked_rng, torch_generator
from alray.networks.products import use_products
from alray.networks.targets import Known
from alray.networks.tensors import PoolTensors
from alray.networks.threads import threads
from alray.pools.pool import Indices, Modality, Parts, PreparedPool
from alray.scoring import engine
from alray.scoring.evaluation import nll_of
from alray.seeding import generator, torch_seed
from alray.settings.common import ProductsSpec
from alray.settings.suspects import SuspectsSpec
from alray.strategies.base import given
from alray.strategies.signals import Request
from alray.training.fit import Draws, FitOptions, fit
from alray.training.learner import fresh_learner
from alray.training.stopping import stopping_parts

Advance = Callable[[int, int], None]
"""Called after each epoch, with the number of epochs that are done, as if none stopped early, and of all."""

Probabilities = npt.NDArray[np.float64]
"""(objects, classes); the rows sum to 1."""


def without_fold(
    modalities: Sequence[Modality], labels: Indices, classes: int, folds: Parts, fold: int
) -> PreparedPool:
    """Return the pool whose train part is all but a fold, which is its validation and its test part."""
    left_out = np.flatnonzero(folds == fold)
    others = np.flatnonzero(folds != fold)
    return PreparedPool(tuple(modalities), labels, classes, others, left_out, left_out)


def out_of_sample(
    spec: SuspectsSpec,
    modalities: Sequence[Modality],
    labels: Indices,
    classes: int,
    folds: Parts,
    advance: Advance,
) -> Probabilities:
    """Return the probabilities of each object's classes by a network that was fitted on the other folds.

    A fold's fit depends on the seed and its number: on no other fold. On one thread, in this process.

    Args:
        spec: Settings of network and training.
        modalities: Standardised.
        labels: (objects,) the labels to learn.
        classes: How many classes there are.
        folds: (objects,) the fold of each object, from 0.
        advance: Learns of progress.
    """
    found = np.zeros((len(labels), classes))
    count, epochs = int(folds.max()) + 1, spec.training.passive_epochs
    use_products(ProductsSpec())
    with threads(1):
        for fold in range(count):
            pool = PoolTensors(without_fold(modalities, labels, classes, folds, fold))
            counter = _Counter(advance, fold * epochs, count * epochs)
            found[pool.pool.test] = _predicted(spec, pool, fold, counter)
            advance((fold + 1) * epochs, count * epochs)
    return found


class _Counter:
    """Counts the epochs of a fit."""

    def __init__(self, advance: Advance, before: int, total: int) -> None:
        self._advance, self._done, self._total = advance, before, total

    def count(self) -> None:
        """Note the end of an epoch."""
        self._done += 1
        self._advance(self._done, self._total)


def _predicted(
    spec: SuspectsSpec, pool: PoolTensors, fold: int, counter: _Counter
) -> Probabilities:
    """Return (objects of the fold, classes) probabilities."""
    learner = fresh_learner(
        spec.model, spec.training, pool, lambda purpose: torch_seed(spec.seed, fold, purpose)
    )
    rng = generator(spec.seed, fold, "stopping")
    parts = stopping_parts(spec.training, pool.pool.train, pool.pool.validation, rng)
    validate = nll_of(learner.network, pool, parts.held_out)

    def counted() -> float:
        counter.count()
        return validate() if validate is not None else np.nan

    dropout = torch_seed(spec.seed, fold, "dropout")
    draws = Draws(generator(spec.seed, fold, "batches"), torch_generator(dropout))
    options = FitOptions(
        epochs=spec.training.passive_epochs, validate=None if validate is None else counted
    )
    with forked_rng(dropout):
        fit(learner, pool, Known(parts.learned), draws, options)
        signals = engine.score_recurring(
            learner.network, pool, pool.pool.test, Request(log_probs=True)
        )
    found = np.exp(given(signals.log_probs).numpy().astype(np.float64))
    return np.asarray(found / found.sum(1, keepdims=True))
