"""Validated, frozen settings: what a study is, what an arm is, what a run is and how it is called.

A run's identity is a hash of *everything* that can change its result, so a changed default never lets an old result
pass for a new one.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from alray.settings import Count, NotNegative, Positive, Settings, Share, StudyName, refuse_repeats

SCHEMA = 1
"""Number of the results' layout and of the meaning of settings: part of every run's identity."""


class PoolSpec(Settings):
    """Where the objects come from and which columns hold what."""

    source: str = Field(
        "openclipart", description="built-in pool's name, or path of a Parquet file"
    )
    id: str = Field("id", description="column of unique object ids")
    label: str = Field("label", description="column of class labels")
    modalities: dict[str, str] = Field(
        {}, description="modality name: column; every float list column where empty"
    )
    group_by: str | None = Field(
        None, description="column whose equal values stay on one side of the split"
    )
    copies: Literal["together", "apart"] = Field(
        "together",
        description="keep objects with equal features on one side of the split: a copy in the test part would be "
        "known by heart",
    )
    min_class_size: Annotated[int, Field(ge=0)] = Field(
        0, description="drop classes with fewer objects"
    )
    dtype: Literal["float32", "float16"] = Field(
        "float32", description="how features lie in shared memory"
    )


class SplitSpec(Settings):
    """Shares of the pool that are kept out of the train part."""

    validation: Share = Field(0.1, description="share for early stopping")
    test: Share = Field(0.2, description="share that metrics are reported on")

    @model_validator(mode="after")
    def _leaves_a_train_part(self) -> "SplitSpec":
        if self.validation + self.test >= 1:
            raise ValueError(
                "validation + test must leave a train part: their sum must be below 1"
            )
        return self


class ModelSpec(Settings):
    """The network."""

    name: str = Field("late_fusion", description="late_fusion, cnn, or package.module:factory")
    width: Count = Field(128, description="d: the fused layers' width")
    dropout: Annotated[float, Field(ge=0, lt=1)] = Field(0.5, description="dropout rate")
    heads: Literal["all", "one"] = Field(
        "all", description="a head per modality besides the fused one, or the fused one alone"
    )
    options: dict[str, Any] = Field({}, description="arguments for a factory of your own")


class LossPredictionSpec(Settings):
    """Learning loss (Yoo and Kweon 2019): a module that learns to predict each object's loss."""

    margin: Positive = Field(1.0, description="margin of the ranking hinge")
    weight: NotNegative = Field(1.0, description="weight of the ranking loss")
    detach_after: Annotated[float, Field(ge=0, le=1)] = Field(
        0.6, description="share of the epochs after which its gradient stops at the main network"
    )


class TrainingSpec(Settings):
    """How the network is fitted, in the passive phase and in each round."""

    lr: Positive = Field(1e-3, description="Adam's learning rate")
    weight_decay: NotNegative = Field(5e-4, description="L2 penalty on all but the loss weights")
    batch_size: Count = Field(64, description="b: the nominal batch size")
    batch_rule: Literal["adaptive", "fixed", "upsample"] = Field(
        "adaptive", description="how n labels are cut into batches"
    )
    loss: Literal["learned_noise", "sum", "fixed"] = Field(
        "learned_noise", description="how the heads' losses are added"
    )
    loss_weights: dict[str, NotNegative] = Field({}, description="head: weight, for loss: fixed")
    log_variance_range: tuple[float, float] = Field(
        (-6.0, 6.0), description="clamp of s = log sigma^2 of the learned noise"
    )
    passive_epochs: Count = Field(45, description="most epochs of the passive phase")
    patience: Count = Field(10, description="epochs without a better validation NLL before a stop")
    mode: Literal["finetune", "scratch"] = Field(
        "finetune", description="start a round from the present weights or from fresh ones"
    )
    round_epochs: Count | None = Field(
        None, description="epochs a round; 1 for finetune, passive_epochs for scratch where empty"
    )
    batch_norm: Literal["live", "frozen"] = Field(
        "live", description="update running statistics in the rounds, or keep the passive phase's"
    )
    loss_prediction: LossPredictionSpec | None = Field(
        None, description="set by the learning_loss strategy"
    )

    @model_validator(mode="after")
    def _is_consistent(self) -> "TrainingSpec":
        if self.batch_norm == "frozen" and self.mode == "scratch":
            raise ValueError(
                "batch_norm: frozen needs mode: finetune (fresh weights have no statistics to keep)"
            )
        if self.loss_weights and self.loss != "fixed":
            raise ValueError("loss_weights are used by loss: fixed only")
        low, high = self.log_variance_range
        if not low < high:
            raise ValueError("log_variance_range must be (low, high) with low < high")
        return self


