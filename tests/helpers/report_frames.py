"""Frames of a made correlation study: what `alray correlate` would leave behind, small and with planted effects."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from alray.analysis.correlation.summary import summarise
from alray.reporting.correlation.page import CorrelationResults
from tests.helpers.correlation_worlds import SCORES, World, study


@dataclass(frozen=True)
class Size(World):
    """A small study with a planted effect, whose classes have names that a page must escape."""

    bases: int = 2
    groups: int = 20
    seeds: int = 3
    epochs: tuple[int, ...] = (1, 5, 20)
    scores: tuple[str, ...] = SCORES
    groupings: tuple[str, ...] = ("score", "within_class", "random")
    objects: int = 5
    labels: tuple[str, ...] = ("cat", "<script>alert(1)</script>", "dog & fox")
    slope: float = 0.02
    group_sd: float = 0.0
    seed_sd: float = 0.003


def results(size: Size | None = None, seed: int = 7, **changes: Any) -> CorrelationResults:
    """Return everything that a page is made from, with changes."""
    size, rng = size or Size(), np.random.default_rng(seed)
    groups, outcomes, bases = study(size, rng)
    found = summarise(groups, outcomes, bases, rng, permutations=100, bootstraps=50)
    settings: dict[str, Any] = {
        "groups": groups,
        "outcomes": outcomes,
        "bases": bases,
        "summary": found.summary,
        "quantiles": found.quantiles,
        "checks": found.checks,
        "title": "icons-correlation",
        "facts": {
            "pool": "icons: 12,000 objects, 30 classes, image 512 + text 384",
            "classes": ", ".join(size.labels),
            "command": "alray correlate --pool icons.parquet --bases 3 --epochs 1,2,5,10,20",
        },
        "sentences": ("Shuffled labels harm.", "Split halves agree."),
    } | changes
    return CorrelationResults(**settings)
