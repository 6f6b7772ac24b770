"""Progress of a sweep: a line per run in progress on a terminal, a line per finished run elsewhere."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rich.console import RenderableType
from rich.text import Text
from typing_extensions import override

from alray.analysis.sweep.full_data import BY_TRUE_LABELS
from alray.analysis.wording import count, share
from alray.cli.display.phrases import duration, features, study_title
from alray.cli.display.progress import Display
from alray.cli.display.questions import question_lines
from alray.cli.display.tables import Column, FittingTable
from alray.settings.sweep import SweepSpec
from alray.studies.events import Failure
from alray.studies.executor import NamedJob
from alray.studies.sweep.jobs import Job
from alray.studies.sweep.observer import Observer
from alray.studies.sweep.plan import Plan
from alray.studies.sweep.status import RunStatus


@dataclass
class _Running:
    """A job in progress, with the record of its last round and the accuracy that was computed last, NaN before."""

    job: Job
    host: str
    record: Mapping[str, Any] = field(default_factory=dict)
    accuracy: float = math.nan

    def take(self, record: Mapping[str, Any]) -> None:
        """Another round has ended."""
        self.record = record
        if not math.isnan(record["accuracy"]):
            self.accuracy = record["accuracy"]


class SweepDisplay(Display, Observer):
    """Counts rounds in the bar, and runs in words."""

    unit = "round"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._jobs: dict[str, _Running] = {}
        self._runs = self._finished = 0

    @override
    def begin(self, plan: Plan, runs: Mapping[str, RunStatus]) -> None:
        self._runs = len(runs)
        self._finished = sum(run.finished for run in runs.values())
        before = f"{count(self._finished, 'run')} finished before" if self._finished else ""
        self._open(sweep_headline(plan), total=rounds_left(runs.values()), done=0, before=before)

    @override
    def started(self, job: NamedJob, host: str) -> None:
        if isinstance(job, Job):
            self._jobs[job.name] = _Running(job, host)
            self._hosts.add(host)

    @override
    def progressed(self, name: str, run: RunStatus | None, record: Mapping[str, Any]) -> None:
        if name in self._jobs:
            self._jobs[name].take(record)
        self._done += run is not None

    @override
    def ended(self, name: str, run: RunStatus | None) -> None:
        job = self._jobs.pop(name, None)
        record = job.record if job else {}
        accuracy = share(job.accuracy if job else None)
        self._finished += run is not None
        if self._live is not None:
            return
        if run is None:
            self._say(f"passive phase done, accuracy {accuracy}")
            return
        self._say(
            f"[{self._finished}/{self._runs}] {run.run.arm}, seed {run.run.seed}: accuracy {accuracy} at "
            f"{record.get('labels', 0):,} labels, {duration(run.seconds)}" + self._on(run.host)
        )

    @override
    def failed(self, run: RunStatus) -> None:
        self._jobs.pop(run.run_id, None)
        self._say(f"failed: {run.run.arm}, seed {run.run.seed}: {run.error}", "red")

    @override
    def lost(self, job: NamedJob, failure: Failure, resumes_after: int | None) -> None:
        self._jobs.pop(job.name, None)
        super().lost(job, failure, resumes_after)

    @override
    def moved(self, job: NamedJob, failure: Failure) -> None:
        self._jobs.pop(job.name, None)
        super().moved(job, failure)

    @override
    def _state(self) -> str:
        return f"{self._finished:,}/{count(self._runs, 'run')}"

    @override
    def _running(self) -> str:
        if len(self._hosts) < 2:
            return ""
        hosts = Counter(each.host for each in self._jobs.values())
        return ", ".join(f"{number} on {host}" for host, number in sorted(hosts.items()))

    @override
    def _current(self) -> RenderableType | None:
        if not self._jobs:
            return Text("") if self._hosts else None
        table = FittingTable([Column("", "name"), *(Column("") for _ in range(4))])
        for each in self._jobs.values():
            passive = each.job.start_from is None
            name = "passive phase" if passive else each.job.run.arm
            progress = ("", "")
            if each.record:
                at = f"round {each.record['round']}/{each.job.until}"
                known = not math.isnan(each.accuracy)
                progress = (at, f"accuracy {share(each.accuracy)}" if known else "")
            host = self._on(each.host).removeprefix(", ")
            table.add(f"  {name}", f"seed {each.job.run.seed}", *progress, host)
        return table


def rounds_left(runs: Iterable[RunStatus]) -> int:
    """Return how many rounds, the passive phase counted as one, unfinished runs still have to do."""
    return sum(run.run.rounds - run.rounds_done for run in runs if not run.finished)


def _parts(plan: Plan) -> str:
    """Return how large the parts of the split are, in all splits that runs have."""
    sizes = zip(*(view.sizes() for view in plan.shared.views.values()), strict=True)
    ranges = [
        f"{min(each):,}" + (f" to {max(each):,}" if min(each) < max(each) else "")
        for each in sizes
    ]
    per_seed = {run.split.per == "seed" for run in plan.runs}
    drawn = "drawn for each seed" if True in per_seed else "the same for all seeds"
    drawn += " or the same for all, by arm" * (len(per_seed) > 1)
    return "train {}, validation {}, test {}".format(*ranges) + f", {drawn}"


def sweep_headline(plan: Plan) -> list[str]:
    """Return lines that say what the study is."""
    study = plan.study
    compared = len(plan.arms) * len(study.seeds)
    full = len(plan.runs) - compared
    on_full_data = f", and {full:,} on full data" if full else ""
    if full and study.crowd is not None:
        on_full_data += f" ({BY_TRUE_LABELS})"
    return [
        f"{study_title(str(study.name), plan.pool, study.pool.source)}: {features(plan.pool, study.pool)}",
        _parts(plan),
        f"{count(len(plan.arms), 'arm')} x {count(len(study.seeds), 'seed')} = {count(compared, 'run')}{on_full_data}; "
        f"{_labels(study)}",
        *([] if study.crowd is None else [f"labels by a crowd: {study.crowd.words}"]),
        *question_lines(plan),
        *_evaluations(plan),
        f"outside this budget: {plan.labels_outside.words}",
    ]


def _labels(study: SweepSpec) -> str:
    begun = f"{study.initial:,} labels"
    if study.initial_selection != "random":
        begun += f" by {study.initial_selection}"
    if study.rounds == 0:
        return f"{begun}, no rounds"
    # Answers that are bought about labelled objects leave fewer new ones.
    again = study.crowd is not None and study.crowd.relabel == "active_lab"
    rounds = f"{count(study.rounds, 'round')} of {study.query:,}"
    return f"{begun}, then {rounds} to {'at most ' * again}{study.budget:,}"


def _evaluations(plan: Plan) -> list[str]:
    """Return a line on what is gained and lost where not every round is evaluated."""
    every = plan.study.evaluate_every
    if every == 1:
        return []
    studies = [arm.study for arm in plan.arms]
    numbers = dict.fromkeys((each.rounds // every + 1, each.rounds + 1) for each in studies)
    evaluations = " or ".join(
        f"{done:,} instead of {all_rounds:,}" for done, all_rounds in numbers
    )
    steps = sorted({every * each.query for each in studies})
    ends = sorted({each.budget for each in studies})
    before = f"; with whole such steps arms end at {ends[0]:,} to {ends[-1]:,} labels"
    return [
        f"evaluated every {count(every, 'round')}: {evaluations} evaluations a run, and curves and savings are read "
        f"every {' or '.join(f'{step:,}' for step in steps)} labels{before * (len(ends) > 1)}"
    ]
