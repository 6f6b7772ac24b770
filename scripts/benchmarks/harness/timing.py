"""Timing in turns: competitors run alternately in one process, so that a busy machine disturbs them alike."""

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TypeVar

import torch

Argument = TypeVar("Argument")
Result = TypeVar("Result")
Phases = Mapping[str, float]
"""Processor seconds by the name of a phase."""

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
"""Variables of a process that is to have one thread."""


def take_turns(
    actions: Mapping[str, Callable[[], Result]], repetitions: int
) -> dict[str, list[Result]]:
    """Return the results of each action; the actions take turns, and a first turn is not counted."""
    results: dict[str, list[Result]] = {name: [] for name in actions}
    for repetition in range(repetitions + 1):
        for name, action in actions.items():
            result = action()
            if repetition > 0:
                results[name].append(result)
    return results


def timed(action: Callable[[], object]) -> Callable[[], float]:
    """Return a function that runs the action and returns the processor seconds it took."""

    def seconds() -> float:
        begin = time.process_time()
        action()
        return time.process_time() - begin

    return seconds


def ratio(above: Sequence[float], below: Sequence[float]) -> float:
    """Return the median of the ratios of values that were measured in the same turn."""
    return statistics.median(a / b for a, b in zip(above, below, strict=True))


def in_fresh_process(function: Callable[[Argument], Result], argument: Argument) -> Result:
    """Return a function's result in a new process with one thread: memory freed before would hide its need."""
    spawn = get_context("spawn")
    with ProcessPoolExecutor(1, spawn, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        return pool.submit(function, argument).result()
