"""One round of a run, again and again from the same state, with the processor seconds of its phases."""

import time

from benchmarks.timing import Phases
from typing_extensions import override

from alray.networks.tensors import PoolTensors
from alray.pools.pool import Indices
from alray.settings.run import RunSpec
from alray.strategies.signals import Request, Signals
from alray.studies.sweep.experiment import Experiment


class TimedExperiment(Experiment):
    """A run that also tells how long its scoring pass took."""

    scoring = 0.0

    @override
    def _signals(self, candidates: Indices, needs: Request, *, int8: bool = False) -> Signals:
        begin = time.process_time()
        signals = super()._signals(candidates, needs, int8=int8)
        self.scoring += time.process_time() - begin
        return signals


class Round:
    """The first round after the passive phase."""

    def __init__(self, run: RunSpec, pool: PoolTensors) -> None:
        self._run, self._pool = run, pool
        experiment = Experiment(run, pool, time.process_time)
        experiment.passive()
        self._state = experiment.state()

    def __call__(self) -> Phases:
        """Play it, and return the seconds by phase."""
        experiment = TimedExperiment(self._run, self._pool, time.process_time, self._state)
        begin = time.process_time()
        record = experiment.next_round().record
        whole = time.process_time() - begin
        return {
            "scoring": experiment.scoring,
            "selection": record["query_s"] - experiment.scoring,
            "training": record["fit_s"],
            "evaluation": record["eval_s"],
            "round": whole,
        }
