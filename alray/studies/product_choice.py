"""Which library computes a study's matrix products: the faster one where it begins, on record from then on.

Which is faster depends on the processor, and each rounds in its own way. So a study that goes on keeps its choice, and
a machine keeps what it has measured: equal settings give equal records there.
"""

import hashlib
import json
import logging
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError
from torch import nn

from alray.networks.threads import threads
from alray.pools.pool import PreparedPool
from alray.settings.common import Library, ProductsSpec
from alray.settings.correlation import CorrelationSpec
from alray.settings.sweep import SweepSpec
from alray.studies.folder import Folder
from alray.studies.machine import installed_version, processor
from alray.studies.manifest import read, recorded_products
from alray.studies.product_timing import Seconds, linears, scoring_seconds, training_seconds
from alray.training.learner import try_network

CLEARLY = 0.97
"""PyTorch's own products are chosen where they take less than this share of oneDNN's time."""

AnyStudy = TypeVar("AnyStudy", SweepSpec, CorrelationSpec)

_logger = logging.getLogger(__name__)


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
        "processor": processor(),
        "torch": installed_version("torch"),
        "threads": cpus,
        "layers": sorted([layer.in_features, layer.out_features] for layer in layers),
        "batch": batch,
    }
    path = _cache_file(hashlib.sha256(json.dumps(case).encode()).hexdigest()[:16])
    kept = None if path is None else _kept(path)
    if kept is not None:
        return kept
    with threads(cpus):
        scoring, training = scoring_seconds(layers), training_seconds(layers, batch)
    found = ProductsSpec(scoring=faster(scoring), training=faster(training))
    seconds = {"scoring": dict(scoring), "training": dict(training)}
    if path is None:
        return found
    return _keep(path, {**found.model_dump(), "seconds": seconds, **case}) or found


def faster(seconds: Seconds) -> Library:
    """Return the library to use: oneDNN unless the other is clearly faster."""
    return "blas" if seconds["blas"] < CLEARLY * seconds["onednn"] else "onednn"


def _cache_file(name: str) -> Path | None:
    """Return where a measurement is kept; None for a user without a home, as containers may have."""
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        folder = Path(base) if base else Path.home() / ".cache"
    except RuntimeError:
        return None
    return folder / "alray" / "products" / f"{name}.json"


def _kept(path: Path) -> ProductsSpec | None:
    """Return what was measured before; None where nothing was, or the file does not say it."""
    try:
        content = json.loads(path.read_bytes())
        return ProductsSpec(scoring=content["scoring"], training=content["training"])
    except (OSError, ValueError, KeyError, TypeError, ValidationError):
        return None


def _keep(path: Path, content: Mapping[str, Any]) -> ProductsSpec | None:
    """Write what was measured; of two programs that measure at a time the first one's stays, and is returned."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile("w", dir=path.parent, suffix=".tmp") as file:
            json.dump(content, file, indent=1)
            file.flush()
            if path.exists() and _kept(path) is None:
                path.unlink()  # it is damaged
            os.link(file.name, path)
    except FileExistsError:
        pass
    except OSError as error:
        _logger.debug("cannot keep what was measured in %s: %s", path, error)
    return _kept(path)
