"""PyTorch's generators: seeded ones, and the only access to the global one."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


def torch_generator(seed: int) -> torch.Generator:
    """Return a CPU generator seeded by a number of `seeding.torch_seed`."""
    return torch.Generator().manual_seed(seed)


@contextmanager
def forked_rng(seed: int) -> Iterator[None]:
    """Seed the global generator within a `with` statement, and restore its state afterwards.

    PyTorch's layers initialise themselves from it, and users' modules may draw functional dropout from it.
    """
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.random.manual_seed(seed)
        yield
