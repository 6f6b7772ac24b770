"""Exact copies: objects whose features agree to the bit, found by hashing rows in linear time."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from alray.pools.pool import Indices, Modality

_WORDS = {1: np.uint8, 2: np.uint16, 4: np.uint32}
CHUNK_VALUES = 1 << 22
"""Values hashed at a time: they are widened to 64 bits."""


@dataclass(frozen=True)
class Duplicates:
    """Counts of exact copies.

    Attributes:
        objects: Objects whose features in all modalities equal another object's.
        sets: Sets of such equal objects.
        conflicting_sets: Sets whose objects do not all have one label.
    """

    objects: int
    sets: int
    conflicting_sets: int


def find_duplicates(modalities: tuple[Modality, ...], labels: Indices) -> Duplicates:
    """Count exact copies; an absent modality equals an absent modality only, an object without any equals none."""
    some = np.logical_or.reduce([modality.present for modality in modalities])
    member, sizes = _equal_sets(modalities, some)
    labels = labels[some]
    copied = sizes > 1
    pairs = np.unique(np.column_stack([member, labels]), axis=0)
    labels_per_set = np.bincount(pairs[:, 0], minlength=len(sizes))
    conflicting = copied & (labels_per_set > 1)
    return Duplicates(int(sizes[copied].sum()), int(copied.sum()), int(conflicting.sum()))


def group_copies(modalities: tuple[Modality, ...], groups: Indices | None) -> Indices | None:
    """Return (objects,) group codes that put exact copies into one group, and keep the given groups whole.

    Groups that share a copy become one. None where there are neither groups nor copies.
    """
    everything = np.ones(len(modalities[0].rows), dtype=bool)
    member, sizes = _equal_sets(modalities, everything)
    if len(sizes) == len(member):
        return groups
    if groups is None:
        return member
    from scipy.sparse import coo_array  # noqa: PLC0415 -- most pools do without SciPy
    from scipy.sparse.csgraph import connected_components  # noqa: PLC0415 -- as above

    # An object is an edge between its group and its set of copies; each connected component is one group.
    count = int(groups.max()) + 1
    nodes = count + len(sizes)
    edges = coo_array((np.ones(len(member)), (groups, count + member)), shape=(nodes, nodes))
    _, component = connected_components(edges, directed=False)
    return np.asarray(component[groups], dtype=np.int64)


def _equal_sets(
    modalities: tuple[Modality, ...], among: npt.NDArray[np.bool_]
) -> tuple[Indices, Indices]:
    """Return for each of these objects the code of its set of equal objects, and the size of each set."""
    keys = np.column_stack([_object_keys(modality) for modality in modalities])[among]
    _, member, sizes = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    return member.reshape(-1).astype(np.int64), sizes  # some versions of NumPy return a column


def _object_keys(modality: Modality) -> npt.NDArray[np.uint64]:
    """Return (objects, 2): two independent 64-bit hashes, zeros where absent."""
    keys = np.zeros((len(modality.rows), 2), np.uint64)
    present = modality.present
    keys[present] = hash_rows(modality.features)[modality.rows[present]]
    return keys


def hash_rows(
    features: npt.NDArray[np.generic], chunk_values: int = CHUNK_VALUES
) -> npt.NDArray[np.uint64]:
    """Return (rows, 2) hashes of the rows' bits.

    Multilinear hashing, h(x) = r_0 + sum_i r_i x_i mod 2^64 over 8, 16 or 32-bit words: two rows that differ collide in
    both hashes with probability below 2^-64 (Lemire and Kaser 2014). The hashes must stay as they are: codes of copies
    are their ranks, and these decide a pool's fingerprint and its split.
    """
    rows, words = features.shape
    multipliers = _scrambled(2 * (words + 1)).reshape(words + 1, 2)
    bits = np.ascontiguousarray(features).view(_WORDS[features.itemsize])
    hashes = np.empty((rows, 2), np.uint64)
    step = max(1, chunk_values // words)
    for start in range(0, rows, step):
        chunk = bits[start : start + step].astype(np.uint64)
        hashes[start : start + step] = chunk @ multipliers[1:] + multipliers[0]
    return hashes


def _scrambled(count: int) -> npt.NDArray[np.uint64]:
    """Return fixed, well-mixed 64-bit numbers: SplitMix64 of 1, 2, 3, ... (Steele 2014)."""
    numbers = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))
