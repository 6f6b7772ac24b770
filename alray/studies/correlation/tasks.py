"""The tasks of a correlation study, seconds each: the same code runs in this process and in a Ray task."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Int64

from alray.networks.tensors import PoolTensors
from alray.settings.correlation import CorrelationSpec
from alray.studies.correlation.base_model import Base, train_base
from alray.studies.correlation.fine_tuning import FineTuneData, control_data, fine_tune
from alray.studies.correlation.protocol import CONTROL

Record = dict[str, Any]


@dataclass(frozen=True)
class TrainBase:
    """Fit a base model and score its sample."""

    name: str
    base: int

    @property
    def title(self) -> str:
        """The task's name in messages."""
        return self.name


@dataclass(frozen=True, eq=False)
class FineTune:
    """Fine-tune some groups of one grouping with one seed.

    Attributes:
        name: Unique within the study; the name of its file.
        base: Number of the base model.
        grouping: How the groups were made; `control` for steps without a group.
        sorted_by: The score that they were sorted by, "" where none.
        seed: Fine-tuning seed.
        first: Number of the first group; -1 for the control.
        objects: (group, member) pool indices; none for the control.
        labels: (group, member) labels to learn.
    """

    name: str
    base: int
    grouping: str
    sorted_by: str
    seed: int
    first: int
    objects: Int64[np.ndarray, "group member"]
    labels: Int64[np.ndarray, "group member"]

    @property
    def title(self) -> str:
        """The task's name in messages."""
        return self.name

    def __len__(self) -> int:
        """Return the number of fine-tunes."""
        return max(1, len(self.objects))


Task = TrainBase | FineTune


def perform(
    spec: CorrelationSpec, pool: PoolTensors, task: Task, base: bytes | None
) -> bytes | list[Record]:
    """Perform a task; return a base model's content, or a row per fine-tune and dose."""
    torch.set_num_threads(spec.execution.cpus_per_run)
    if isinstance(task, TrainBase):
        return train_base(spec, pool, task.base).to_bytes()
    if base is None:
        raise RuntimeError(f"base {task.base} was not shared")
    epochs = max(spec.epochs)
    if task.grouping == CONTROL:
        datasets = [control_data(spec, pool, task.base, task.seed)]
    else:
        datasets = [
            FineTuneData(np.tile(objects, (epochs, 1)), np.tile(labels, (epochs, 1)))
            for objects, labels in zip(task.objects, task.labels, strict=True)
        ]
    found = fine_tune(spec, pool, Base.from_bytes(base).tensors, task.base, task.seed, datasets)
    return [
        {
            "base": task.base,
            "grouping": task.grouping,
            "sorted_by": task.sorted_by,
            "group": task.first + number,
            "seed": task.seed,
            "epochs": outcome.epochs,
            "steps": outcome.steps,
            "accuracy": outcome.metrics.accuracy,
            "nll": outcome.metrics.nll,
            "macro_f1": outcome.metrics.macro_f1,
        }
        for number, outcomes in enumerate(found)
        for outcome in outcomes
    ]
