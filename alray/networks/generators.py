"""PyTorch's generators: seeded ones, and the only access to the global one."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from alray.seeding import seeded_globals


def torch_generator(seed: int) -> torch.Generator:
    """Return a CPU generator seeded by a number of `seeding.torch_seed`."""
    return torch.Generator().manual_seed(seed)


@contextmanager
def forked_rng(seed: int) -> Iterator[None]:
    """Seed the global generators within a `with` statement, and restore their states afterwards.

    PyTorch's layers initialise themselves from it, users' modules may draw functional dropout from it, and users'
    strategies and factories may draw from those of NumPy and Python.
    """
    devices = range(torch.cuda.device_count())
    with torch.random.fork_rng(devices=devices), seeded_globals(seed):
        # `torch.manual_seed` also takes a stack trace for devices that there may be later: half a millisecond.
        torch.default_generator.manual_seed(seed)
        if devices:
            torch.cuda.manual_seed_all(seed)
        yield
