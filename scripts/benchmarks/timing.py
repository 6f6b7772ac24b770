"""Timing in turns: what is compared runs alternately in one process, so that a busy machine disturbs it alike."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
Phases = Mapping[str, float]


def alternate(actions: Mapping[str, Callable[[], object]], times: int) -> dict[str, list[float]]:
    """Return the processor seconds of each action, taken in turn after a warm-up."""
    seconds: dict[str, list[float]] = {name: [] for name in actions}
    for repetition in range(times + 1):
        for name, action in actions.items():
            begin = time.process_time()
            action()
            if repetition > 0:
                seconds[name].append(time.process_time() - begin)
    return seconds


def alternate_phases(
    actions: Mapping[str, Callable[[], Phases]], times: int
) -> dict[str, list[Phases]]:
    """Return the seconds by phase that each action tells about itself, taken in turn after a warm-up."""
    told: dict[str, list[Phases]] = {name: [] for name in actions}
    for repetition in range(times + 1):
        for name, action in actions.items():
            phases = action()
            if repetition > 0:
                told[name].append(phases)
    return told


def ratio(above: Sequence[float], below: Sequence[float]) -> float:
    """Return the median of the ratios of what was measured side by side."""
    return statistics.median(a / b for a, b in zip(above, below, strict=True))


def in_fresh_process(
    function: Callable[Arguments, Result], *args: Arguments.args, **kwargs: Arguments.kwargs
) -> Result:
    """Call a function in a new process: memory that others have used and freed would hide what it needs."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *args, **kwargs).result()
