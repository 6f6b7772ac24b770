"""Settings of both kinds of study: pool, split, model, training, execution."""

import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, field_serializer, model_validator

from alray.settings.base import Count, Fraction, NotNegative, Positive, Settings, Share
from alray.settings.estimators import check_name
from alray.settings.secrets import without_secrets


class PoolSpec(Settings):
    """The pool's file and its columns."""

    source: str = Field(
        "openclipart",
        description="built-in pool (openclipart, icons), or Parquet: a file, a folder of files, a quoted pattern like "
        "'posts/*.parquet', or an address like s3://BUCKET/FOLDER",
    )
    id: str = Field("id", description="column of unique ids")
    label: str = Field("label", description="column of class labels")
    modalities: dict[str, str] = Field(
        {},
        description="a modality and its column, or record.child, or a column per feature: 'img_*' or img_0:img_511; "
        "every column of float lists if not given",
    )
    group_by: str | None = Field(
        None,
        description="column whose equal values stay on one side of the split; for the pool icons, words if not given "
        "(--set pool.group_by=null for none)",
    )
    copies: Literal["together", "apart"] = Field(
        "together",
        description="keep objects with equal features on one side of the split: the network would remember a copy "
        "in the test part",
    )
    min_class_size: Annotated[int, Field(ge=0)] = Field(
        0, description="drop classes with fewer objects"
    )
    dtype: Literal["float32", "float16"] = Field(
        "float32", description="type of the standardised features in memory"
    )
    storage: Literal["memory", "mapped"] = Field(
        "memory",
        description="where features lie: memory, or a file on each node's disk for pools that are larger (mapped; in "
        "sweeps only, whose records are the same), in the folder of ALRAY_POOL_FOLDER, else of TMPDIR, else /var/tmp",
    )

    @field_serializer("source")
    def _without_keys(self, source: str) -> str:
        """Return the source as it is kept in a study's files: an address loses the keys that it may hold."""
        return without_secrets(source)


class SplitSpec(Settings):
    """Shares of the pool outside the train part, or a column that gives all parts."""

    column: str | None = Field(
        None,
        description="column that says train, validation or test; without validation there, split.validation is the "
        "share of its train part",
    )
    validation: Share = Field(
        0.1, description="share for validation metrics, and for training.stopping: held_out"
    )
    test: Share = Field(0.2, description="share that metrics are reported on")

    @model_validator(mode="after")
    def _leaves_a_train_part(self) -> "SplitSpec":
        if self.validation + self.test >= 1:
            raise ValueError(
                "validation + test must leave a train part: lower them to a sum below 1"
            )
        # Resolved settings, as a study keeps them, name the default too.
        if self.column is not None and self.test != SplitSpec.model_fields["test"].default:
            raise ValueError(
                f"test = {self.test:g} has no use, since column {self.column!r} gives the test part; leave one out"
            )
        return self


Block = Literal["plain", "residual", "highway"]
"""What a hidden layer does with its input besides Linear, ReLU, BatchNorm and dropout."""

Fusion = Literal["concat", "sum", "gated", "attention", "matrix", "early"]
"""How modalities are joined."""


class ModelSpec(Settings):
    """The network."""

    name: str = Field(
        "late_fusion",
        description="late_fusion, linear (softmax regression on all features), cnn, package.module:factory, or "
        "sklearn:package.Class, a scikit-learn classifier with predict_proba",
    )
    width: Count = Field(128, description="d: the fused layers' width (late_fusion, cnn)")
    dropout: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.5, description="dropout rate (late_fusion, cnn)"
    )
    heads: Literal["all", "one"] = Field(
        "all",
        description="a head per modality besides the fused one, or the fused one alone (late_fusion)",
    )
    block: Block = Field(
        "plain",
        description="hidden layers of late_fusion: plain; residual, which add their input to their output; or highway, "
        "which learn how much of each to pass on",
    )
    encoder: Literal["mlp", "linear", "none"] = Field(
        "mlp",
        description="what late_fusion does with a modality before it is joined with others: two hidden layers (mlp), "
        "one matrix (linear), or nothing (none)",
    )
    fusion: Fusion = Field(
        "concat",
        description="how late_fusion joins modalities: concat, sum, gated (a gate for each), attention (weights that "
        "sum to 1), matrix (products of their units), or early (their features as one vector, before the encoder)",
    )
    options: dict[str, Any] = Field(
        {}, description="arguments for a custom factory or a scikit-learn class"
    )

    @model_validator(mode="after")
    def _names_a_class(self) -> "ModelSpec":
        check_name(self.name)
        return self


FUSION_PARTS = ("block", "encoder", "fusion")
"""Settings of the parts of late fusion, which runs from before them lack."""


def unusual_parts(model: Mapping[str, Any]) -> dict[str, Any]:
    """Return those parts of a network's settings, as plain values, that are not the usual ones."""
    usual = {key: ModelSpec.model_fields[key].default for key in FUSION_PARTS}
    return {key: model[key] for key in usual if model.get(key, usual[key]) != usual[key]}


class LossPredictionSpec(Settings):
    """Learning loss (Yoo and Kweon 2019): a module that learns to predict each object's loss."""

    margin: Positive = Field(1.0, description="margin of the ranking hinge")
    weight: NotNegative = Field(1.0, description="weight of the ranking loss")
    detach_after: Fraction = Field(
        0.6, description="share of the epochs after which its gradient stops at the main network"
    )


BATCH_RULES_BEFORE = {"adaptive": "published"}
"""Former name of a batch rule: its name."""


def _batch_rule(value: object) -> object:
    """Return a batch rule by its present name."""
    return BATCH_RULES_BEFORE.get(value, value) if isinstance(value, str) else value


