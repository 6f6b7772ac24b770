"""Whether a network offers what a strategy chooses by."""

from alray.errors import SpecError
from alray.networks.custom_module import CustomModule
from alray.networks.network import Network
from alray.networks.sklearn_classifier import SklearnClassifier
from alray.networks.tensors import PoolTensors
from alray.scoring.agreement import check_committee, check_disagreement
from alray.strategies import Strategy
from alray.strategies.bait import Bait
from alray.strategies.signals import Committee, Request
from alray.training.trial import trial_objects


def check_signals(network: Network, needs: Request) -> None:
    """Refuse a strategy that needs signals which the network does not offer.

    Raises:
        SpecError: Names them, and what works.
    """
    if needs.features and isinstance(network, (CustomModule, SklearnClassifier)):
        raise SpecError(
            f"the strategy needs features, the input of the last layer, which a {_kind(network)} does not offer: use "
            "model late_fusion or cnn"
        )
    if needs.last_layer and network.last_layer is None:
        raise SpecError(
            f"the strategy needs the last layer's weights, which a {_kind(network)} does not offer: use model "
            "late_fusion or cnn"
        )
    if needs.side_heads == "all" and len(network.head_names) < 2:
        raise SpecError(
            "the strategy needs several heads, which model late_fusion with model.heads: all has on a pool of two or "
            "more modalities; use strategy margin, which is the same for one head"
        )
    named = () if needs.side_heads == "all" else needs.side_heads
    unknown = [head for head in named if head not in network.head_names]
    if unknown:
        raise SpecError(
            f"the strategy needs side heads that the network lacks: {', '.join(unknown)}; its heads are: "
            f"{', '.join(network.head_names)}"
        )


def check_memory(network: Network, strategy: Strategy) -> None:
    """Refuse a strategy whose matrices are too large for a network of so many classes.

    Raises:
        SpecError: Says how large they are, and what works.
    """
    layer = network.last_layer
    if isinstance(strategy, Bait) and layer is not None:
        strategy.require_memory(layer.out_features, layer.in_features)


def _kind(network: Network) -> str:
    """Return what a network is that hides its layers."""
    return (
        "scikit-learn classifier" if isinstance(network, SklearnClassifier) else "custom network"
    )


def check_members(network: Network, pool: PoolTensors, committee: Committee, seed: int) -> None:
    """Refuse a committee whose members a network lacks, or which all agree.

    Raises:
        SpecError: Says why, and what works.
    """
    try:
        check_committee(network, committee)
        check_disagreement(network, pool, trial_objects(pool), committee, seed)
    except SpecError as error:
        by_heads = committee.kind == "dropout" and len(network.head_names) > 1
        raise SpecError(f"{error}{', or use committee=heads' if by_heads else ''}") from None