class ExecutionSpec(Settings):
    """Where and how runs are executed; nothing here but `cpus_per_run` and the use of a GPU can change a result."""

    executor: Literal["ray", "inline"] = Field("ray", description="Ray, or this process alone")
    address: str | None = Field(
        None,
        description="a running Ray cluster; where empty that of RAY_ADDRESS, else a local one",
    )
    parallel: Count | None = Field(
        None, description="most runs at a time; all free CPUs where empty"
    )
    cpus_per_run: Count = Field(1, description="threads of a run")
    gpus_per_run: NotNegative = Field(0, description="share of a GPU for a run")
    memory_per_run: NotNegative = Field(
        0, description="GiB of memory that a run needs; not counted where 0"
    )
    checkpoint_seconds: NotNegative = Field(60, description="seconds between checkpoints of a run")
    attempts: Count = Field(3, description="starts of a run whose worker keeps dying")
    insecure: bool = Field(default=False, description="join a cluster that asks for no token")
    metrics: bool = Field(default=False, description="export the study's progress as Ray metrics")


class ScreenSpec(Settings):
    """Scoring roughly first: approximate, with its recall of the exact choice on record."""

    share: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.1, description="share of the candidates, ranked by 8-bit scores, to score exactly"
    )
    every: Annotated[int, Field(ge=2)] = Field(
        20,
        description="rounds from one exact scoring of all, which measures the recall, to the next",
    )


def _screen(value: object) -> object:
    """Read true as the defaults, false as none."""
    return ({} if value else None) if isinstance(value, bool) else value


Screen = Annotated[ScreenSpec | None, BeforeValidator(_screen)]


def _seeds(value: object) -> object:
    """Read `10` as the ten seeds 0 to 9."""
    return tuple(range(value)) if isinstance(value, int) and not isinstance(value, bool) else value


FULL_DATA = "full data"
"""Arm of the runs that learn from every label of the train part."""

DEFAULT_STRATEGIES = ("random", "margin", "entropy", "least_confidence", "bald")


