"""All scores of a pool exactly and in each low precision, and which of the exact choice a screen would let through."""

import statistics
import time
from collections.abc import Callable
from functools import partial

import numpy as np
import numpy.typing as npt

from alray.networks.generators import torch_generator
from alray.networks.kernels import has_int8
from alray.networks.tensors import PoolTensors
from alray.scoring import engine
from alray.settings.common import Precision
from alray.settings.sweep import ScreenSpec
from alray.strategies.base import ScoreStrategy
from alray.strategies.committee import Bald
from alray.strategies.uncertainty import Margin
from alray.studies.sweep.experiment import Experiment
from alray.studies.sweep.screening import recall, shortlist, shortlist_size
from benchmarks.harness.tables import Table
from benchmarks.harness.timing import ratio, take_turns
from benchmarks.products import use_faster_products
from benchmarks.workloads import make_pool, margin_study, plan_for

OBJECTS, DIMENSIONS = 48_000, {"image": 128, "text": 128}
LABELS, QUERY = 700, 20
STRATEGIES: dict[str, ScoreStrategy] = {"margin": Margin(), "bald": Bald(members=10)}
WAYS: dict[str, Precision | None] = {
    "exact": None,
    **({"int8": "int8"} if has_int8() else {}),
    "bf16": "bf16",
}

Scores = npt.NDArray[np.float64]


def measure_screens(repetitions: int) -> Table:
    """Return the milliseconds of all scores in each way, and the recall of the exact choice, a row per strategy."""
    study = margin_study(LABELS, QUERY)
    prepared = make_pool(OBJECTS, DIMENSIONS)
    pool, objects = PoolTensors(prepared), np.arange(OBJECTS)
    begun = Experiment(plan_for(prepared, study).runs[0], pool, time.process_time)
    begun.passive()
    network = begun.learner.network
    use_faster_products(network, study.training.batch_size)

    def scores(strategy: ScoreStrategy, precision: Precision | None) -> Scores:
        masks = torch_generator(0)
        if precision is None:
            return engine.scores_of(strategy, network, pool, objects, masks)
        return engine.rounded_scores_of(strategy, network, pool, objects, precision, masks)

    rows: list[list[str]] = []
    for name, strategy in STRATEGIES.items():
        actions = {way: _timed(partial(scores, strategy, each)) for way, each in WAYS.items()}
        turns = take_turns(actions, repetitions)
        seconds = {way: [second for second, _ in each] for way, each in turns.items()}
        found = {way: each[-1][1] for way, each in turns.items()}
        rows += [
            [
                name,
                way,
                f"{1e3 * statistics.median(seconds[way]):.0f}",
                f"{ratio(seconds[way], seconds['exact']):.2f}",
                f"{_recall(strategy, found['exact'], found[way]):.2f}",
            ]
            for way in WAYS
        ]
    share = ScreenSpec().share
    return Table(
        f"All scores of {OBJECTS:,} objects x {sum(DIMENSIONS.values())} on one core, and recall of the best {QUERY} "
        f"on a shortlist of {share:.0%}",
        ["strategy", "scores", "ms", "of exact", "recall"],
        rows,
    )


def _timed(action: Callable[[], Scores]) -> Callable[[], tuple[float, Scores]]:
    """Return a function that returns the processor seconds of the action, and its result."""

    def run() -> tuple[float, Scores]:
        begin = time.process_time()
        found = action()
        return time.process_time() - begin, found

    return run


def _recall(strategy: ScoreStrategy, exact: Scores, near: Scores) -> float:
    objects = np.arange(len(exact))
    count = shortlist_size(ScreenSpec(), len(exact), QUERY)
    chosen = shortlist(objects, exact, QUERY, largest=strategy.largest)
    return recall(chosen, shortlist(objects, near, count, largest=strategy.largest))
