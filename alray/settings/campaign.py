"""Settings of a campaign: labelling for real, batch after batch, by `alray label`."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from alray.settings.base import Count, Listed, NotNegative, Settings, StudyName, refuse_repeats
from alray.settings.common import ModelSpec, PoolSpec, TrainingSpec

Aggregation = Literal["majority", "one_coin", "dawid_skene", "glad", "mace"]
"""What several answers about an object say together; each as a crowd of a sweep has it."""


class CampaignSpec(Settings):
    """Labelling for real: the strategy chooses from what has no label, and assessors answer."""

    name: StudyName | None = Field(
        None, description="the campaign's folder; the pool's name and -labels if not given"
    )
    seed: int = Field(0, description="seed: decides every draw")
    pool: PoolSpec = PoolSpec()
    in_parts: bool = Field(
        default=False,
        description="read the pool's features a part at a time, for pools that do not fit in memory; what is drawn at "
        "random is then drawn by ids, and strategies that compare objects choose from a short list",
    )
    show: Annotated[tuple[str, ...], Listed] = Field(
        (), description="columns of the pool that assessors see, such as text,url"
    )
    classes: Annotated[tuple[str, ...], Listed] = Field(
        (),
        description="classes that an answer may name, besides those of the labels that the pool has",
    )
    strategy: str = Field(
        "margin", description="strategy that chooses, with its options, such as bald:members=20"
    )
    initial: Count | None = Field(
        None,
        description="labels from which on the strategy chooses; before, initial_selection does. If not given, 300, or "
        "a tenth of a small pool",
    )
    initial_selection: Literal["random", "centroid", "typiclust", "stratified"] = Field(
        "random",
        description="how objects are chosen before: random, or spread over the pool's own features by clusters, as in "
        "a sweep",
    )
    model: ModelSpec = ModelSpec()
    training: TrainingSpec = TrainingSpec(mode="scratch")
    audit: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.1,
        description="share of the objects without a label, and of each batch, that is drawn at random to measure the "
        "accuracy, and that the network never learns from; 0 for none, and no accuracy",
    )
    answers: Count = Field(1, description="answers that an object is to have")
    aggregate: Aggregation = Field(
        "majority",
        description="what several answers say together: majority, one_coin (by each assessor's share of right "
        "answers), dawid_skene (by each assessor's confusions), glad or mace (by crowd-kit)",
    )
    cost: NotNegative = Field(0, description="price of an answer, where answers do not say theirs")
    currency: str = Field("", description="currency of that price, such as EUR")
    threads: Count = Field(1, description="threads of a fit; another number rounds otherwise")

    @model_validator(mode="before")
    @classmethod
    def _fits_from_fresh_weights(cls, values: object) -> object:
        """Fill in the mode of training that a campaign has."""
        if isinstance(values, Mapping) and isinstance(values.get("training"), Mapping):
            return {**values, "training": {"mode": "scratch", **values["training"]}}
        return values

    @model_validator(mode="after")
    def _learns_what_it_knows(self) -> "CampaignSpec":
        if self.training.mode != "scratch":
            raise ValueError(
                "training.mode: finetune has no use in a campaign, which fits from fresh weights before each batch, so "
                "that a batch depends on the answers alone; use training.mode=scratch, or leave it out"
            )
        if self.training.stopping == "held_out":
            raise ValueError(
                "training.stopping: held_out needs a validation part, whose labels a campaign lacks; use from_labels "
                "or fixed_epochs"
            )
        if self.training.loss_prediction is not None:
            raise ValueError(
                "training.loss_prediction is set by the strategy learning_loss; leave it out"
            )
        if self.pool.min_class_size:
            raise ValueError(
                f"pool.min_class_size = {self.pool.min_class_size} has no use in a campaign, whose classes grow as "
                "answers come; leave it out"
            )
        refuse_repeats("show", self.show)
        refuse_repeats("classes", self.classes)
        return self

    def started_at(self, objects: int) -> int:
        """Return from how many labels on the strategy chooses, in a pool of so many objects."""
        return self.initial or max(2, min(300, objects // 10))


def as_campaign(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of an arm of a sweep, as nested plain values, as a campaign has them."""
    training = dict(values["training"])
    for name in ("mode", "batch_norm", "loss_prediction"):
        training.pop(name, None)
    if training.get("stopping") == "held_out":
        training["stopping"] = "from_labels"
    training["round_epochs"] = None
    return {**values, "training": training}
