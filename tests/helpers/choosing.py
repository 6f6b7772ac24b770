"""A pool of objects without labels, a network that is trained on those with labels, and choices by it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from alray.labelling.choosing import choose
from alray.networks.tensors import PoolTensors
from alray.pools.pool import Modality
from alray.pools.reading_parts import candidate_pool
from alray.seeding import torch_seed
from alray.settings.common import (
    ExecutionSpec,
    LossPredictionSpec,
    ModelSpec,
    PoolSpec,
    TrainingSpec,
)
from alray.studies.choosing.choice import Choice
from alray.studies.choosing.rule import ChoiceSeed
from alray.studies.choosing.trained import TrainedNetwork, modalities_among
from alray.studies.choosing.work import ChoiceOptions, Choosing, LabelledObjects
from alray.training.learner import fresh_learner
from tests.helpers.builders import randomise
from tests.helpers.pools_fixtures import write_table

OBJECTS, CLASSES = 700, 4
SHAPES = {"image": 10, "text": 6}
INLINE = ExecutionSpec(executor="inline")


def features(objects: int = OBJECTS, seed: int = 0) -> dict[str, npt.NDArray[np.float32]]:
    """Return (objects, dimension) features, NaN where a modality is absent: of every fifth object one or the other."""
    rng = np.random.default_rng(seed)
    found = {}
    for position, (name, size) in enumerate(SHAPES.items()):
        values = 3 * rng.normal(size=(objects, size)).astype(np.float32) + 1
        values[np.arange(objects) % 5 == position] = np.nan
        found[name] = values
    return found


def as_modality(name: str, values: npt.NDArray[np.float32]) -> Modality:
    """Return features as they are read."""
    present = ~np.isnan(values).any(axis=1)
    rows = np.where(present, np.cumsum(present) - 1, -1).astype(np.int32)
    return Modality(name, values[present], rows, (values.shape[1],))


def labels_of(objects: int = OBJECTS) -> list[str | None]:
    """Return labels of every tenth object."""
    return [f"class-{n % CLASSES}" if n % 10 == 0 else None for n in range(objects)]


def table(objects: int = OBJECTS, **changed: Any) -> Any:
    """Return a pool as a table, with changes; None leaves a column out."""
    columns: dict[str, Any] = {
        "id": [f"object-{n}" for n in range(objects)],
        "label": pa.array(labels_of(objects), pa.string()),
    }
    for name, values in features(objects).items():
        lists = [None if np.isnan(row).any() else row for row in values]
        columns[name] = pa.array(lists, pa.list_(pa.float32(), values.shape[1]))
    columns |= changed
    return pa.table({name: each for name, each in columns.items() if each is not None})


def write(path: Path, groups: int = 1, content: Any = None) -> Path:
    """Write a pool in so many row groups."""
    whole = table() if content is None else content
    write_table(whole, path, row_group_size=-(-len(whole) // groups))
    return path


def trained_network(
    model: ModelSpec | None = None,
    modalities: Sequence[Modality] | None = None,
    *,
    loss_prediction: bool = False,
) -> TrainedNetwork:
    """Return a network with weights by chance, BatchNorm's statistics too; what it takes is standardised by all."""
    spec = model or ModelSpec(width=16)
    own = modalities or [as_modality(name, values) for name, values in features().items()]
    everything = np.ones(OBJECTS, np.bool_)
    known = modalities_among(own, everything)
    empty = TrainedNetwork(spec, CLASSES, known, "float32", {})
    pool = PoolTensors(empty.prepare(own, np.arange(OBJECTS).astype(object)))
    training = TrainingSpec(loss_prediction=LossPredictionSpec() if loss_prediction else None)
    learner = fresh_learner(spec, training, pool, lambda purpose: torch_seed(0, 0, purpose))
    randomise(learner.network)
    return TrainedNetwork.of(learner, spec, CLASSES, known)


def labelled_objects() -> LabelledObjects:
    """Return the objects with labels, as `labels_of` has them."""
    numbers = np.flatnonzero([label is not None for label in labels_of()])
    modalities = tuple(as_modality(name, values[numbers]) for name, values in features().items())
    return LabelledObjects(modalities, numbers % CLASSES)


def options_of(*, seed: int = 0, **options: Any) -> ChoiceOptions:
    """Return options of a choice in this process, with a short list of 100 objects, unless others are given."""
    usual: dict[str, Any] = {"execution": INLINE, "shortlist": 100}
    return ChoiceOptions(**(usual | {"seed": ChoiceSeed(seed)} | options))


def chosen(
    pool: Path | str,
    network: TrainedNetwork,
    strategy: str = "margin",
    number: int = 20,
    **options: Any,
) -> Choice:
    """Choose, with options as in `options_of`."""
    return choose(pool, number, network, strategy, options_of(**options))


def work_on(
    pool: Path | str,
    network: TrainedNetwork,
    strategy: str = "margin",
    number: int = 20,
    *,
    rows_of_part: int = 1,
    **options: Any,
) -> Choosing:
    """Return what a choice goes by; every row group is a part of its own unless another size is given."""
    spec = PoolSpec(source=str(pool))
    candidates = candidate_pool(spec, network.shapes, rows_of_part=rows_of_part)
    return Choosing(candidates, network, strategy, number, options_of(**options))


def same(one: Choice, other: Choice) -> bool:
    """Return whether two choices are equal to the bit, but for where the objects lie."""
    return ids(one) == ids(other) and np.array_equal(one.scores, other.scores, equal_nan=True)


def ids(choice: Choice) -> Sequence[str]:
    """Return the chosen ids."""
    return list(choice.ids)
