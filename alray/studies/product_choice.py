"""Which library computes a study's matrix products: the faster one where it begins, on record from then on.

Which is faster depends on the processor, and each rounds in its own way. So a study that goes on keeps its choice, and
a machine keeps what it has measured: equal settings give equal records there.
"""

from typing import Any, TypeVar

from torch import nn

from alray.networks.threads import threads
from alray.pools.pool import PreparedPool
from alray.settings.common import Library, ProductsSpec
from alray.settings.correlation import CorrelationSpec
from alray.settings.sweep import SweepSpec
from alray.studies.folder import Folder
from alray.studies.manifest import read
from alray.studies.measured import measured_once
from alray.studies.product_timing import Seconds, linears, scoring_seconds, training_seconds
from alray.studies.recorded_choices import recorded_products
from alray.training.learner import try_network

CLEARLY = 0.97
"""PyTorch's own products are chosen where they take less than this share of oneDNN's time."""

AnyStudy = TypeVar("AnyStudy", SweepSpec, CorrelationSpec)


def settle_products(folder: Folder, study: AnyStudy, pool: PreparedPool) -> AnyStudy:
    """Return a study's settings with who computes its products filled in, for its workers.

    That is who did on record, else who is named in the settings, else who is faster here. A study that was begun before
    there was a choice goes on with oneDNN.

    Args:
        folder: The study's.
        study: Its settings.
        pool: The pool as one of its runs sees it.
    """
    wanted = study.execution.products
    recorded = recorded_products(read(folder, warn=False)) if folder.has_progress() else {}
    if recorded:
        found = ProductsSpec.model_validate(recorded)
    elif study.execution.gpus_per_run or (wanted.scoring and wanted.training):
        found = wanted
    else:
        layers = linears(try_network(study.model, pool, study.seed))
        measured = faster_here(layers, study.training.batch_size, study.execution.cpus_per_run)
        found = measured.model_copy(update=wanted.model_dump(exclude_none=True))
    execution = study.execution.model_copy(update={"products": found})
    return study.model_copy(update={"execution": execution})


def faster_here(layers: list[nn.Linear], batch: int, cpus: int) -> ProductsSpec:
    """Return the faster libraries for a network's Linears, measured once on this machine.

    Args:
        layers: The Linears; none of a network whose products are PyTorch's anyway.
        batch: Objects of a training step.
        cpus: Threads.
    """
    if not layers:
        return ProductsSpec(scoring="onednn", training="onednn")
    case = {
        "threads": cpus,
        "layers": sorted([layer.in_features, layer.out_features] for layer in layers),
        "batch": batch,
    }

    def measure() -> dict[str, Any]:
        with threads(cpus):
            scoring, training = scoring_seconds(layers), training_seconds(layers, batch)
        seconds = {"scoring": dict(scoring), "training": dict(training)}
        return {"scoring": faster(scoring), "training": faster(training), "seconds": seconds}

    return measured_once("products", case, measure, _products)


def _products(content: Any) -> ProductsSpec:
    return ProductsSpec(scoring=content["scoring"], training=content["training"])


def faster(seconds: Seconds) -> Library:
    """Return the library to use: oneDNN unless the other is clearly faster."""
    return "blas" if seconds["blas"] < CLEARLY * seconds["onednn"] else "onednn"
