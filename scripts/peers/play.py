"""A contestant's process: reads a request per line, plays, answers with a line of JSON.

Usage: python -m peers.play MODULE VARIANT WORLD. Requests are {"start": strategy, "seed": seed} and {"play": true}.
"""

import json
import os
import sys
import time
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any, Protocol

import torch
from peers.task import World, load_world


class Contestant(Protocol):
    """One that has fitted its initial labels and is ready for rounds."""

    def play(self) -> tuple[float, dict[str, float]]:
        """Play one round; return the accuracy, and processor seconds by phase."""


def phased(
    query: Callable[[], object], fit: Callable[[], object], evaluate: Callable[[], float]
) -> tuple[float, dict[str, float]]:
    """Play a round's three phases in turn, as `Contestant.play` returns them."""
    times = [time.process_time()]
    for phase in (query, fit):
        phase()
        times.append(time.process_time())
    accuracy = evaluate()
    times.append(time.process_time())
    names = ("query", "fit", "evaluate")
    return accuracy, {
        name: end - begin for name, begin, end in zip(names, times, times[1:], strict=False)
    }


class Process:
    """What a process keeps between requests: the world, and at most one contestant."""

    def __init__(self, module: str, variant: str, world: World) -> None:
        self._module = import_module(f"peers.{module}")
        self._variant = variant
        self._world = world
        self._contestant: Contestant | None = None

    def versions(self) -> dict[str, str]:
        return {name: version(name) for name in (*self._module.PACKAGES, "torch", "numpy")}

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        if "start" in request:
            self._contestant = None  # frees its memory before the next one is made
            make: Callable[..., Contestant] = self._module.make
            self._contestant = make(self._world, request["start"], request["seed"], self._variant)
            return {"started": request["start"]}
        if self._contestant is None:
            raise RuntimeError("start comes before play")
        wall, processor = time.perf_counter(), time.process_time()
        accuracy, phases = self._contestant.play()
        return {
            "accuracy": accuracy,
            "processor": time.process_time() - processor,
            "wall": time.perf_counter() - wall,
            **phases,
        }


def main(module: str, variant: str, world: Path) -> None:
    # A library that prints must not disturb the answers: they keep the real standard output for themselves.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    process = Process(module, variant, load_world(world))
    print(json.dumps(process.versions()), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(process.answer(json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
