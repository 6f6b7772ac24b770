"""Runs in this process, round by round."""

import itertools

from alray.networks.tensors import PoolTensors
from alray.studies.sweep.experiment import Experiment
from tests.helpers.builders import make_pool

POOL = make_pool(absent=0.3)


def clock():
    """Return a clock that ticks at every look."""
    ticks = itertools.count()
    return lambda: float(next(ticks))


def experiment(run, pool=POOL, state=None):
    return Experiment(run, PoolTensors(pool), clock(), state)


def after_passive(run, pool=POOL):
    """Return an experiment after its passive phase."""
    running = experiment(run, pool)
    running.passive()
    return running


def complete(run, pool=POOL):
    """Return a run's results and its state after each round."""
    running = experiment(run, pool)
    results, states = [running.passive()], [running.state().to_bytes()]
    while not running.finished:
        results.append(running.next_round())
        states.append(running.state().to_bytes())
    return results, states
