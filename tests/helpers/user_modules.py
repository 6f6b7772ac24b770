"""Modules as a user writes them."""

HEADER = """
import random
from dataclasses import dataclass

import numpy as np
import torch

from alray.strategies import Query, Request, ScoreStrategy
"""

MINE = (
    HEADER
    + """
@dataclass(frozen=True)
class Mine(ScoreStrategy):
    k: int = 3

    @property
    def needs(self):
        return Request(log_probs=True)

    def score(self, signals):
        return signals.log_probs.amax(1) * self.k
"""
)
"""A module with a strategy, `Mine`."""


def strategy_module(body: str) -> str:
    """Return a module with a strategy `Bad`, which differs from `Mine` in this code of its class."""
    indented = "\n".join(f"    {line}" for line in body.splitlines())
    return f"{MINE}\n@dataclass(frozen=True)\nclass Bad(Mine):\n{indented}\n"


def network_module(factor: int) -> str:
    """Return a module with a network, `Net`, which multiplies its logits."""
    return f"""
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, shapes, classes):
        super().__init__()
        self.layer = nn.Linear(sum(shape[0] for shape in shapes.values()), classes)

    def forward(self, features, present):
        return {factor} * self.layer(torch.cat(list(features.values()), 1))
"""
