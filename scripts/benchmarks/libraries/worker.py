"""A competitor's program: `python -m benchmarks.libraries.worker MODULE VARIANT OBJECTS`.

It begins with the versions of the competitor's packages. A request {"strategy": name, "seed": number} starts a run,
and {} asks for the accuracy and the seconds of its next round.
"""

import sys
import time
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from benchmarks.harness.programs import serve
from benchmarks.libraries.task import PHASES, load


def run_phases(
    query: Callable[[], object], fit: Callable[[], object], evaluate: Callable[[], float]
) -> tuple[float, dict[str, float]]:
    """Run the phases of a round in turn; return the accuracy, and processor seconds by phase."""
    begin = time.process_time()
    query()
    queried = time.process_time()
    fit()
    fitted = time.process_time()
    accuracy = evaluate()
    seconds = (queried - begin, fitted - queried, time.process_time() - fitted)
    return accuracy, dict(zip(PHASES, seconds, strict=True))


def main(name: str, variant: str, path: Path) -> None:
    """Reply to requests; between them it keeps the objects, and at most one run."""
    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
    module, objects = import_module(f"benchmarks.libraries.{name}"), load(path)
    runs: list[Any] = []

    def reply(request: dict[str, Any]) -> dict[str, Any]:
        if request:
            runs.clear()  # frees its memory before the next one is made
            runs.append(module.Rounds(objects, request["strategy"], request["seed"], variant))
            return {}
        wall, processor = time.perf_counter(), time.process_time()
        accuracy, phases = runs[0].next_round()
        processor, wall = time.process_time() - processor, time.perf_counter() - wall
        return {"accuracy": accuracy, "processor": processor, "wall": wall, **phases}

    serve(reply, {package: version(package) for package in (*module.PACKAGES, "torch", "numpy")})


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], Path(sys.argv[3]))
