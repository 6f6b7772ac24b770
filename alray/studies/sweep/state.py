"""A run between two rounds, complete, as tensors: the content of a checkpoint. No pickle: safetensors."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from safetensors.torch import load as load_tensors
from safetensors.torch import save as save_tensors
from torch import Tensor

from alray.assessors.answers import Answers
from alray.assessors.beliefs import Beliefs
from alray.assessors.replies import Replies
from alray.pools.pool import Indices
from alray.training.checkpoint import LABELLED, read_metadata

ANSWERS, BELIEVED, BELIEFS = "answers", "believed", "beliefs"
PREDICTED = "stop_set_predictions"
REPLIES = "replies"


@dataclass(frozen=True)
class RunState:
    """A run after a round.

    Attributes:
        round: The last finished round; 0 after the passive phase.
        labelled: (labels,) objects in the order in which they were labelled.
        round_zero: The passive phase's record, which every run that starts from it has too.
        tensors: Weights and optimizer state by name.
        answers: All answers of a crowd, where one is asked.
        beliefs: What the network predicted of objects before they were asked about, where that counts.
        predicted: Classes predicted for the stop set where it was last evaluated; an older alray kept none.
        replies: All answers to yes/no questions, where some are asked.
    """

    round: int
    labelled: Indices
    round_zero: Mapping[str, Any]
    tensors: Mapping[str, Tensor]
    answers: Answers | None = None
    beliefs: Beliefs | None = None
    predicted: Indices | None = None
    replies: Replies | None = None

    def to_bytes(self) -> bytes:
        """Return the content of a safetensors file."""
        metadata = {"round": str(self.round), "round_zero": json.dumps(dict(self.round_zero))}
        tensors = {**self.tensors, LABELLED: torch.from_numpy(self.labelled.copy())}
        if self.answers is not None:
            tensors[ANSWERS] = torch.from_numpy(self.answers.table())
        if self.beliefs is not None:
            tensors[BELIEVED] = torch.from_numpy(self.beliefs.objects.copy())
            tensors[BELIEFS] = torch.from_numpy(self.beliefs.log_probs.copy())
        if self.predicted is not None:
            tensors[PREDICTED] = torch.from_numpy(self.predicted.copy())
        if self.replies is not None:
            tensors[REPLIES] = torch.from_numpy(self.replies.table())
        content: bytes = save_tensors(tensors, metadata)
        return content

    @staticmethod
    def from_bytes(content: bytes) -> "RunState":
        """Return the state that `to_bytes` wrote."""
        tensors: dict[str, Tensor] = load_tensors(content)
        labelled: Indices = tensors.pop(LABELLED).numpy().astype(np.int64)
        asked = tensors.pop(ANSWERS, None)
        answers = None if asked is None else Answers.of_table(asked.numpy())
        replied = tensors.pop(REPLIES, None)
        replies = None if replied is None else Replies.of_table(replied.numpy())
        believed, predicted = tensors.pop(BELIEVED, None), tensors.pop(BELIEFS, None)
        beliefs = None
        if believed is not None and predicted is not None:
            beliefs = Beliefs(believed.numpy().astype(np.int64), predicted.numpy())
        classes = tensors.pop(PREDICTED, None)
        last = None if classes is None else classes.numpy()
        metadata = read_metadata(content)
        round_zero = json.loads(metadata["round_zero"])
        number = int(metadata["round"])
        found = RunState(number, labelled, round_zero, tensors, answers, beliefs)
        return replace(found, predicted=last, replies=replies)
