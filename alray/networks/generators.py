"""PyTorch's side of `seeding`: generators, and the one place that touches the global generator."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


def torch_generator(seed: int) -> torch.Generator:
    """Return a CPU generator started from a seed of `seeding.torch_seed`."""
    return torch.Generator().manual_seed(seed)


@contextmanager
def forked_rng(seed: int) -> Iterator[None]:
    """Run code that draws from the global generator as if it had been handed one of its own.

    PyTorch's layers initialise themselves, and users' modules may call functional dropout, from the global generator.
    Its state is put back afterwards, so nothing outside sees that it was used.
    """
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.random.manual_seed(seed)
        yield
