"""Measures one query: `python -m benchmarks.strategies.worker STRATEGY OBJECTS QUERY LIMIT GIGABYTES`.

It prints a JSON line with the seconds of the signals, then one with those of the query and its megabytes; where the
query takes more than LIMIT processor seconds, the system ends this process.
"""

import ctypes
import gc
import json
import resource
import signal
import sys
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
import torch

from alray.networks.tensors import PoolTensors
from alray.pools.pool import Modality, PreparedPool
from alray.settings.common import TrainingSpec
from alray.settings.sweep import SweepSpec
from alray.strategies import canonical, parse
from alray.studies.sweep import experiment
from benchmarks.harness.processes import MEGABYTE, reset_peak, resident
from benchmarks.workloads import CLASSES, plan_for

FEATURES, LABELS, HELD_OUT = 256, 2_000, 1_000
"""Features of an object, labels before the query, and objects of the test and of the validation part."""

SPREAD = 0.4
"""Standard deviation of the classes' centres, where that of objects around them is 1."""


class MeasuredError(Exception):
    """Ends a round behind its query, which is all that is measured."""


def make_pool(objects: int, labels: int = LABELS, modalities: int = 1) -> PreparedPool:
    """Return a pool with this many candidates besides the labelled objects: a mixture of normals, a class each.

    Several modalities are equal parts of the features.
    """
    rng = np.random.default_rng(0)
    total = objects + labels + 2 * HELD_OUT
    numbers = rng.integers(0, CLASSES, total)
    centres = SPREAD * rng.standard_normal((CLASSES, FEATURES), dtype=np.float32)
    x = rng.standard_normal((total, FEATURES), dtype=np.float32)
    for start in range(0, total, 10_000):
        x[start : start + 10_000] += centres[numbers[start : start + 10_000]]
    rows = np.arange(total, dtype=np.int32)
    given = tuple(
        Modality(f"features {place}", np.ascontiguousarray(part), rows, part.shape[1:])
        for place, part in enumerate(np.split(x, modalities, axis=1))
    )
    parts = np.split(rng.permutation(total), [HELD_OUT, 2 * HELD_OUT])
    validation, test, train = (np.sort(part) for part in parts)
    return PreparedPool(given, numbers, CLASSES, train, validation, test)


def measure(
    text: str,
    pool: PreparedPool,
    labels: int,
    query: int,
    limits: "Limits",
    *,
    tell: Callable[..., None],
) -> None:
    """Tell the figures of a strategy's first query."""
    study = SweepSpec(
        strategies=(text,),
        seeds=(0,),
        initial=labels,
        query=query,
        rounds=1,
        training=TrainingSpec(passive_epochs=3),
    )
    runs = plan_for(pool, study).runs
    # Random arms may have been added, that others are compared with.
    run = next(run for run in runs if run.strategy == canonical(text))
    running = experiment.Experiment(run, PoolTensors(pool), time.process_time)
    running.passive()
    kind = type(parse(text))
    select, begin = kind.select, time.process_time()

    def timed(self: Any, signals: Any, k: int, rng: np.random.Generator) -> Any:
        tell(signals_s=time.process_time() - begin)
        with limits:
            before = _settled_memory()
            began = time.process_time()
            select(self, signals, k, rng)
            seconds = time.process_time() - began
        tell(query_s=seconds, megabytes=max(0.0, resident()["VmHWM"] - before))
        raise MeasuredError

    # A pointwise strategy is given the signals of blocks otherwise, and its time cannot be told from theirs.
    with (
        mock.patch.object(experiment, "is_pointwise", return_value=False),
        mock.patch.object(kind, "select", timed),
    ):
        try:
            running.next_round()
        except MeasuredError:
            return
    raise RuntimeError("the round has asked for no query")


class Limits:
    """Processor seconds and memory that a query may take, within a `with` statement."""

    def __init__(self, seconds: float, gigabytes: float) -> None:
        self._seconds, self._bytes = seconds, int(gigabytes * 1e9)

    def __enter__(self) -> None:
        virtual = int(resident()["VmSize"] * MEGABYTE)
        resource.setrlimit(resource.RLIMIT_AS, (virtual + self._bytes, resource.RLIM_INFINITY))
        signal.setitimer(signal.ITIMER_PROF, self._seconds)

    def __exit__(self, *_: object) -> None:
        signal.setitimer(signal.ITIMER_PROF, 0)
        resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


def _settled_memory() -> float:
    """Return the megabytes in memory, after what was freed has gone back to the system."""
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    reset_peak()
    return resident()["VmRSS"]


def _print(**values: float) -> None:
    print(json.dumps(values), flush=True)


def main(text: str, objects: int, query: int, limits: Limits) -> None:
    """Measure a query, after a small one that loads what it needs and is not told of."""
    torch.set_num_threads(1)
    # Side heads are those of modalities, and a single one has none.
    modalities = 2 if parse(text).needs.side_heads else 1
    measure(text, make_pool(300, 100, modalities), 100, 5, limits, tell=lambda **_: None)
    measure(text, make_pool(objects, LABELS, modalities), LABELS, query, limits, tell=_print)


if __name__ == "__main__":
    strategy, *numbers = sys.argv[1:]
    main(strategy, int(numbers[0]), int(numbers[1]), Limits(*map(float, numbers[2:])))
