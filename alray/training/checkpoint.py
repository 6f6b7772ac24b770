"""A learner's tensors by name, for checkpoints, and a safetensors file's metadata."""

import json
from collections.abc import Mapping

from torch import Tensor

from alray.training.learner import Learner

WEIGHTS, OPTIMIZER, LABELLED = "weights.", "optimizer.", "labelled"


def read_metadata(content: bytes) -> dict[str, str]:
    """Return a safetensors file's metadata, which a JSON header holds after eight bytes with the header's length."""
    length = int.from_bytes(content[:8], "little")
    metadata: dict[str, str] = json.loads(content[8 : 8 + length])["__metadata__"]
    return metadata


def learner_tensors(learner: Learner) -> dict[str, Tensor]:
    """Return copies of a learner's weights, statistics and optimizer state, by name."""
    tensors = {
        f"{WEIGHTS}{name}": tensor.detach().cpu().clone().contiguous()
        for name, tensor in learner.state_dict().items()
    }
    for number, moments in learner.optimizer.state().items():
        for name, tensor in moments.items():
            tensors[f"{OPTIMIZER}{number}.{name}"] = tensor.detach().cpu().clone().contiguous()
    return tensors


def restore_learner(learner: Learner, tensors: Mapping[str, Tensor]) -> None:
    """Restore the weights, statistics and optimizer state that `learner_tensors` returned."""
    weights: dict[str, Tensor] = {}
    moments: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith(WEIGHTS):
            weights[name.removeprefix(WEIGHTS)] = tensor
        elif name.startswith(OPTIMIZER):
            number, _, moment = name.removeprefix(OPTIMIZER).partition(".")
            moments.setdefault(int(number), {})[moment] = tensor
    learner.load_state_dict(weights)
    learner.optimizer.load(moments)
