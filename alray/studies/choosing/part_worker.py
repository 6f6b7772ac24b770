"""Choose the best objects of one part of a pool: the same code in this process and in a Ray task."""

import os
import resource
import time
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
import torch

from alray.custom.finding import prepare_worker
from alray.errors import AlrayError
from alray.networks.products import use_products
from alray.pools.files.parts import Part
from alray.pools.slices import Counts, Slice
from alray.studies.choosing.ranked import Ranked, best_together
from alray.studies.choosing.rule import Rule
from alray.studies.choosing.scoring import SliceScorer
from alray.studies.choosing.work import Choosing
from alray.studies.devices import precision, take_device


@dataclass(frozen=True)
class PartJob:
    """Read a part of a pool, and return its best objects.

    Attributes:
        part: The part.
        limit: Cost above which nothing can be among the best of the whole pool: it need not be returned.
    """

    part: Part
    limit: float = np.inf

    @property
    def name(self) -> str:
        """Unique within a choice."""
        return f"part-{self.part.number}"

    @property
    def title(self) -> str:
        """The part's name in messages."""
        return f"part {self.part.number} ({self.part.rows:,} rows)"


@dataclass(frozen=True)
class Costs:
    """What a part took.

    Attributes:
        reading: Seconds of reading and decoding.
        scoring: Seconds of standardising, scoring and ranking.
        process: Number of the process.
        peak: Most bytes that the process has had in memory so far.
    """

    reading: float = 0.0
    scoring: float = 0.0
    process: int = 0
    peak: int = 0


@dataclass(frozen=True, eq=False)
class PartDone:
    """The best objects of a part, or why the pool cannot be used.

    Attributes:
        part: The part.
        ranked: Its best objects; None where it has no candidate.
        counts: Its rows.
        costs: What it took.
        refused: What is wrong with the part, so that nothing can be chosen.
        host: Where it was read.
    """

    part: Part
    ranked: Ranked | None = None
    counts: Counts = field(default_factory=Counts)
    costs: Costs = Costs()
    refused: AlrayError | None = None
    host: str = ""

    @property
    def job(self) -> str:
        """The job's name."""
        return PartJob(self.part).name

    @property
    def done(self) -> Literal[True]:
        """A part has one result."""
        return True


class PartWorker:
    """Reads one part at a time."""

    def __init__(self, work: Choosing, checksum: int, host: str = "") -> None:
        prepare_worker(work.code)
        torch.set_num_threads(work.execution.cpus_per_run)
        use_products(work.execution.products)
        self._device = take_device(work.execution)
        self._work, self._checksum, self._host = work, checksum, host
        self._scorer: SliceScorer | None = None
        self._job: PartJob | None = None

    def start(self, job: PartJob, start_from: bytes | None) -> None:  # noqa: ARG002 -- the protocol's argument
        """Take a part."""
        self._job = job

    def advance(self) -> PartDone:
        """Read the part, and return its best objects."""
        if self._job is None:
            raise RuntimeError("the worker has no part")
        job, self._job = self._job, None
        try:
            with precision(self._work.execution):
                done = self._best(job)
        except AlrayError as error:  # the input's fault: on another node it would be the same
            return PartDone(job.part, refused=error, host=self._host)
        return replace(done, host=self._host)

    def final_report(self) -> None:
        """Return nothing: half a part is of no use."""

    def close(self) -> None:
        """Check that the shared weights are as they were.

        Raises:
            RuntimeError: Something wrote into them.
        """
        self._work.verify(self._checksum)

    def _best(self, job: PartJob) -> PartDone:
        work, counts = self._work, Counts()
        work.require_same_code()
        rule, limit = work.rule, job.limit
        if self._scorer is None and rule.scorer is not None:
            self._scorer = SliceScorer(work.trained, rule.scorer, work.seed, self._device)
        best: Ranked | None = None
        reading = scoring = 0.0
        slices = work.pool.slices(job.part, counts)
        while True:
            begin = time.perf_counter()
            objects = next(slices, None)
            reading += time.perf_counter() - begin
            if objects is None:
                break
            begin = time.perf_counter()
            ranked = self._rank(rule, objects, limit)
            best = (
                ranked.best(rule.keep)
                if best is None
                else best_together([best, ranked], rule.keep)
            )
            limit = min(limit, best.worst(rule.keep))
            scoring += time.perf_counter() - begin
        peak = 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return PartDone(job.part, best, counts, Costs(reading, scoring, os.getpid(), peak))

    def _rank(self, rule: Rule, objects: Slice, limit: float) -> Ranked:
        """Return those of the objects that may be among the best, with their draws."""
        if self._scorer is None:
            scores = np.full(len(objects.ids), np.nan)
        else:
            scores = self._scorer.scores(objects)
        costs = rule.costs(objects.ids, scores, self._work.seed)
        if len(costs) > rule.keep:
            limit = min(limit, float(np.partition(costs, rule.keep - 1)[rule.keep - 1]))
        kept = np.flatnonzero(costs <= limit)
        some = objects.some(kept)
        # Draws take longer than a comparison: only those of objects that may be chosen are made.
        draws = self._work.seed.draws(some.ids)
        features = some.modalities if rule.compares else ()
        return Ranked(costs[kept], draws, some.ids, some.rows, scores[kept], features)


def make_part_worker(work: Choosing, checksum: int) -> PartWorker:
    """Return a worker of another process."""
    return PartWorker(work, checksum)
