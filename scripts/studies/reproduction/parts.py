"""The parts of the study run again: which sweeps and correlation studies each needs, and which arms it compares.

A part is a figure or table of the published study. Several parts may read the same sweep; it runs once.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

SEEDS = 8
REFERENCE = "random"

PROTOCOL: Mapping[str, str] = {
    "training.batch_size": "512",
    "training.batch_rule": "published",
}
"""The study's own training settings, where they differ from alray's defaults."""


@dataclass(frozen=True)
class Sweep:
    """A sweep on each data set of the parts that read it.

    Attributes:
        name: Its folder, after the data set's name.
        strategies: As `alray sweep --strategies` takes them.
        rounds: Rounds; None: as many as the train part has, for the run to its end.
        query: Labels queried in a round.
        every: Rounds from one evaluation to the next.
        settings: Settings by dotted name.
        vary: Varied settings, each with its values.
        seconds: What a round takes beyond its query: the fit, where that is no epoch of fine-tuning.
    """

    name: str
    strategies: tuple[str, ...]
    rounds: int | None = 60
    query: int = 20
    every: int = 5
    settings: Mapping[str, str] = field(default_factory=lambda: PROTOCOL)
    vary: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    seconds: float = 0.0


@dataclass(frozen=True)
class Correlation:
    """A correlation study on each data set of the parts that read it; `options` are those of `alray correlate`."""

    name: str
    options: tuple[str, ...]
    minutes: float


@dataclass(frozen=True)
class Arm:
    """An arm as a part calls it: one of a sweep's."""

    sweep: str
    strategy: str
    variant: str = ""

    @property
    def recorded(self) -> str:
        """Its name in the records of the sweep."""
        return f"{self.strategy} [{self.variant}]" if self.variant else self.strategy


@dataclass(frozen=True)
class Part:
    """A figure or table of the study.

    Attributes:
        name: As on the command line.
        figures: The study's figures and tables that it stands for.
        title: What it is about, in a line.
        data: Names of data sets.
        sweeps: What has to run.
        correlations: The same, of correlation studies.
        arms: Name on the page: arm of a sweep.
        pairs: Arms that are compared: (arm, against), tested together.
        metric: Column of the records that pairs are compared by.
    """

    name: str
    figures: str
    title: str
    data: tuple[str, ...] = ("icons", "twin")
    sweeps: tuple[Sweep, ...] = ()
    correlations: tuple[Correlation, ...] = ()
    arms: Mapping[str, Arm] = field(default_factory=dict)
    pairs: tuple[tuple[str, str], ...] = ()
    metric: str = "accuracy"


def arms_of(sweep: Sweep, *strategies: str) -> dict[str, Arm]:
    """Return arms without a variant under names to read: those of their strategies."""
    return {titled(name): Arm(sweep.name, name) for name in strategies or sweep.strategies}


def titled(strategy: str) -> str:
    """Return a strategy as the page writes it: `least_confidence` is least confidence, `bald` is BALD."""
    name = strategy.partition(":")[0]
    return "BALD" if name == "bald" else name.replace("_", " ")


def against(reference: str, *arms: str) -> tuple[tuple[str, str], ...]:
    """Return pairs of arms with one reference."""
    return tuple((arm, reference) for arm in arms)


def without(settings: Mapping[str, str], *names: str) -> dict[str, str]:
    """Return settings without those that vary."""
    return {name: value for name, value in settings.items() if name not in names}
