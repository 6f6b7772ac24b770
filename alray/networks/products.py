"""Matrix products by oneDNN, or by PyTorch's own, which call a BLAS (MKL on most machines).

Which is faster depends on the processor and on the phase. An AMD EPYC was met where oneDNN takes half of MKL's time
for 500 objects; another one (family 25, model 17) where it takes nine tenths for 1,024 objects and five quarters for
64; and an Intel Xeon where it is the faster one for 3 of 96 products. Both compute float32 sums, rounded in another
order. So a study chooses once, and keeps to its choice (`alray.studies.product_choice`).
"""

import torch
from torch import Tensor

from alray.networks.kernels import few_sizes, has_onednn, onednn_linear
from alray.settings.common import Library, ProductsSpec


class Products:
    """The matrix products of a phase, without gradient.

    Attributes:
        library: What computes them on the CPU where this build of PyTorch has it; elsewhere PyTorch's own do.
    """

    def __init__(self, library: Library = "onednn") -> None:
        self.library: Library = library

    def linear(
        self, x: Tensor, weight: Tensor, bias: Tensor | None = None, *, rectified: bool = False
    ) -> Tensor:
        """Return x weight^T + bias, and its positive part where `rectified`.

        Args:
            x: (n, inputs), n >= 1.
            weight: (outputs, inputs).
            bias: (outputs,) or None for zero.
            rectified: Whether to take the positive part.
        """
        if self._by_onednn and x.device.type == "cpu" and weight.numel() > 0:
            return onednn_linear(x, weight, bias, rectified=rectified)
        summed = x @ weight.t() if bias is None else torch.addmm(bias, x, weight.t())
        return summed.relu_() if rectified else summed

    def product(self, a: Tensor, b: Tensor) -> Tensor:
        """Return a b for a of (n, m), n >= 1, and b of (m, k)."""
        return self.linear(a, b.t())

    def few_sizes(self, size: int) -> int:
        """Return the number of rows to pad so many objects to: oneDNN compiles a program for each shape."""
        return few_sizes(size) if self._by_onednn else size

    @property
    def _by_onednn(self) -> bool:
        return self.library == "onednn" and has_onednn()


SCORING, TRAINING = Products(), Products()
"""The products of scoring passes and of manual training steps in this process."""


def use_products(spec: ProductsSpec) -> None:
    """Let this process compute products by the libraries that a study uses; oneDNN where one is left open."""
    SCORING.library = spec.scoring or "onednn"
    TRAINING.library = spec.training or "onednn"
