"""Settings of `alray pool suspects`, which looks for labels that are likely wrong."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from alray.settings.base import Settings
from alray.settings.common import ModelSpec, PoolSpec, TrainingSpec


class SuspectsSpec(Settings):
    """Labels that are likely wrong: how each is predicted, and how the finding itself is tried."""

    seed: int = Field(0, description="decides every draw: folds, weights, batches, planted labels")
    pool: PoolSpec = PoolSpec()
    model: ModelSpec = ModelSpec()
    training: TrainingSpec = TrainingSpec()
    folds: Annotated[int, Field(ge=2, le=100)] = Field(
        5,
        description="parts of the pool; the network that predicts a part's objects learns from the labels of all "
        "others. Objects of a group, and equal ones, share a part",
    )
    truth: str | None = Field(
        None,
        description="column of right labels, null where they are not known: the table then says which labels are "
        "wrong, and how many of these are suspect is printed",
    )
    plant: Annotated[int, Field(ge=0)] = Field(
        0,
        description="labels to make wrong in a second pass, so that one sees how many of such are found; takes as long "
        "again. The table is that of the labels as they are",
    )
    plant_errors: Literal["structured", "uniform"] = Field(
        "structured",
        description="what planted labels become: structured: a class that is easily taken for the true one, by the "
        "pool's own features, which is harder to find; uniform: any other class alike",
    )

    @model_validator(mode="after")
    def _stops_by_no_label_that_is_judged(self) -> "SuspectsSpec":
        training = self.training
        if training.stopping == "held_out":
            raise ValueError(
                "training.stopping: held_out would stop by the labels that are then judged; use from_labels or "
                "fixed_epochs"
            )
        for name in ("mode", "round_epochs", "batch_norm", "loss_prediction"):
            if getattr(training, name) != TrainingSpec.model_fields[name].default:
                raise ValueError(
                    f"training.{name} has no effect here: each network is fitted once, from fresh weights; leave it out"
                )
        return self
