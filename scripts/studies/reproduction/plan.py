"""What a call of `scripts/studies/reproduce` runs, in order, and how long that takes."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from studies.reproduction.datasets import DataSet
from studies.reproduction.parts import SEEDS, Correlation, Part, Sweep

QUERY_SECONDS: Mapping[str, float] = {"random": 0.0, "committee": 0.6, "bald": 0.6}
"""Seconds of one core for a query on icons, by the first word of a strategy; `OTHER_QUERY` for the others."""

OTHER_QUERY = 0.19
PASSIVE_SECONDS, FIT_SECONDS, EVALUATION_SECONDS = 2.1, 0.06, 0.1
CORES = 2
EFFICIENCY = 0.92
START_SECONDS = 12.0
"""From a sweep's command to its first round, on Ray."""

TRAIN_PARTS: Mapping[str, int] = {"icons": 34_842, "twin": 42_000, "mnist": 60_200}
SMALL_TRAIN_PART = 400


@dataclass(frozen=True)
class Step:
    """A sweep or a correlation study on one data set."""

    data: DataSet
    study: Sweep | Correlation
    parts: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name of its folder."""
        return f"{self.data.name}-{self.study.name}"

    @property
    def minutes(self) -> float:
        """How long it takes on two cores like those of the plan's constants."""
        if isinstance(self.study, Correlation):
            return self.study.minutes * CORES / (CORES * EFFICIENCY)
        return START_SECONDS / 60 + core_seconds(self) / CORES / EFFICIENCY / 60


def steps_of(
    parts: Iterable[Part], data: Mapping[str, DataSet], *, small: bool = False
) -> list[Step]:
    """Return what the parts need on these data sets, each study once, data set by data set."""
    needed: dict[tuple[str, str], Step] = {}
    for part in parts:
        for name in part.data:
            studies: tuple[Sweep | Correlation, ...] = (*part.sweeps, *part.correlations)
            for study in studies if name in data else ():
                at = (name, f"{type(study).__name__} {study.name}")
                before = needed[at].parts if at in needed else ()
                own = _small(study) if small else study
                needed[at] = Step(data[name], own, (*before, part.name))
    order = list(data)
    return sorted(needed.values(), key=lambda step: order.index(step.data.name))


def rounds_of(step: Step, *, small: bool = False) -> int:
    """Return the rounds of a sweep: its own, or as many as end just before the train part does."""
    assert isinstance(step.study, Sweep)
    if step.study.rounds is not None:
        return step.study.rounds
    train = SMALL_TRAIN_PART if small else TRAIN_PARTS[step.data.name]
    rounds = int(train * 0.995 - step.data.initial) // step.study.query
    return rounds - rounds % step.study.every


def core_seconds(step: Step) -> float:
    """Return the seconds of one core that a sweep takes."""
    study = step.study
    assert isinstance(study, Sweep)
    rounds = rounds_of(step)
    variants = 1
    for values in study.vary.values():
        variants *= len(values)
    evaluations = 1 + rounds / study.every
    each = [
        PASSIVE_SECONDS
        + rounds * (_query_seconds(name) + FIT_SECONDS + study.seconds)
        + evaluations * EVALUATION_SECONDS
        for name in study.strategies
    ]
    return SEEDS * variants * step.data.pace * sum(each)


def _query_seconds(strategy: str) -> float:
    words = strategy.partition(":")[0].split("_")
    return QUERY_SECONDS.get(words[0], OTHER_QUERY)


def plan_lines(steps: Sequence[Step]) -> Iterator[str]:
    """Yield the plan: a line for each study with its minutes on two cores, and the sums."""
    width = max((len(step.name) for step in steps), default=0)
    for step in steps:
        yield f"{step.name:<{width}} {step.minutes:5.0f} min  {', '.join(step.parts)}"
    for name in dict.fromkeys(step.data.name for step in steps):
        total = sum(step.minutes for step in steps if step.data.name == name)
        yield f"{'all of ' + name:<{width}} {total:5.0f} min"
    total = sum(step.minutes for step in steps)
    yield f"{'everything':<{width}} {total:5.0f} min on {CORES} cores; what is finished is kept"


def _small(study: Sweep | Correlation) -> Sweep | Correlation:
    """Return a study of the same shape that takes seconds."""
    if isinstance(study, Correlation):
        options = (*_fewer(study.options), "--set", "training.passive_epochs=4")
        return replace(study, options=options)
    settings = {
        name: "32" if name == "training.batch_size" else value
        for name, value in study.settings.items()
    }
    settings["training.passive_epochs"] = "4"
    if study.rounds is None:
        return replace(study, query=60, settings=settings)
    every = min(study.every, 2)
    return replace(
        study, rounds=4 if study.rounds else 0, query=10, every=every, settings=settings
    )


def _fewer(words: Sequence[str]) -> Iterator[str]:
    """Yield the options of a correlation study with small numbers in the place of its own."""
    few = {
        "--sample": "40",
        "--bases": "2",
        "--group-size": "2",
        "--initial": "60",
        "--test": "60",
    }
    few |= {"--epochs": "1,2", "--fine-tune-seeds": "1"}
    before = ""
    for word in words:
        yield few.get(before, word)
        before = word
