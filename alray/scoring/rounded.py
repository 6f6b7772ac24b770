"""What the passes in a low precision have in common: late fusion folded, and every layer rounded."""

from typing import ClassVar, TypeGuard

from torch import Tensor

from alray.errors import SpecError
from alray.networks.late_fusion import LateFusion
from alray.networks.network import Network
from alray.networks.tensors import PoolTensors
from alray.scoring.folded import FoldedPass
from alray.scoring.folding import Affine, first_layers
from alray.settings.common import Precision
from alray.strategies.signals import Request


def can_score(network: Network) -> TypeGuard[LateFusion]:
    """Return whether there are passes in a low precision for this network."""
    return isinstance(network, LateFusion) and network.plain


def can_compute(request: Request) -> bool:
    """Return whether they compute all that is requested: signals from the candidates' own probabilities alone."""
    return request.of_blocks and not (request.features or request.predicted_loss)


class RoundedPass(FoldedPass):
    """Folds as the exact pass does, for layers that take standardised features in a format of their own."""

    precision: ClassVar[Precision]

    # Neither library has a product in a low precision for a layer without units.
    fewest_units = 1

    def __init__(self, network: Network, pool: PoolTensors, request: Request) -> None:
        """Get ready for these signals of a network.

        Raises:
            SpecError: There is no pass in this precision for the network or the signals.
        """
        if not can_score(network):
            raise SpecError(
                f"only late fusion of plain blocks, MLPs and concatenation can be scored in {self.precision}"
            )
        if not can_compute(request):
            raise SpecError(
                "features, predicted losses, labelled objects and what else is not made of the candidates' own "
                f"probabilities cannot be computed in {self.precision}"
            )
        super().__init__(network, pool, request)
        self._of_standardised = first_layers(network)


def for_all_units(affine: Affine, units: Tensor | None, width: int) -> Affine:
    """Return a Linear that reads these units as one that reads all.

    Products by zero take less time than to pick columns of short numbers, which PyTorch does one by one.
    """
    if units is None:
        return affine
    weight = affine.weight.new_zeros(len(affine.weight), width)
    weight[:, units] = affine.weight
    return Affine(weight, affine.bias)
