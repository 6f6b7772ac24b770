"""How long a network takes to score a pool exactly and in each low precision, on this machine."""

import math
import time
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from alray.networks.generators import torch_generator
from alray.networks.kernels import has_bf16, has_int8
from alray.networks.tensors import PoolTensors
from alray.networks.threads import threads
from alray.pools.pool import Indices, PreparedPool
from alray.scoring import engine
from alray.seeding import torch_seed
from alray.studies.measured import measured_once
from alray.studies.sweep.arm import Arm
from alray.training.learner import try_network

MANY = 4096
"""Objects that are scored to measure, and a quarter of them: int8 takes longer to begin with, and less for each."""

ATTEMPTS = 2

Way = Literal["exact", "int8", "bf16"]
Seconds = Mapping[Way, float]


def seconds_here(arms: Sequence[Arm], views: Sequence[PreparedPool]) -> Seconds:
    """Return how long it takes to score a train part once for each of these arms, from what this machine has measured.

    Arms that are scored alike count once.

    Args:
        arms: At least one.
        views: The pool as each arm sees it.
    """
    cases = {_described(arm, view): (arm, view) for arm, view in zip(arms, views, strict=True)}
    size, cpus, ways = len(views[0].train), arms[0].study.execution.cpus_per_run, ways_here()
    many = min(size, MANY)
    few = max(1, many // 4)
    case = {"threads": cpus, "objects": [few, many], "scored": sorted(cases), "ways": ways}

    def measure() -> dict[str, Any]:
        with threads(cpus):
            found = [_measured(*each, (few, many), ways) for each in cases.values()]
        columns = {way: zip(*(one[way] for one in found), strict=True) for way in ways}
        return {"seconds": {way: [sum(each) for each in columns[way]] for way in ways}}

    def of_all(content: Any) -> Seconds:
        found: dict[Way, float] = {}
        for way in ways:
            short, long = content["seconds"][way]
            found[way] = long + (size - many) * max(0.0, long - short) / max(1, many - few)
        return found

    return measured_once("screens", case, measure, of_all)


def _described(arm: Arm, view: PreparedPool) -> str:
    """Return all that the time depends on, besides the number of objects."""
    sizes = [each.dimension for each in view.modalities]
    patterns = len(list(PoolTensors(view).by_pattern(view.train)))
    network = f"{arm.model.model_dump_json()}, {sizes}, {view.class_count} classes"
    return f"{network}, {patterns} patterns: {arm.strategy.needs}"


def ways_here() -> list[Way]:
    """Return the ways that are worth a measurement: bf16 takes many times as long without instructions for it."""
    if not has_int8():
        return ["exact", "bf16"]
    return ["exact", "int8", "bf16"] if has_bf16() else ["exact", "int8"]


def _measured(
    arm: Arm, view: PreparedPool, counts: tuple[int, int], ways: Sequence[Way]
) -> Mapping[Way, list[float]]:
    """Return by way the shortest of some attempts, in turn, for each of these numbers of objects."""
    needs, seed = arm.strategy.needs, torch_seed(arm.study.seed, 0, "weights")
    network, pool = try_network(arm.model, view, seed), PoolTensors(view)

    def timed(way: Way, objects: Indices) -> float:
        masks = torch_generator(seed) if needs.committee else None
        begin = time.perf_counter()
        if way == "exact":
            engine.score(network, pool, objects, needs, masks)
        else:
            engine.score_rounded(network, pool, objects, needs, way, masks)
        return time.perf_counter() - begin

    parts = [view.train[:count] for count in counts]
    for way in ways:
        timed(way, parts[0])  # it compiles
    found = {way: [math.inf, math.inf] for way in ways}
    for _ in range(ATTEMPTS):
        for way in ways:
            seconds = [timed(way, part) for part in parts]
            found[way] = [min(pair) for pair in zip(found[way], seconds, strict=True)]
    return found
