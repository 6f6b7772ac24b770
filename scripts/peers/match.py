"""The match: a process for each contestant, kept alive, and rounds played turn by turn."""

import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from peers.contestants import Contestant
from peers.task import STRATEGIES

TURN = 3
"""Rounds that a contestant plays in a row. The first is not counted: who has waited finds memory and caches cold."""

ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
PHASES = ("query", "fit", "evaluate")


class Actor:
    """A contestant's process; what it prints besides its answers is kept in a log."""

    def __init__(self, contestant: Contestant, python: Path, world: Path) -> None:
        self.contestant = contestant
        self._log = world.parent / f"{contestant.name}.log"
        module = ["-m", "peers.play", contestant.module, contestant.variant, str(world)]
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [str(python), *module],
                cwd=Path(__file__).parents[1],
                env={**os.environ, **ONE_THREAD},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        self.versions: dict[str, str] = self._answer()

    def ask(self, **request: object) -> dict[str, Any]:
        if self._process.stdin is None:
            raise RuntimeError("a player needs a pipe")
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        """Read an answer.

        Raises:
            RuntimeError: The process has died; holds the end of its log.
        """
        line = self._process.stdout.readline() if self._process.stdout else ""
        if not line:
            self._process.wait()
            raise RuntimeError(f"{self.contestant.name} died:\n{self._log.read_text()[-3000:]}")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def close(self) -> None:
        """End the process, also one that is in the middle of something."""
        self._process.kill()
        self._process.wait()


def play(players: Sequence[Actor], rounds: int, seeds: int) -> pd.DataFrame:
    """Return a row per strategy, seed, contestant and counted round; times in milliseconds."""
    frame = pd.DataFrame(_rows(players, rounds, seeds))
    names = [player.contestant.name for player in players]
    return frame.astype({"contestant": pd.CategoricalDtype(names, ordered=True)})


def _rows(players: Sequence[Actor], rounds: int, seeds: int) -> Iterator[dict[str, Any]]:
    for strategy in STRATEGIES:
        for seed in range(seeds):
            for player in players:
                player.ask(start=strategy, seed=seed)
            for turn in range(rounds // (TURN - 1)):
                # Another one begins each time, so that nobody always plays after the same one.
                first = turn % len(players)
                for player in (*players[first:], *players[:first]):
                    for place in range(TURN):
                        answer = player.ask(play=True)
                        key = {"strategy": strategy, "seed": seed, "round": TURN * turn + place}
                        if place > 0:
                            yield {
                                **key,
                                "contestant": player.contestant.name,
                                **_measured(answer),
                            }


def _measured(answer: dict[str, Any]) -> dict[str, float]:
    times = {f"{name}_ms": round(1e3 * answer[name], 2) for name in ("processor", "wall", *PHASES)}
    return {**times, "accuracy": answer["accuracy"]}