class StudySpec(Settings):
    """A set of runs over one pool: what `alray sweep` executes."""

    name: StudyName | None = Field(
        None, description="the study's folder; the pool's name where empty"
    )
    seed: int = Field(0, description="study seed: decides the split")
    pool: PoolSpec = PoolSpec()
    split: SplitSpec = SplitSpec()
    model: ModelSpec = ModelSpec()
    training: TrainingSpec = TrainingSpec()
    strategies: Annotated[tuple[str, ...], Field(min_length=1)] = Field(
        DEFAULT_STRATEGIES, description="name, or name:option=value:option=value"
    )
    vary: dict[str, Annotated[tuple[Any, ...], Field(min_length=1)]] = Field(
        {}, description="training.* or model.* setting: values; arms are multiplied"
    )
    seeds: Annotated[tuple[int, ...], Field(min_length=1), BeforeValidator(_seeds)] = Field(
        (0, 1, 2, 3, 4, 5), description="run seeds; a number n means 0 to n-1"
    )
    initial: Count = Field(300, description="random labels of the passive phase")
    query: Count = Field(20, description="labels bought in a round")
    rounds: Annotated[int, Field(ge=0)] = Field(60, description="rounds after the passive phase")
    full_data: bool = Field(
        default=False,
        description="train on all labels too, once per seed and variant: the ceiling of the curves",
    )
    candidates: Count | None = Field(
        None,
        description="score only so many random unlabelled objects a round; all where empty",
    )
    screen: Screen = Field(
        None,
        description="rank all candidates by 8-bit scores first, and score the best of them exactly",
    )
    metric_split: Literal["test", "validation"] = Field(
        "test", description="part that accuracy, macro_f1, nll and ece are computed on"
    )
    execution: ExecutionSpec = ExecutionSpec()

    @model_validator(mode="after")
    def _has_no_repeats(self) -> "StudySpec":
        for key, values in (("seeds", self.seeds), ("strategies", self.strategies)):
            refuse_repeats(key, values)
        return self

    @model_validator(mode="after")
    def _scores_enough(self) -> "StudySpec":
        if self.candidates is not None and self.screen is not None:
            raise ValueError("candidates and screen are two ways to score less: give one of them")
        if self.candidates is not None and self.candidates < self.query:
            raise ValueError(
                f"candidates must be at least query: {self.query} objects cannot be chosen of {self.candidates}"
            )
        return self

    @property
    def budget(self) -> int:
        """Labels at the end of a run."""
        return self.initial + self.rounds * self.query


class RunSpec(Settings):
    """One arm with one seed: everything that can change its records.

    Attributes:
        arm: The arm's label for people.
        strategy: As it is written, defaults left out.
        strategy_options: With all its options: a changed default is another strategy.
        variant: The varied settings that differ from the study's own, "" where none does.
        oracle: Whether the strategy needs the labels.
        threads: Threads of the run: they change the order of sums, so they change the last digits.
        device: Where the network lives, which changes them too.
    """

    arm: str
    strategy: str
    strategy_options: str
    variant: str
    oracle: bool
    seed: int
    study_seed: int
    pool_fingerprint: str
    pool_dtype: str
    split: SplitSpec
    model: ModelSpec
    training: TrainingSpec
    initial: int
    query: int
    rounds: int
    metric_split: Literal["test", "validation"]
    threads: int
    device: Literal["cpu", "cuda"] = "cpu"
    candidates: int | None = None
    screen: ScreenSpec | None = None

    def identity(self) -> dict[str, Any]:
        """Return what the run's name is a hash of: all settings but labels for people.

        What is scored is left out where it is everything: runs from before it was a setting keep their names.
        """
        settings = self.model_dump(mode="json", exclude={"arm", "variant", "oracle"})
        everything = [name for name in ("candidates", "screen") if settings[name] is None]
        return {
            "schema": SCHEMA,
            **{name: value for name, value in settings.items() if name not in everything},
        }

    @property
    def run_id(self) -> str:
        """Readable, safe as a file name, and complete: strategy, seed and 12 hex digits of the identity's hash."""
        strategy = re.sub(r"[^A-Za-z0-9._-]", "-", self.strategy)
        return f"{strategy}__seed-{self.seed}__{_hash(self.identity())}"

    @property
    def passive_id(self) -> str:
        """Name of the passive phase: shared by all runs that differ only in what happens afterwards."""
        later = {"strategy", "strategy_options", "query", "rounds", "candidates", "screen"}
        identity = {key: value for key, value in self.identity().items() if key not in later}
        # These settings act in the rounds only, so variants of them share one passive phase too.
        rounds_only = {"mode", "round_epochs", "batch_norm"}
        identity["training"] = {
            key: value for key, value in identity["training"].items() if key not in rounds_only
        }
        return f"passive__seed-{self.seed}__{_hash(identity)}"


def _hash(identity: Mapping[str, Any]) -> str:
    text = json.dumps(identity, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]
