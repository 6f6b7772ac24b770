"""Some objects of a modality, and those of several parts of a pool together."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from alray.pools.pool import Indices, Modality


def some_objects(modality: Modality, objects: Indices) -> Modality:
    """Return the modality of these objects alone, in this order; their features are copied."""
    rows = modality.rows[objects]
    present = rows >= 0
    return replace(modality, features=modality.features[rows[present]], rows=_rows(present))


def joined(parts: Sequence[Modality]) -> Modality:
    """Return one modality of the objects of all parts, one part after the other.

    Args:
        parts: At least one, alike but for their objects.
    """
    first = parts[0]
    features = np.concatenate([part.features[part.rows[part.present]] for part in parts])
    present = np.concatenate([part.present for part in parts])
    return replace(first, features=features, rows=_rows(present))


def _rows(present: np.ndarray) -> np.ndarray:
    return np.where(present, np.cumsum(present) - 1, -1).astype(np.int32)
