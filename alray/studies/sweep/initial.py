"""The labels that a run begins with."""

from collections.abc import Sequence

import numpy as np
import torch

from alray.networks.tensors import PoolTensors, side_by_side
from alray.pools.pool import Indices
from alray.settings.run import RunSpec
from alray.strategies.clusters import require_clusters
from alray.strategies.cold_start import spread_out
from alray.studies.sweep.arm import Arm


def check_initial_selection(arms: Sequence[Arm]) -> None:
    """Refuse initial labels that need what is not installed.

    Raises:
        SpecError: Names the setting and what to install.
    """
    for kind in {arm.study.initial_selection for arm in arms} - {"random"}:
        require_clusters(f"initial_selection: {kind}")


@torch.no_grad()
def initial_objects(run: RunSpec, pool: PoolTensors, rng: np.random.Generator) -> Indices:
    """Return the (initial,) objects of the train part that a run labels first."""
    train = pool.pool.train
    if run.initial_selection is None:
        again = run.initial_draw == "with_replacement"
        return rng.choice(train, size=run.initial, replace=again)
    features = side_by_side(pool.batch(train))
    return train[spread_out(run.initial_selection, features, run.initial, rng)]
