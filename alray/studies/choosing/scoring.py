"""Score the objects of a slice, so that an object's score does not depend on which others are read with it."""

import numpy as np
import numpy.typing as npt
import torch

from alray.networks.generators import torch_generator
from alray.networks.tensors import ArrayTensors, PoolTensors
from alray.pools.pool import Indices
from alray.pools.slices import Slice
from alray.scoring import engine
from alray.scoring.passes import BLOCK
from alray.seeding import torch_seed
from alray.strategies import ScoreStrategy
from alray.strategies.signals import Request
from alray.studies.choosing.rule import ChoiceSeed
from alray.studies.choosing.trained import TrainedNetwork


class SliceScorer:
    """Scores objects by one network and one strategy, on one device.

    The members of a committee by dropout are drawn anew for each slice, from the same seed: they are the same ones. A
    matrix product of another number of rows may round otherwise, so on the CPU every block is filled up to the same
    size with copies of an object; scores are then equal to the bit to those of a pool in memory.
    """

    def __init__(
        self,
        trained: TrainedNetwork,
        scorer: ScoreStrategy,
        seed: ChoiceSeed,
        device: torch.device,
    ) -> None:
        self._trained, self._scorer, self._seed, self._device = trained, scorer, seed, device
        self._network, self._predictor = trained.build(device)

    def scores(self, objects: Slice) -> npt.NDArray[np.float64]:
        """Return (n,) scores.

        Raises:
            PoolError: A standardised feature is too large for the type of features.
            ScoreError: The strategy's answer is not a number for each object.
        """
        prepared = self._trained.prepare(objects.modalities, objects.ids)
        pool = PoolTensors(prepared, ArrayTensors(self._device))
        found = np.empty(len(objects.ids))
        # Pattern by pattern: layers whose masks are drawn when they are first called may be called in another order.
        for _, positions in pool.by_pattern(np.arange(len(found))):
            scores = engine.scores_of(
                self._scorer,
                self._network,
                pool,
                self._filled_up(positions),
                members_of(self._scorer.needs, self._seed),
                self._predictor,
            )
            found[positions] = scores[: len(positions)]
        return found

    def _filled_up(self, positions: Indices) -> Indices:
        if self._device.type != "cpu":
            return positions
        missing = -len(positions) % BLOCK
        return np.concatenate([positions, np.full(missing, positions[0])])


def members_of(needs: Request, seed: ChoiceSeed) -> torch.Generator | None:
    """Return what draws the members of the committee; None where none is needed."""
    if needs.committee is None:
        return None
    return torch_generator(torch_seed(seed.seed, 0, "committee", seed.round))
