"""The number of threads of PyTorch and of other numerical libraries."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Let PyTorch use this many threads within a `with` statement; for small products more than one only wait."""
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class Libraries:
    """The numerical libraries of this process besides PyTorch: BLAS and OpenMP of NumPy, SciPy and scikit-learn."""

    def __init__(self) -> None:
        self._controller: Any = None

    def look_up(self) -> None:
        """Find the libraries that are loaded by now, in milliseconds."""
        from threadpoolctl import ThreadpoolController  # noqa: PLC0415 -- scikit-learn's, which need not be installed

        self._controller = ThreadpoolController()

    @contextmanager
    def limited(self) -> Iterator[None]:
        """Let them use as many threads as PyTorch, which a run's settings decide, within a `with` statement."""
        if self._controller is None:
            self.look_up()
        with self._controller.limit(limits=torch.get_num_threads()):
            yield
