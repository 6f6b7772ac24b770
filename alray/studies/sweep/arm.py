"""An arm of a sweep: what is compared."""

from dataclasses import dataclass, replace

from alray.settings.common import ModelSpec, TrainingSpec
from alray.settings.estimators import class_of
from alray.settings.questions import ClassSet
from alray.settings.sweep import SweepSpec
from alray.strategies import Strategy


@dataclass(frozen=True)
class Arm:
    """A strategy with its parameters and training settings: what is compared.

    Attributes:
        label: Its name in records and reports, unique within the study.
        text: The strategy as it is written.
        variant: The varied settings that differ from the study's own, "" where none does.
        study: The study's settings as they hold for it: the varied ones, and in training the loss predictor if the
            strategy wants one.
        options: The strategy with all of its options.
        strategy_code: A hash of the source of a custom strategy, None for a built-in one.
        model_code: The same of a custom network.
        against: The arm that it is compared with, "" where it is the random arm of its variant.
        added: Whether the study has it only because others are compared with it.
        sets: The sets of classes that it may ask about; None where its runs build their own, or nothing is asked.
    """

    label: str
    text: str
    strategy: Strategy
    variant: str
    study: SweepSpec
    options: str
    strategy_code: str | None
    model_code: str | None
    against: str = ""
    added: bool = False
    sets: tuple[ClassSet, ...] | None = None

    @property
    def model(self) -> ModelSpec:
        """The network's settings."""
        return self.study.model

    @property
    def training(self) -> TrainingSpec:
        """The fit's settings."""
        return self.study.training


def without_stopping(arm: Arm) -> Arm:
    """Return the arm, of which a scikit-learn classifier learns from all labels: nothing stops its fits early."""
    if class_of(arm.model.name) is None:
        return arm
    training = arm.training.model_copy(update={"stopping": "fixed_epochs"})
    return replace(arm, study=arm.study.model_copy(update={"training": training}))
