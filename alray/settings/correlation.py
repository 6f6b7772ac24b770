"""Settings of a correlation study, which `alray correlate` executes."""

from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from alray.settings.base import Count, Listed, Settings, StudyName, refuse_repeats
from alray.settings.common import ExecutionSpec, ModelSpec, PoolSpec, SplitSpec, TrainingSpec
from alray.settings.compat import ORIGINAL_CORRELATION, as_original
from alray.settings.seeds import SeedCount

Score = Literal["loss", "margin", "entropy", "least_confidence", "bald"]
GroupingKind = Literal["score", "within_class", "random"]
Outcome = Literal["accuracy", "nll", "macro_f1"]

SCORES: tuple[Score, ...] = get_args(Score)
GROUPINGS: tuple[GroupingKind, ...] = get_args(GroupingKind)
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)
USUAL_GROUPINGS: tuple[GroupingKind, ...] = ("score", "random")
DOSES = (1, 4)
MATTERS = 0.1
"""An effect counts from a tenth of what a group changes on average."""


class CorrelationSpec(Settings):
    """Fine-tunes of groups of objects from common weights: does a score predict how useful a group is?"""

    name: StudyName | None = Field(
        None, description="the study's folder; <pool>-correlation if not given"
    )
    seed: int = Field(0, description="study seed: decides the split and every draw")
    pool: PoolSpec = PoolSpec()
    split: SplitSpec = SplitSpec()
    model: ModelSpec = ModelSpec()
    training: TrainingSpec = TrainingSpec()
    scores: Annotated[tuple[Score, ...], Listed] = Field(
        SCORES,
        description="scores to sort by: any of loss, margin, entropy, least_confidence, bald",
    )
    members: Count = Field(10, description="members of the committee that BALD is computed with")
    grouping: Annotated[tuple[GroupingKind, ...], Listed] = Field(
        USUAL_GROUPINGS,
        description="how the sample is cut into groups: any of score, within_class, random",
    )
    initial: Count | None = Field(
        None,
        description="random labels of a base model; if not given, 2,000 or a tenth of the train part, and as many "
        "more as it takes to hold every class",
    )
    sample: Count | None = Field(
        None,
        description="unlabelled objects to score; if not given, 10,000, or as many as fill groups",
    )
    group_size: Annotated[int, Field(ge=2)] | None = Field(
        None,
        description="objects in a group; if not given, 100, or a hundredth of the unlabelled objects",
    )
    bases: SeedCount = Field(6, description="base models, each with other initial labels")
    fine_tune_seeds: SeedCount = Field(2, description="fine-tunes of each group")
    epochs: Annotated[tuple[Count, ...], Listed] = Field(
        DOSES, description="doses: epochs after which a fine-tune is evaluated"
    )
    replay: Literal["initial", "none"] = Field(
        "initial",
        description="fine-tune on the group and the initial labels, or on the group alone",
    )
    outcome: Outcome = Field("accuracy", description="what verdicts are about")
    matters: Annotated[float, Field(ge=0, le=10)] = Field(
        MATTERS,
        description="smallest effect that a verdict counts, as a share of what a group changes on average",
    )
    test: Count = Field(5_000, description="most objects of the test part to evaluate on")
    compat: Literal["original"] | None = Field(
        None, description="the published protocol's settings, without its sliding window"
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
        if self.pool.storage != "memory":
            raise ValueError(
                "pool.storage: a correlation study keeps its pool in memory; leave it out (pool.dtype: float16 halves "
                "the memory)"
            )
        if self.training.mode == "scratch":
            raise ValueError(
                "training.mode: a correlation study fine-tunes, so it cannot be scratch; leave it out"
            )
        if self.training.round_epochs is not None:
            raise ValueError(
                "training.round_epochs has no effect: a correlation study fine-tunes for the doses of epochs; leave it "
                "out"
            )
        if self.training.loss_prediction is not None:
            raise ValueError(
                "training.loss_prediction is not used in a correlation study; leave it out"
            )
        return self

    @model_validator(mode="after")
    def _has_no_tracker(self) -> "CorrelationSpec":
        if self.execution.tracker is not None:
            raise ValueError(
                "execution.tracker is about sweeps, whose rounds it keeps; leave it out"
            )
        return self

    @model_validator(mode="before")
    @classmethod
    def _as_published(cls, values: object) -> object:
        """Fill in the published settings under `compat: original`; values that are given take precedence."""
        return as_original(values, ORIGINAL_CORRELATION)
