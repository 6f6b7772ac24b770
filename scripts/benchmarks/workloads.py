"""Work to measure: pools of noise in memory, plans for runs on them, a round, and scoring by a committee."""

import time
from collections.abc import Mapping
from typing import Any
from unittest import mock

import numpy as np
import torch
from torch import Tensor

from alray.networks.network import Network
from alray.networks.tensors import PoolTensors
from alray.pools.pool import Indices, Modality, Pool, PreparedPool
from alray.pools.shared import SharedPool, ViewKey
from alray.pools.variants import Pools
from alray.scoring import engine
from alray.settings.common import ModelSpec, TrainingSpec
from alray.settings.run import RunSpec
from alray.settings.sweep import SweepSpec
from alray.strategies.scores import bald
from alray.strategies.signals import Committee, Request
from alray.studies.sweep.experiment import Experiment
from alray.studies.sweep.plan import Plan, make_plan
from benchmarks.harness.timing import Phases

STUDY_DIMENSIONS = {"image": 1024, "text": 300}
"""Features of the data that the default network was made for."""

CLASSES = 50
VALIDATION, TEST = 0.1, 0.2


def make_pool(objects: int, dimensions: Mapping[str, int] | None = None) -> PreparedPool:
    """Return noise: standard normal float32 features, and labels by chance."""
    rng = np.random.default_rng(0)
    modalities = tuple(
        Modality(
            name,
            rng.standard_normal((objects, size), dtype=np.float32),
            np.arange(objects, dtype=np.int32),
            (size,),
        )
        for name, size in (dimensions or STUDY_DIMENSIONS).items()
    )
    return _with_parts(modalities, rng.integers(0, CLASSES, objects))


def first_of(pool: PreparedPool, objects: int) -> PreparedPool:
    """Return a pool of the first objects; its features are views."""
    modalities = tuple(
        Modality(one.name, one.features[:objects], one.rows[:objects], one.shape)
        for one in pool.modalities
    )
    return _with_parts(modalities, pool.labels[:objects])


def _with_parts(modalities: tuple[Modality, ...], labels: np.ndarray) -> PreparedPool:
    order = np.random.default_rng(1).permutation(len(labels))
    validation, test = round(VALIDATION * len(order)), round(TEST * len(order))
    parts = np.split(order, [validation, validation + test])
    validated, tested, train = (np.sort(part) for part in parts)
    return PreparedPool(modalities, labels, CLASSES, train, validated, tested)


def plan_for(prepared: PreparedPool, study: SweepSpec) -> Plan:
    """Return the plan of a study on a prepared pool that came from no file."""
    classes = tuple(map(str, range(prepared.class_count)))
    ids = np.arange(len(prepared)).astype(np.str_)
    pool = Pool("noise", ids, prepared.labels, classes, prepared.modalities, None, "noise")
    split = study.split.model_copy(update={"per": "study"})
    key = ViewKey(pool.fingerprint, study.pool.dtype, split.validation, split.test, None)
    return make_plan(
        study.model_copy(update={"split": split}), Pools(pool), SharedPool.of(prepared, [key])
    )


def margin_study(labels: int, query: int, model: ModelSpec | None = None) -> SweepSpec:
    """Return a study of one margin round; its passive phase only brings the run to where rounds begin."""
    return SweepSpec(
        model=model or ModelSpec(),
        strategies=("margin",),
        seeds=(0,),
        initial=labels,
        query=query,
        rounds=1,
        training=TrainingSpec(passive_epochs=1),
    )


class TimedRound:
    """The first round after the passive phase, of a pointwise strategy."""

    def __init__(self, run: RunSpec, pool: PoolTensors) -> None:
        self._run, self._pool = run, pool
        experiment = Experiment(run, pool, time.process_time)
        experiment.passive()
        self._state = experiment.state()

    def __call__(self) -> Phases:
        """Run it, and return the seconds by phase."""
        experiment = Experiment(self._run, self._pool, time.process_time, self._state)
        score, passes = engine.scores_of, []

        def timed_score(*args: Any, **options: Any) -> Any:
            begin = time.process_time()
            scored = score(*args, **options)
            passes.append(time.process_time() - begin)
            return scored

        with mock.patch.object(engine, "scores_of", timed_score):
            begin = time.process_time()
            record = experiment.next_round().record
            whole = time.process_time() - begin
        (scoring,) = passes
        return {
            "scoring": scoring,
            "selection": record["query_s"] - scoring,
            "training": record["fit_s"],
            "evaluation": record["eval_s"],
            "round": whole,
        }


class CommitteeScorer:
    """Scores the same objects of a pool by committees of any size."""

    def __init__(self, network: Network, pool: PoolTensors, objects: Indices) -> None:
        self._network, self._pool, self._objects = network, pool, objects

    def __call__(self, members: int) -> Tensor:
        """Return a score for each object."""
        request = Request(committee=Committee(members))
        masks = torch.Generator().manual_seed(0)
        scored = engine.score(self._network, self._pool, self._objects, request, masks)
        log_mean, mean_entropy = scored.committee_log_mean, scored.committee_mean_entropy
        if log_mean is None or mean_entropy is None:
            raise RuntimeError("a committee was asked for")
        return bald(log_mean, mean_entropy)
