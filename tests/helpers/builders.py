"""Small pools, networks and runs in memory, for the tests of what computes with them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import nn

from alray.networks.generators import forked_rng, torch_generator
from alray.networks.models import build_network
from alray.networks.tensors import PoolTensors
from alray.pools.pool import Modality, Pool, PreparedPool
from alray.pools.shared import SharedPool, ViewKey
from alray.pools.variants import Pools
from alray.settings.common import ModelSpec, TrainingSpec
from alray.settings.run import RunSpec
from alray.settings.sweep import SweepSpec
from alray.studies.sweep.plan import Plan, make_plan
from alray.training.learner import Learner, fresh_learner

TWO = {"image": 9, "text": 5}


def make_pool(
    objects: int = 120,
    dimensions: Mapping[str, int] = TWO,
    *,
    classes: int = 3,
    absent: float = 0.3,
    separation: float = 2.0,
    dtype: type[np.generic] = np.float32,
    seed: int = 0,
) -> PreparedPool:
    """Return a pool whose classes lie apart; its arrays cannot be written, as those in the object store.

    Each object lacks each modality with probability `absent`, but never its last one.
    """
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(objects) % classes)
    present = rng.random((objects, len(dimensions))) >= absent
    nothing = np.flatnonzero(~present.any(axis=1))
    present[nothing, nothing % len(dimensions)] = True
    modalities = []
    for number, (name, size) in enumerate(dimensions.items()):
        centres = rng.normal(size=(classes, size)) * separation
        features = centres[labels] + rng.normal(size=(objects, size))
        there = present[:, number]
        rows = np.where(there, np.cumsum(there) - 1, -1).astype(np.int32)
        kept = features[there].astype(dtype)
        modalities.append(Modality(name, kept, rows, (size,)))
    parts = np.split(rng.permutation(objects), [objects * 6 // 10, objects * 8 // 10])
    train, validation, test = (np.sort(part) for part in parts)
    pool = PreparedPool(tuple(modalities), labels, classes, train, validation, test)
    for array in pool.arrays():
        array.setflags(write=False)
    return pool


def image_pool(
    objects: int = 60, shape: tuple[int, ...] = (8, 9), classes: int = 2
) -> PreparedPool:
    """Return a pool of small images, kept as bytes."""
    rng = np.random.default_rng(0)
    size = int(np.prod(shape))
    pixels = rng.integers(0, 256, (objects, size), dtype=np.uint8)
    rows = np.arange(objects, dtype=np.int32)
    modality = Modality("pixels", pixels, rows, shape, offset=127.5, scale=0.01)
    parts = np.split(np.arange(objects), [objects * 6 // 10, objects * 8 // 10])
    return PreparedPool((modality,), rng.integers(0, classes, objects), classes, *parts)


def with_scaling(pool: PreparedPool) -> PreparedPool:
    """Return the pool with an offset and a scale for each feature, as splits of several seeds have them."""
    rng = np.random.default_rng(9)
    modalities = tuple(
        replace(
            modality,
            offset=rng.normal(size=modality.dimension).astype(np.float32),
            scale=rng.uniform(0.5, 2, modality.dimension).astype(np.float32),
        )
        for modality in pool.modalities
    )
    return replace(pool, modalities=modalities)


def raw_pool(
    labels: Sequence[int] | np.ndarray,
    groups: Sequence[int] | np.ndarray | None = None,
    modalities: tuple[Modality, ...] | None = None,
) -> Pool:
    """Return a pool as it is read; one modality of noise unless others are given."""
    codes = np.asarray(labels, dtype=np.int64)
    n = len(codes)
    if modalities is None:
        features = np.random.default_rng(0).normal(size=(n, 2)).astype(np.float32)
        modalities = (Modality("text", features, np.arange(n, dtype=np.int32), (2,)),)
    return Pool(
        name="pool",
        ids=np.arange(n).astype(np.str_),
        labels=codes,
        classes=tuple(f"class {label}" for label in range(int(codes.max()) + 1)),
        modalities=modalities,
        groups=None if groups is None else np.asarray(groups, dtype=np.int64),
        fingerprint="of the pool",
    )


def randomise(network: nn.Module, seed: int = 0) -> None:
    """Give every BatchNorm random statistics, and scales that are negative or zero, and absent modalities a vector."""
    generator = torch_generator(seed)
    with torch.no_grad():
        for layer in network.modules():
            if isinstance(layer, nn.BatchNorm1d):
                assert layer.running_mean is not None
                assert layer.running_var is not None
                layer.running_mean.normal_(generator=generator)
                layer.running_var.uniform_(0.1, 3, generator=generator)
                layer.weight.normal_(generator=generator)
                layer.weight[:2] = 0
                layer.bias.normal_(generator=generator)
        for name, parameter in network.named_parameters():
            if name.endswith("absent"):
                parameter.normal_(generator=generator)


def make_network(
    pool: PreparedPool, seed: int = 0, *, randomised: bool = False, **settings: Any
) -> Any:
    """Return a network of `ModelSpec` settings (width 8 unless given), of whichever class they name."""
    with forked_rng(seed):
        network = build_network(ModelSpec(**{"width": 8, **settings}), pool)
    if randomised:
        randomise(network, seed)
    return network


def make_learner(
    pool: PreparedPool, training: TrainingSpec | None = None, seed: int = 0, **model: Any
) -> Learner:
    """Return a learner with a network of `ModelSpec` settings, and a loss predictor where the training wants one."""
    settings = ModelSpec(**{"width": 8, **model})
    return fresh_learner(settings, training or TrainingSpec(), PoolTensors(pool), lambda _: seed)


def plan_of(pool: PreparedPool, /, **settings: Any) -> Plan:
    """Return the plan of a small study, with changes to its settings."""
    study = {
        "model": {"width": 8},
        "training": {"passive_epochs": 3, "batch_size": 16},
        "strategies": ["margin"],
        "seeds": 1,
        "initial": 12,
        "query": 4,
        "rounds": 3,
        "split": {"per": "study"},
        **settings,
    }
    classes = tuple(f"class {label}" for label in range(pool.class_count))
    ids = np.arange(len(pool)).astype(np.str_)
    raw = Pool("pool", ids, pool.labels, classes, pool.modalities, None, "of the pool")
    spec = SweepSpec.model_validate(study)
    key = ViewKey(raw.fingerprint, spec.pool.dtype, spec.split.validation, spec.split.test, None)
    keys = [key._replace(seed=seed) for seed in (None, *spec.seeds)]
    return make_plan(spec, Pools(raw), SharedPool.of(pool, keys))


def one_run(pool: PreparedPool, /, **settings: Any) -> RunSpec:
    """Return the first run of a small study."""
    return plan_of(pool, **settings).runs[0]


def everyone(pool: PreparedPool) -> np.ndarray:
    """Return all objects."""
    return np.arange(len(pool))


def weights_of(module: nn.Module) -> dict[str, torch.Tensor]:
    """Return copies of all weights and statistics."""
    return {name: tensor.detach().clone() for name, tensor in module.state_dict().items()}


def same_tensors(one: Mapping[str, torch.Tensor], other: Mapping[str, torch.Tensor]) -> bool:
    """Return whether two sets of tensors are equal to the bit."""
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)
