"""A run between two rounds, complete, as tensors: what a checkpoint holds. No pickle: safetensors."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from alray.pool import Indices
from alray.training import Learner

WEIGHTS, OPTIMIZER, LABELLED = "weights.", "optimizer.", "labelled"


@dataclass(frozen=True)
class RunState:
    """Where a run stands after a round.

    Attributes:
        round: The round that is done; 0 after the passive phase.
        labelled: (labels,) objects in the order in which they were labelled.
        round_zero: The passive phase's record, which every run that starts from it repeats.
        tensors: Weights and optimizer state by name.
    """

    round: int
    labelled: Indices
    round_zero: Mapping[str, Any]
    tensors: Mapping[str, Tensor]

    def to_bytes(self) -> bytes:
        """Return the content of a safetensors file."""
        metadata = {"round": str(self.round), "round_zero": json.dumps(dict(self.round_zero))}
        tensors = {**self.tensors, LABELLED: torch.from_numpy(self.labelled.copy())}
        content: bytes = save_tensors(tensors, metadata)
        return content

    @staticmethod
    def from_bytes(content: bytes) -> "RunState":
        """Read what `to_bytes` wrote."""
        tensors: dict[str, Tensor] = load_tensors(content)
        labelled: Indices = tensors.pop(LABELLED).numpy().astype(np.int64)
        metadata = read_metadata(content)
        round_zero = json.loads(metadata["round_zero"])
        return RunState(int(metadata["round"]), labelled, round_zero, tensors)


def read_metadata(content: bytes) -> dict[str, str]:
    """Return a safetensors file's metadata: eight bytes of length, then a JSON header that holds it."""
    length = int.from_bytes(content[:8], "little")
    metadata: dict[str, str] = json.loads(content[8 : 8 + length])["__metadata__"]
    return metadata


def learner_tensors(learner: Learner) -> dict[str, Tensor]:
    """Return copies of a learner's weights, statistics and optimizer state, by name."""
    tensors = {
        f"{WEIGHTS}{name}": tensor.detach().cpu().clone().contiguous()
        for name, tensor in learner.state_dict().items()
    }
    for number, moments in learner.optimizer.state_dict()["state"].items():
        for name, tensor in moments.items():
            tensors[f"{OPTIMIZER}{number}.{name}"] = tensor.detach().cpu().clone().contiguous()
    return tensors


def restore_learner(learner: Learner, tensors: Mapping[str, Tensor]) -> None:
    """Put a learner back to where `learner_tensors` found it."""
    learner.load_state_dict(
        {
            name.removeprefix(WEIGHTS): tensor
            for name, tensor in tensors.items()
            if name.startswith(WEIGHTS)
        }
    )
    moments: dict[int, dict[str, Tensor]] = {}
    for name, tensor in tensors.items():
        if name.startswith(OPTIMIZER):
            number, _, moment = name.removeprefix(OPTIMIZER).partition(".")
            # Adam writes into what it is given, and a state may start several runs.
            moments.setdefault(int(number), {})[moment] = tensor.clone()
    learner.optimizer.load_state_dict(
        {"state": moments, "param_groups": learner.optimizer.state_dict()["param_groups"]}
    )
