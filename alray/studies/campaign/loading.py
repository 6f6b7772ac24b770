"""The features that a batch needs, as networks read them: of a pool in memory, or of some objects of its files."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from alray.pools.open_parts import OpenParts
from alray.pools.open_pool import OpenPool
from alray.pools.pool import Indices, Modality, PreparedPool
from alray.pools.standardise import standardise, standardise_by
from alray.settings.campaign import CampaignSpec
from alray.studies.campaign.at_hand import AtHand
from alray.studies.choosing.trained import TrainedModality

UNKNOWN = -1
"""The label of an object that has none."""


@dataclass(frozen=True, eq=False)
class Loaded:
    """Objects of a pool, with features.

    Attributes:
        objects: (n,) their positions in the pool, from small to large.
        pool: These objects, standardised by all objects of the pool; labels are `UNKNOWN` where there is none.
        read: Their features as they are read; none where the whole pool is in memory.
        modalities: What standardises these; none there either.
    """

    objects: Indices
    pool: PreparedPool
    read: tuple[Modality, ...] = ()
    modalities: tuple[TrainedModality, ...] = ()

    def at(self, objects: Indices) -> Indices:
        """Return the positions among these objects of some that are among them, given by positions in the pool."""
        return np.searchsorted(self.objects, objects)


def load(hand: AtHand, needed: Indices) -> Loaded:
    """Return the objects that are needed, with features, or all where the pool is in memory.

    Args:
        hand: What is known.
        needed: (n,) positions in the pool, labelled objects among them where a network is to be fitted.

    Raises:
        PoolError: The features cannot be used.
    """
    features, dtype, ids = hand.pool.features, np.dtype(hand.spec.pool.dtype), hand.pool.known.ids
    if not isinstance(features, OpenParts):
        everything = np.ones(len(ids), dtype=np.bool_)
        objects = np.arange(len(ids))
        standardised = [standardise(each, everything, dtype, ids, last=True) for each in features]
        return Loaded(objects, _prepared(standardised, objects, hand))
    objects = np.unique(needed)
    if not len(objects):
        return Loaded(objects, _prepared((), objects, hand))
    read = features.some([str(each) for each in ids[objects]])
    known = [
        TrainedModality(each.name, each.shape, moments)
        for each, moments in zip(read, features.moments(), strict=True)
    ]
    standardised = [
        standardise_by(each, of.moments, dtype, ids[objects])
        for each, of in zip(read, known, strict=True)
    ]
    return Loaded(objects, _prepared(standardised, objects, hand), read, tuple(known))


def load_to_try(pool: OpenPool, spec: CampaignSpec, classes: int) -> PreparedPool:
    """Return objects by which a network is tried, all of a pool in memory or some first ones, with any labels."""
    dtype = np.dtype(spec.pool.dtype)
    if isinstance(pool.features, OpenParts):
        read, ids = pool.features.first()
    else:
        read, ids = pool.features, pool.known.ids
    everything = np.ones(len(ids), dtype=np.bool_)
    standardised = [standardise(each, everything, dtype, ids, last=True) for each in read]
    # A network that is tried takes steps, by whatever labels.
    return _pool(standardised, np.arange(len(ids)) % classes, classes)


def _prepared(modalities: Sequence[Modality], objects: Indices, hand: AtHand) -> PreparedPool:
    labels = np.full(len(objects), UNKNOWN, dtype=np.int64)
    learnt = hand.learnt
    if len(learnt.objects):
        # Before there is enough to learn from, what has a label need not be among what is loaded.
        there = np.isin(learnt.objects, objects)
        rows = np.searchsorted(objects, learnt.objects[there])
        labels[rows] = learnt.posterior[there].argmax(1)
    return _pool(modalities, labels, max(1, len(hand.classes)))


def _pool(modalities: Sequence[Modality], labels: Indices, classes: int) -> PreparedPool:
    nothing = np.empty(0, dtype=np.int64)
    rows = np.arange(len(labels))
    return PreparedPool(tuple(modalities), labels, classes, rows, nothing, nothing)
