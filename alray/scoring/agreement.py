"""Whether a committee can disagree: its members are asked about a few objects before a study."""

import torch
from torch import Tensor

from alray.errors import SpecError
from alray.networks.custom_module import CustomModule
from alray.networks.generators import torch_generator
from alray.networks.layers import as_member, committee_masks, dropouts
from alray.networks.linear import SoftmaxRegression
from alray.networks.network import FUSED, Network, Outputs
from alray.networks.sklearn_classifier import SklearnClassifier
from alray.networks.tensors import Batch, PoolTensors
from alray.pools.pool import Indices
from alray.strategies.signals import Committee

MEMBERS = 32
"""Members that are asked: a few more than usual, since two masks of a few units may be equal by chance."""

ROUNDING = 1e-5
"""Share of the largest logit that is taken for rounding: a hundred times what float32 resolves."""

APART = 1e-3
"""Share of the largest logit by which a member may answer differently where an object is scored with fewer others."""


def check_committee(network: Network, committee: Committee) -> None:
    """Refuse a committee that the network cannot form: its members would all be the same.

    Raises:
        SpecError: No dropout layers for a dropout committee, or no side heads for a committee of heads.
    """
    if isinstance(network, SklearnClassifier):
        if committee.kind != "dropout":
            raise SpecError(
                f"committee={committee.kind} needs several heads, and a scikit-learn classifier has one: use "
                "committee=dropout, whose members are fitted on bootstrap samples of the labels"
            )
        return
    if committee.kind in ("dropout", "both") and not dropouts(network):
        way = "set model.dropout above 0"
        if isinstance(network, CustomModule):
            way = "create nn.Dropout layers in the module and call them in forward (dropout as a function is not seen)"
        elif isinstance(network, SoftmaxRegression):
            way = "use model late_fusion, as linear has none"
        raise SpecError(
            "a committee by dropout needs a network with dropout layers: all members would be the same; "
            f"{way}"
        )
    if committee.kind in ("heads", "both") and len(network.head_names) < 2:
        raise SpecError(
            "a committee of heads needs several heads, which model late_fusion with model.heads: all has on a pool of "
            "two or more modalities; use committee=dropout"
        )


@torch.no_grad()
def check_disagreement(
    network: Network, pool: PoolTensors, objects: Indices, committee: Committee, seed: int
) -> None:
    """Refuse a committee by dropout whose members agree on these objects, to rounding.

    Heads have weights of their own, so a committee of heads alone is not asked; nor are members by bagging, which have
    learned from different objects.

    Raises:
        SpecError: They agree, or a member's answer depends on the objects that are scored with one.
    """
    if committee.kind == "heads" or isinstance(network, SklearnClassifier):
        return
    network.eval()
    layers = dropouts(network)
    whole, part = pool.batch(objects), pool.batch(objects[: max(1, len(objects) // 2)])
    with committee_masks(network, MEMBERS, torch_generator(seed)):
        members: list[Tensor] = []
        for member in range(MEMBERS):
            with as_member(layers, member):
                members.append(_logits(network, whole))
        with as_member(layers, 0):
            alone = _logits(network, part)
    if not _differ(torch.stack(members), members[0], ROUNDING):
        raise SpecError(_agreement(network, len(objects)))
    undropped = _logits(network, whole)[: part.size]
    if _differ(members[0][: part.size], alone, APART) and not _differ(
        undropped, _logits(network, part), APART
    ):
        raise SpecError(
            "a member of a committee by dropout has to treat every object alike, but its answers depend on which "
            "objects are scored together: dropout layers of the network do not get the objects along the first "
            "dimension (in attention and Transformer layers: batch_first=True)"
        )


def _logits(network: Network, batch: Batch) -> Tensor:
    outputs: Outputs = network(batch)
    return outputs.heads[FUSED].values


def _differ(some: Tensor, others: Tensor, share: float) -> bool:
    """Return whether logits differ by more than this share of the largest of them."""
    return float((some - others).abs().max()) > share * float(some.abs().max())


def _agreement(network: Network, objects: int) -> str:
    found = f"all members of the committee give the same answers about {objects} objects of the pool, to rounding: "
    if not isinstance(network, CustomModule):
        return f"{found}raise model.dropout"
    layers = dropouts(network)
    names = ", ".join(name for name, layer in network.module.named_modules() if layer in layers)
    return (
        f"{found}the dropout layers of the network ({names}) change nothing; call them in forward, where their output "
        "enters the logits, and raise their rates if they are small"
    )
