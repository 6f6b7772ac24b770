"""Settings of a sweep, which `alray sweep` executes."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from alray.settings.base import Count, Listed, Settings, Share, StudyName, refuse_repeats
from alray.settings.common import (
    ExecutionSpec,
    ModelSpec,
    PoolSpec,
    Precision,
    SplitSpec,
    TrainingSpec,
)
from alray.settings.compat import ORIGINAL_SWEEP, as_original
from alray.settings.crowd import CrowdSpec
from alray.settings.questions import QuestionsSpec
from alray.settings.seeds import Seeds


class SweepSplitSpec(SplitSpec):
    """The split of a sweep, which its run seeds draw anew or have in common."""

    per: Literal["seed", "study"] = Field(
        "seed",
        description="seed: each run seed draws its own split, so that intervals hold for other samples of the pool; "
        "study: all have one, and intervals are about this split alone. Where a column gives the split, study if not "
        "given, and seed draws the validation part alone",
    )

    @model_validator(mode="before")
    @classmethod
    def _is_given_once(cls, values: object) -> object:
        """Fill in one split for all seeds where a column gives it."""
        if isinstance(values, Mapping) and values.get("column") is not None:
            return {"per": "study", **values}
        return values


class ScreenSpec(Settings):
    """Scoring in a low precision first: the choice is approximate, and its recall of the exact choice is recorded."""

    share: Share = Field(
        0.1,
        description="share of the candidates, ranked by low-precision scores, to score exactly",
    )
    every: Annotated[int, Field(ge=2)] = Field(
        20,
        description="rounds from one exact scoring of all, which measures the recall, to the next",
    )
    precision: Precision | None = Field(
        None,
        description="int8 (8-bit integers) or bf16 (bfloat16); if not given, the faster one where the study begins",
    )


def _screen(value: object) -> object:
    """Return the default screen for true, and None for false."""
    return ({} if value else None) if isinstance(value, bool) else value


def _section(name: str, example: str) -> BeforeValidator:
    """Return what reads a group of settings from a text such as `rate=.2,answers=3`, as a command line has them."""

    def read(value: object) -> object:
        if not isinstance(value, str):
            return _screen(value)
        pairs = [word.partition("=") for word in value.split(",") if word.strip()]
        for key, equals, number in pairs:
            if not (key.strip() and equals and number.strip()):
                raise ValueError(f"write NAME=VALUE,NAME=VALUE, such as {example}")
        refuse_repeats(name, [key.strip() for key, _, _ in pairs])
        return {key.strip(): number.strip() for key, _, number in pairs}

    return BeforeValidator(read)


OptionalQuestions = Annotated[QuestionsSpec | None, _section("questions", "tree=names,cost=.01")]

FULL_DATA = "full data"
"""Arm of the runs that are trained on every label of the train part."""

DEFAULT_STRATEGIES = ("random", "margin", "entropy", "least_confidence", "bald")


class SweepSpec(Settings):
    """A set of runs on one pool."""

    name: StudyName | None = Field(
        None, description="the study's folder; the pool's name if not given"
    )
    seed: int = Field(0, description="study seed: decides every draw, together with the run seed")
    pool: PoolSpec = PoolSpec()
    split: SweepSplitSpec = SweepSplitSpec()
    model: ModelSpec = ModelSpec()
    training: TrainingSpec = TrainingSpec()
    strategies: Annotated[tuple[str, ...], Field(min_length=1), Listed] = Field(
        DEFAULT_STRATEGIES,
        description="strategies, each with its options, such as random,margin,bald:members=20",
    )
    vary: dict[str, Annotated[tuple[Any, ...], Field(min_length=1)]] = Field(
        {},
        description="training.*, model.*, split.* or crowd.* setting, pool.dtype, modalities (such as text or "
        "image+text), group_by or copies, initial, initial_selection, query or candidates: values; every strategy runs "
        "with each combination. With another initial or query the rounds follow, to end at the same labels, and with "
        "another number of answers of a crowd, to end at the same cost",
    )
    seeds: Seeds = Field(
        (0, 1, 2, 3, 4, 5), description="number of run seeds, or their list (0,3,7)"
    )
    initial: Count = Field(
        300,
        description="labels to begin with: the passive phase; initial_selection says of which objects",
    )
    initial_selection: Literal["random", "centroid", "typiclust", "stratified"] = Field(
        "random",
        description="how the initial labels are chosen: random; or spread over the pool's own features by clusters "
        "(k-means): the object nearest to each centre, the most typical ones (typiclust), or random ones by each "
        "cluster's share (stratified)",
    )
    initial_draw: Literal["distinct", "with_replacement"] = Field(
        "distinct",
        description="distinct: no object comes twice among the initial labels; with_replacement: one may, and then "
        "counts and is learnt from as often as it was drawn, as in the published study",
    )
    query: Count = Field(20, description="labels queried in a round")
    rounds: Annotated[int, Field(ge=0)] = Field(
        60,
        description="rounds of querying, after the passive phase; more can be added to a finished study",
    )
    full_data: bool = Field(
        default=False,
        description="train on all labels too, once per seed and variant: the ceiling of the curves",
    )
    candidates: Count | None = Field(
        None,
        description="score only so many random unlabelled objects a round; all if not given",
    )
    screen: Annotated[ScreenSpec | None, BeforeValidator(_screen)] = Field(
        None,
        description="rank all candidates by low-precision scores first, and score the best of them exactly",
    )
    evaluate_every: Count = Field(
        1,
        description="rounds from one evaluation to the next, the first of which is round 0; rounds is a multiple of "
        "it. A larger number saves time and leaves curves with fewer points",
    )
    crowd: Annotated[CrowdSpec | None, _section("crowd", "rate=.2,answers=3")] = Field(
        None,
        description="assessors who err answer in the place of the pool's labels, which stay the truth for metrics; "
        "such as rate=.2,answers=3",
    )
    questions: OptionalQuestions = Field(
        None,
        description="what the strategies questions:passive, aq, al and alpf ask, which buy yes/no answers in the place "
        "of labels; such as tree=names,cost=.01",
    )
    metric_split: Literal["test", "validation"] = Field(
        "test", description="part that accuracy, macro_f1, nll and ece are computed on"
    )
    compat: Literal["original"] | None = Field(
        None,
        description="settings of the published study where they are not given: batch rule, early stopping, metrics on "
        "the validation part, initial labels drawn with replacement, one split; its intervals are shown too",
    )
    execution: ExecutionSpec = ExecutionSpec()

    @model_validator(mode="before")
    @classmethod
    def _as_published(cls, values: object) -> object:
        """Fill in the published settings under `compat: original`; values that are given take precedence."""
        return as_original(values, ORIGINAL_SWEEP)

    @model_validator(mode="after")
    def _stops_by_labels_that_it_does_not_learn(self) -> "SweepSpec":
        if self.initial_draw == "with_replacement" and self.initial_selection != "random":
            raise ValueError(
                f"initial_draw: with_replacement is for random initial labels, not for initial_selection: "
                f"{self.initial_selection}; leave one of them out"
            )
        if self.initial_draw == "with_replacement" and self.training.stopping == "from_labels":
            raise ValueError(
                "initial_draw: with_replacement draws some objects twice, and training.stopping: from_labels could "
                "then stop by an object that it learns from; use training.stopping=held_out or fixed_epochs, or "
                "initial_draw=distinct"
            )
        return self

    @model_validator(mode="after")
    def _asks_about_each_object_once(self) -> "SweepSpec":
        if self.crowd is not None and self.initial_draw == "with_replacement":
            raise ValueError(
                "crowd asks about each object once, and initial_draw: with_replacement draws some twice; leave one of "
                "them out"
            )
        return self

    @model_validator(mode="after")
    def _has_no_repeats(self) -> "SweepSpec":
        for key, values in (("seeds", self.seeds), ("strategies", self.strategies)):
            refuse_repeats(key, values)
        return self

    @model_validator(mode="after")
    def _scores_enough(self) -> "SweepSpec":
        if self.candidates is not None and self.screen is not None:
            raise ValueError("candidates and screen both reduce scoring: give one of them")
        if self.candidates is not None and self.candidates < self.query:
            raise ValueError(
                f"candidates must be at least query: {self.query} objects cannot be chosen among {self.candidates}"
            )
        return self

    @model_validator(mode="after")
    def _evaluates_the_last_round(self) -> "SweepSpec":
        every, rounds = self.evaluate_every, self.rounds
        if rounds % every:
            divisor = max(each for each in range(1, min(every, rounds) + 1) if rounds % each == 0)
            raise ValueError(
                f"rounds = {rounds} is no multiple of evaluate_every = {every}, so the last round would have no "
                f"metrics: give --rounds {max(1, rounds // every) * every} or --evaluate-every {divisor}"
            )
        return self

    @property
    def budget(self) -> int:
        """Labels at the end of a run."""
        return self.initial + self.rounds * self.query

    def rounds_of(self, initial: int, query: int, budget: int | None = None) -> int:
        """Rounds of a variant with these settings, the last one evaluated.

        It ends at the study's budget, or at so many labels, or as near below as it gets.
        """
        budget = self.budget if budget is None else budget
        if (initial, query, budget) == (self.initial, self.query, self.budget) or self.rounds == 0:
            return self.rounds
        rounds = max(0, budget - initial) // query
        return rounds - rounds % self.evaluate_every


def fitting_budget(train: int, classes: int, evaluate_every: int = 1) -> dict[str, int]:
    """Return the settings initial, query and rounds that a pool is large enough for; empty where the defaults are.

    A smaller study has the defaults' proportions as far as possible, and stops at half of the train part: at its end
    all strategies know the same labels. Where there are not as many rounds as `evaluate_every`, that is 1 instead.
    """
    usual = SweepSpec()
    if usual.budget <= train:
        return {}
    half = max(2, train // 2)
    initial = min(max(classes, usual.initial * half // usual.budget, 2), half)
    query = max(1, (half - initial) // usual.rounds)
    rounds = min(usual.rounds, (half - initial) // query)
    fitting = {"initial": initial, "query": query}
    if 0 < rounds < evaluate_every:
        return {**fitting, "rounds": rounds, "evaluate_every": 1}
    return {**fitting, "rounds": rounds - rounds % evaluate_every}


StudySpec = SweepSpec
"""Former name of `SweepSpec`, from before correlation studies."""
