"""Validated, frozen settings of a correlation study: what `alray correlate` executes."""

from typing import Annotated, Literal, get_args

from pydantic import BeforeValidator, Field, model_validator

from alray.settings.base import Count, Settings, StudyName, refuse_repeats
from alray.settings.common import ExecutionSpec, ModelSpec, PoolSpec, SplitSpec, TrainingSpec

Score = Literal["loss", "margin", "entropy", "least_confidence", "bald"]
GroupingKind = Literal["score", "within_class", "random"]
Outcome = Literal["accuracy", "nll", "macro_f1"]

SCORES: tuple[Score, ...] = get_args(Score)
GROUPINGS: tuple[GroupingKind, ...] = get_args(GroupingKind)
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
DOSES = (1, 2, 5, 10, 20)
ORIGINAL_DOSES = (1, 2, 3, 4, 5)


def _words(value: object) -> object:
    """Read `loss,margin` and `5` as lists, as they are typed on a command line."""
    if isinstance(value, str):
        return tuple(word.strip() for word in value.split(",") if word.strip())
    return (value,) if isinstance(value, int) and not isinstance(value, bool) else value


class CorrelationSpec(Settings):
    """Fine-tunes groups of objects from common weights: does a score predict how useful a group is?"""

    name: StudyName | None = Field(
        None, description="the study's folder; <pool>-correlation where empty"
    )
    seed: int = Field(0, description="study seed: decides the split and every draw")
    pool: PoolSpec = PoolSpec()
    split: SplitSpec = SplitSpec()
    model: ModelSpec = ModelSpec()
    training: TrainingSpec = TrainingSpec()
    scores: Annotated[tuple[Score, ...], BeforeValidator(_words)] = Field(
        SCORES, description="scores that groups are sorted by"
    )
    members: Count = Field(10, description="members of the committee that BALD is computed with")
    grouping: Annotated[tuple[GroupingKind, ...], BeforeValidator(_words)] = Field(
        GROUPINGS, description="how the sample is cut into groups"
    )
    initial: Count | None = Field(
        None,
        description="random labels of the warm start; where empty 2,000 or a tenth of the train part, and as many "
        "more as it takes to hold every class",
    )
    sample: Count | None = Field(
        None,
        description="unlabelled objects to score; where empty 10,000, or as many as fill groups",
    )
    group_size: Annotated[int, Field(ge=2)] | None = Field(
        None,
        description="objects in a group; where empty 100, or a hundredth of what is unlabelled",
    )
    bases: Count = Field(3, description="base models, each with initial labels of its own")
    fine_tune_seeds: Count = Field(5, description="fine-tunes of each group")
    epochs: Annotated[tuple[Count, ...], BeforeValidator(_words)] = Field(
        DOSES, description="doses: epochs after which a fine-tune is evaluated"
    )
    replay: Literal["none", "initial"] = Field(
        "none", description="fine-tune on the group alone, or on the initial labels besides"
    )
    outcome: Outcome = Field("accuracy", description="what verdicts are about")
    test: Count = Field(5_000, description="most objects of the test part to evaluate on")
    compat: Literal["original"] | None = Field(
        None, description="original: the published protocol's choices, its sliding window apart"
    )
    execution: ExecutionSpec = ExecutionSpec()

    @model_validator(mode="after")
    def _is_consistent(self) -> "CorrelationSpec":
        if list(self.epochs) != sorted(set(self.epochs)):
            raise ValueError(f"epochs must rise: {','.join(map(str, sorted(set(self.epochs))))}")
        named = (("scores", self.scores), ("grouping", self.grouping), ("epochs", self.epochs))
        for key, values in named:
            if not values:
                raise ValueError(f"{key}: name at least one")
            refuse_repeats(key, values)
        if self.training.mode == "scratch":
            raise ValueError("training.mode: a correlation study fine-tunes; scratch has no place")
        if self.training.loss_prediction is not None:
            raise ValueError("training.loss_prediction has no place in a correlation study")
        return self

    @model_validator(mode="before")
    @classmethod
    def _as_published(cls, values: object) -> object:
        """Let `compat: original` set what is not set otherwise."""
        if isinstance(values, dict) and values.get("compat") == "original":
            original = {
                "fine_tune_seeds": 1,
                "replay": "initial",
                "epochs": ORIGINAL_DOSES,
                "grouping": ("score",),
                "outcome": "accuracy",
            }
            return {**original, **values}
        return values
