"""The generators of one round of a run, by purpose."""

from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np
import torch

from alray.networks.generators import forked_rng, torch_generator
from alray.seeding import Purpose, generator, torch_seed
from alray.settings.run import RunSpec


@dataclass(frozen=True)
class RoundDraws:
    """Where the draws of a round come from.

    Attributes:
        run: The run's settings.
        round: The round; -1 before the passive phase.
    """

    run: RunSpec
    round: int

    def numpy(self, purpose: Purpose) -> np.random.Generator:
        """Return a fresh generator for this purpose."""
        return generator(self.run.study_seed, self.run.seed, purpose, self.round)

    def torch(self, purpose: Purpose) -> torch.Generator:
        """Return the same for PyTorch."""
        return torch_generator(self.torch_seed(purpose))

    def torch_seed(self, purpose: Purpose) -> int:
        """Return the seed of that generator."""
        return torch_seed(self.run.study_seed, self.run.seed, purpose, self.round)

    def seeded(self, purpose: Purpose) -> AbstractContextManager[None]:
        """Return the context in which the global generators, which a user's code may draw from, are seeded."""
        return forked_rng(self.torch_seed(purpose))