class TrainingSpec(Settings):
    """Training of the network in the passive phase and in each round."""

    lr: Positive = Field(1e-3, description="Adam's learning rate")
    weight_decay: NotNegative = Field(5e-4, description="L2 penalty on all but the loss weights")
    batch_size: Count = Field(64, description="b: the nominal batch size")
    batch_rule: Annotated[
        Literal["even", "published", "fixed", "upsample"], BeforeValidator(_batch_rule)
    ] = Field(
        "even",
        description="sizes of an epoch's batches: even (they differ by one at most), published (the rest spread by a "
        "formula that can leave a tiny last batch), fixed (b each, the last one smaller), upsample (b each, filled up "
        "with objects drawn again)",
    )
    loss: Literal["learned_noise", "sum", "fixed"] = Field(
        "learned_noise", description="sum of the heads' losses"
    )
    loss_weights: dict[str, NotNegative] = Field({}, description="head: weight, for loss: fixed")
    log_variance_range: tuple[float, float] = Field(
        (-6.0, 6.0), description="clamp of s = log sigma^2 of the learned noise"
    )
    passive_epochs: Count = Field(45, description="most epochs of the passive phase")
    stopping: Literal["held_out", "from_labels", "fixed_epochs"] = Field(
        "from_labels",
        description="what stops a fit from fresh weights early: from_labels (a share of the labels known so far, which "
        "that fit does not learn from; all that a real campaign can stop by), held_out (the validation part, labels "
        "that the budget does not count), fixed_epochs (nothing: it has all its epochs)",
    )
    stopping_share: Share = Field(
        0.1, description="share of the labels to stop by, for stopping: from_labels"
    )
    patience: Count = Field(10, description="epochs without a better NLL before an early stop")
    mode: Literal["finetune", "scratch"] = Field(
        "finetune", description="start a round from the present weights or from fresh ones"
    )
    round_epochs: Count | None = Field(
        None,
        description="epochs a round; if not given, 1 for finetune, passive_epochs for scratch",
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
                "batch_norm: frozen needs mode: finetune, because fresh weights have no statistics to keep"
            )
        if self.loss_weights and self.loss != "fixed":
            raise ValueError(
                "loss_weights are used by loss: fixed only; set it, or leave them out"
            )
        low, high = self.log_variance_range
        if not low < high:
            raise ValueError("log_variance_range must be (low, high) with low < high")
        return self


MOST_RUNS_OF_WORKER = 8
"""Scoring and evaluation take turns in a process, so more processes are faster from here on."""

Library = Literal["onednn", "blas"]
"""What computes matrix products on the CPU: oneDNN, or PyTorch's own, which call a BLAS."""


Precision = Literal["int8", "bf16"]
"""What a screen computes its scores in: 8-bit integers, or bfloat16, which has float32's range with 8 bits."""


class ProductsSpec(Settings):
    """Who computes the matrix products of built-in and sequential networks on the CPU, oneDNN or a BLAS (MKL)."""

    scoring: Library | None = Field(
        None,
        description="in scoring and evaluation: onednn, or blas (MKL on most machines); if not given, the faster one "
        "where the study begins",
    )
    training: Library | None = Field(None, description="the same in training steps")


class ExecutionSpec(Settings):
    """Execution of runs.

    Of its settings only `cpus_per_run`, `products`, `gpu_precision` and the use of a GPU can change a result.
    """

    executor: Literal["ray", "inline"] = Field(
        "ray", description="Ray, or this process alone (inline)"
    )
    address: str | None = Field(
        None,
        description="a running Ray cluster; if not given, that of RAY_ADDRESS, else a local one",
    )
    parallel: Count | None = Field(
        None, description="most runs at a time; if not given, as many as free CPUs"
    )
    cpus_per_run: Count = Field(1, description="threads of a run")
    gpus_per_run: NotNegative = Field(0, description="share of a GPU for a run")
    gpu_precision: Literal["float32", "tf32", "bf16"] = Field(
        "float32",
        description="numbers of a GPU's matrix products: float32, or tf32 or bf16, which are faster for large "
        "networks and round more",
    )
    memory_per_run: NotNegative = Field(
        0, description="GiB of memory that a run needs, counted by Ray; 0: not counted"
    )
    checkpoint_seconds: NotNegative = Field(60, description="seconds between checkpoints of a run")
    keep_last: bool = Field(
        default=True,
        description="keep each finished run's last checkpoint, so that more rounds can be added later",
    )
    attempts: Count = Field(3, description="starts of a run whose worker keeps dying")
    products: ProductsSpec = ProductsSpec()
    insecure: bool = Field(default=False, description="join a Ray cluster that asks for no token")
    metrics: bool = Field(
        default=False, description="export the progress as Ray metrics (needs ray[default])"
    )
    tracker: str | None = Field(
        None,
        description="keep a sweep's runs there too: mlflow[:URI], tensorboard[:FOLDER] or your own module:Class",
    )

    @property
    def runs_of_worker(self) -> int:
        """Runs that share a process: one on the CPU; on a GPU its runs are shared out evenly among few processes."""
        if not self.gpus_per_run:
            return 1
        of_gpu = max(1, int(1 / self.gpus_per_run + 1e-9))
        return of_gpu // math.ceil(of_gpu / MOST_RUNS_OF_WORKER)

    @model_validator(mode="after")
    def _has_a_use_for_precision(self) -> "ExecutionSpec":
        if self.gpu_precision != "float32" and not self.gpus_per_run:
            raise ValueError(
                f"gpu_precision: {self.gpu_precision} needs a GPU: give --gpus-per-run too, or leave it out"
            )
        return self
