"""How seconds and memory grow with a pool, a committee and the labels: the same network of 128 features throughout."""

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import torch
from benchmarks.memory import MEGABYTE, forget_peak, resident
from benchmarks.rounds import Round
from benchmarks.timing import Phases, alternate, alternate_phases
from benchmarks.worlds import first_of, make_pool, plan_for

from alray.networks.tensors import PoolTensors
from alray.pools.pool import PreparedPool
from alray.scoring.engine import score
from alray.settings.common import ModelSpec, TrainingSpec
from alray.settings.sweep import SweepSpec
from alray.strategies.scores import bald
from alray.strategies.signals import Committee, Request
from alray.training.learner import fresh_learner

DIMENSIONS = {"features": 128}


def round_of(prepared: PreparedPool, labels: int) -> Round:
    """Return a margin round with so many labels, after the shortest passive phase."""
    study = SweepSpec(
        strategies=("margin",),
        seeds=(0,),
        initial=labels,
        rounds=1,
        training=TrainingSpec(passive_epochs=1),
    )
    return Round(plan_for(prepared, study).runs[0], PoolTensors(prepared))


def by_pool(sizes: Sequence[int], labels: int, repetitions: int) -> pd.DataFrame:
    """Return the seconds of a round's phases by size of the pool."""
    torch.set_num_threads(1)
    largest = make_pool(max(sizes), DIMENSIONS)
    rounds = {str(size): round_of(first_of(largest, size), labels) for size in sizes}
    return _frame("pool", alternate_phases(rounds, repetitions))


def by_labels(sizes: Sequence[int], repetitions: int) -> pd.DataFrame:
    """Return the same by number of labels, in a pool that is large enough for all."""
    torch.set_num_threads(1)
    prepared = make_pool(2 * max(sizes), DIMENSIONS)
    rounds = {str(size): round_of(prepared, size) for size in sizes}
    return _frame("labels", alternate_phases(rounds, repetitions))


def by_members(sizes: Sequence[int], objects: int, repetitions: int) -> pd.DataFrame:
    """Return the seconds of scoring so many objects by BALD, by members of the committee."""
    torch.set_num_threads(1)
    scorer = CommitteeScorer(make_pool(objects, DIMENSIONS))
    actions = {str(size): lambda size=size: scorer(size) for size in sizes}
    told = alternate(actions, repetitions)
    phases = {size: [{"round": one} for one in seconds] for size, seconds in told.items()}
    return _frame("members", phases)


def _frame(what: str, told: Mapping[str, Sequence[Phases]]) -> pd.DataFrame:
    rows = [
        {"what": what, "size": int(size), "repetition": repetition, **phases}
        for size, each in told.items()
        for repetition, phases in enumerate(each)
    ]
    return pd.DataFrame(rows)


class CommitteeScorer:
    """Scores every object of a pool by the disagreement of a committee."""

    def __init__(self, prepared: PreparedPool) -> None:
        self._pool = PoolTensors(prepared)
        self._everything = np.arange(len(prepared))
        learner = fresh_learner(ModelSpec(), TrainingSpec(), self._pool, lambda _: 0)
        self._network = learner.network

    def __call__(self, members: int) -> torch.Tensor:
        """Return a score for each object."""
        request = Request(committee=Committee(members))
        masks = torch.Generator().manual_seed(0)
        scored = score(self._network, self._pool, self._everything, request, masks)
        log_mean, mean_entropy = scored.committee_log_mean, scored.committee_mean_entropy
        if log_mean is None or mean_entropy is None:
            raise RuntimeError("a committee was asked for")
        return bald(log_mean, mean_entropy)


def committee_memory(objects: int, members: int) -> dict[str, float]:
    """Return the megabytes of a large committee's scoring; to be called in a fresh process."""
    torch.set_num_threads(1)
    prepared = make_pool(objects, DIMENSIONS)
    scorer = CommitteeScorer(prepared)
    forget_peak()
    before = resident()["VmRSS"]
    scorer(members)
    peak, pool = resident()["VmHWM"], prepared.nbytes / MEGABYTE
    every = objects * members * prepared.class_count * 4 / MEGABYTE
    return {
        "pool": pool,
        "above the pool": peak - pool,
        "of that by scoring": peak - before,
        "all members' probabilities": every,
    }


def line(sizes: np.ndarray, seconds: np.ndarray) -> dict[str, float]:
    """Return the least-squares line through the points, its r^2, and the exponent that a power law would have."""
    slope, intercept = np.polyfit(sizes, seconds, 1)
    residual = seconds - (slope * sizes + intercept)
    total = ((seconds - seconds.mean()) ** 2).sum()
    exponent = np.polyfit(np.log(sizes), np.log(seconds), 1)[0]
    return {
        "slope": slope,
        "intercept": intercept,
        "r2": 1 - (residual**2).sum() / total,
        "exponent": exponent,
    }
