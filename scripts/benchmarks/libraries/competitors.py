"""The competitors: their names, environments, and the settings that the results state."""

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from benchmarks.harness.programs import python_of

Role = Literal["alray", "plain", "library", "parts"]

REQUIREMENTS = {
    "baal": ["torch", "baal==2.1.0", "structlog==22.3.0", "torchmetrics==1.9.0"],
    "skactiveml": ["torch", "scikit-activeml==1.0.1", "skorch==1.4.0"],
    "small_text": ["torch", "small-text==1.4.1"],
}
"""Requirements of the other libraries' environments, by module; versions that they leave open are alray's."""


@dataclass(frozen=True)
class Competitor:
    """One implementation of a round.

    Attributes:
        name: In `--only` and the results.
        role: `alray`; `plain` PyTorch; another `library`; or `parts` of one around the plain loop's network code.
        module: Its file in this folder, and the name of its environment where it has one.
        variant: Of that file.
        settings: In words, for the results.
        has_target: Whether targets compare alray with it.
        same_network: Whether it fits the common network.
    """

    name: str
    role: Role
    module: str
    variant: str
    settings: str
    has_target: bool = True
    same_network: bool = True

    def python(self, environments: Path) -> Path:
        """Return its interpreter, after making its environment in this folder if there is none yet."""
        if self.module not in REQUIREMENTS:
            return Path(sys.executable)
        return python_of(self.module, REQUIREMENTS[self.module], environments)


MODULE = "the common network as a user-supplied module, which alray runs as it is"
FUSION = (
    "another network: built-in late fusion, d = 48, 76,896 multiplications for an object, folded by the engine; its "
    "accuracy compares with nothing here"
)
WHOLE = "tensors in memory, no gradients, blocks of 1,024, topk; BALD by ten passes of the whole network"
SPLIT = "the same, but BALD computes what lies before the dropout layer once"
BAAL = (
    "ActiveLearningDataset, ActiveLearningLoop, predictions as a generator in batches of 1,024, no workers, no "
    "progress, logging off, data set not copied; BALD with MCCachingModule, not replicated in memory"
)
SKACTIVEML = (
    "SkorchClassifier.partial_fit on the labelled objects, UncertaintySampling or GreedyBALD, callbacks and checks "
    "for finite numbers off, batches of 1,024; the committee's passes are a method of ours"
)
SMALL_TEXT = (
    "PoolBasedActiveLearner, BreakingTies or BALD around the plain loop's fitting and predicting: none of its own "
    "classifiers takes embeddings, goes on from present weights and samples dropout"
)
BATCHED = "the same, with a data set of ours that is read a batch at a time"

COMPETITORS = (
    Competitor("alray-module", "alray", "alray", "module", MODULE),
    Competitor("alray-fusion", "alray", "alray", "fusion", FUSION, same_network=False),
    Competitor("plain", "plain", "plain", "whole", WHOLE),
    Competitor("plain-split", "plain", "plain", "split", SPLIT, has_target=False),
    Competitor("baal", "library", "baal", "documented", BAAL),
    Competitor("baal-batched", "library", "baal", "batched", BATCHED),
    Competitor("skactiveml", "library", "skactiveml", "documented", SKACTIVEML),
    Competitor("skactiveml-batched", "library", "skactiveml", "batched", BATCHED),
    Competitor("small-text", "parts", "small_text", "", SMALL_TEXT),
)

TARGETS: dict[str, dict[Role, float]] = {
    "margin": {"library": 5.0, "plain": 1.2},
    "bald": {"library": 8.0, "plain": 5.0},
}
"""How many times as long as alray's round the others' should take at least: the fastest library, and plain."""
