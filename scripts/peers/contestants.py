"""Who plays: names, where their processes live, and the settings that the results state."""

from dataclasses import dataclass
from typing import Literal

Role = Literal["alray", "plain", "peer", "parts"]


@dataclass(frozen=True)
class Contestant:
    """One way to play a round.

    Attributes:
        name: What `--only` and the results call it.
        role: `alray`; `plain` PyTorch; a `peer` library; or `parts` of one around the plain loop's network code.
        module: Its file in this folder.
        variant: Of that file.
        environment: Name of its requirements, or "" for alray's own environment.
        settings: In words, for the results.
        judged: Whether targets are compared with it.
        same_network: Whether it fits the common network.
    """

    name: str
    role: Role
    module: str
    variant: str
    environment: str
    settings: str
    judged: bool = True
    same_network: bool = True


CONTESTANTS = (
    Contestant(
        "alray-module",
        "alray",
        "alray_rounds",
        "module",
        "",
        "the common network as a module of one's own, which alray runs as it is",
    ),
    Contestant(
        "alray-fusion",
        "alray",
        "alray_rounds",
        "fusion",
        "",
        "another network: built-in late fusion, d = 48, 76,896 multiplications for an object, folded by the engine; "
        "its accuracy compares with nothing here",
        same_network=False,
    ),
    Contestant(
        "plain",
        "plain",
        "plain_rounds",
        "whole",
        "",
        "tensors in memory, no gradients, blocks of 1,024, topk; BALD by ten passes of the whole network",
    ),
    Contestant(
        "plain-split",
        "plain",
        "plain_rounds",
        "split",
        "",
        "the same, but BALD computes what lies before the dropout layer once",
        judged=False,
    ),
    Contestant(
        "baal",
        "peer",
        "baal_rounds",
        "documented",
        "baal",
        "ActiveLearningDataset, ActiveLearningLoop, predictions as a generator in batches of 1,024, no workers, no "
        "progress, logging off, data set not copied; BALD with MCCachingModule, not replicated in memory",
    ),
    Contestant(
        "baal-batched",
        "peer",
        "baal_rounds",
        "batched",
        "baal",
        "the same, with a data set of ours that is read a batch at a time",
    ),
    Contestant(
        "skactiveml",
        "peer",
        "skactiveml_rounds",
        "documented",
        "skactiveml",
        "SkorchClassifier.partial_fit on the labelled objects, UncertaintySampling or GreedyBALD, callbacks and checks "
        "for finite numbers off, batches of 1,024; the committee's passes are a method of ours",
    ),
    Contestant(
        "skactiveml-batched",
        "peer",
        "skactiveml_rounds",
        "batched",
        "skactiveml",
        "the same, with a data set of ours that is read a batch at a time",
    ),
    Contestant(
        "small-text",
        "parts",
        "smalltext_rounds",
        "own",
        "small-text",
        "PoolBasedActiveLearner, BreakingTies or BALD around the plain loop's fitting and predicting: none of its own "
        "classifiers takes embeddings, goes on from present weights and samples dropout",
    ),
)

TARGETS = {"margin": {"peer": 5.0, "plain": 1.2}, "bald": {"peer": 8.0, "plain": 5.0}}
"""How many times the processor time of alray's round the others' should take at least: the fastest peer, and plain."""


def select(names: str) -> tuple[Contestant, ...]:
    """Return the contestants of this comma-separated list, all where it is empty.

    Raises:
        ValueError: A name is unknown.
    """
    wanted = names.split(",") if names else [contestant.name for contestant in CONTESTANTS]
    known = {contestant.name: contestant for contestant in CONTESTANTS}
    unknown = sorted(set(wanted) - set(known))
    if unknown:
        raise ValueError(f"unknown: {', '.join(unknown)}; there are {', '.join(known)}")
    return tuple(contestant for name, contestant in known.items() if name in wanted)
