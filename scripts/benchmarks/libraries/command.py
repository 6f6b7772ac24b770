"""One round by alray, by a plain PyTorch loop, by other libraries.

Every competitor does the same work (see scripts/benchmarks/libraries/task.py) on one thread in a process of its own;
they take turns, so that a busy machine disturbs them alike. Processor time is the figure to read. The other libraries
get environments of their own, made from pinned requirements at the first call (minutes, some gigabytes).
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
import pandas as pd

from benchmarks.harness.options import COUNT, some_of
from benchmarks.harness.programs import ENVIRONMENTS, ROOT, Program
from benchmarks.harness.tables import REFERENCE, machine, print_table, write_report
from benchmarks.harness.timing import ONE_THREAD
from benchmarks.libraries.competitors import COMPETITORS, Competitor
from benchmarks.libraries.tables import competitors_table, introduction, strategy_table
from benchmarks.libraries.task import PHASES, STRATEGIES, TURN, draw_objects, save

NARROW = ["competitor", "cpu ms", "wall", "query", "fit", "eval", "ratio", "accuracy (sd)"]
"""Headings for a terminal of 80 columns, which leave one column out."""

NAMES = tuple(one.name for one in COMPETITORS)


@click.command(help=__doc__)
@click.option("--only", default=",".join(NAMES), type=some_of(NAMES), help="The competitors.")
@click.option("--rounds", default=10, type=COUNT, help="Counted rounds of a seed, even.")
@click.option("--seeds", default=3, type=COUNT, help="Each from other labels and weights.")
@click.option("--environments", default=ENVIRONMENTS, type=Path, help="Folder for environments.")
@click.option(
    "--results",
    type=Path,
    help="Folder for libraries.csv and libraries.md; "
    f"{REFERENCE.relative_to(ROOT)} where all competitors run, else none.",
)
def libraries(
    only: list[str], rounds: int, seeds: int, environments: Path, results: Path | None
) -> None:
    if rounds % (TURN - 1):
        raise click.BadParameter(f"--rounds: not a multiple of {TURN - 1}")
    competitors = [one for one in COMPETITORS if one.name in only]
    pythons = [one.python(environments) for one in competitors]
    frame, versions = run_all(competitors, pythons, rounds, seeds)
    processor = machine(())[0]
    print(f"{processor}; one thread; medians of {rounds} rounds x {seeds} seeds")
    print(f"processor and wall milliseconds; ratio: in rounds of {competitors[0].name}")
    tables = [strategy_table(frame, strategy, competitors) for strategy in STRATEGIES]
    for table in tables:
        rows = [row[: len(NARROW)] for row in table.rows]
        print_table(replace(table, columns=NARROW, rows=rows))
    folder = results or (REFERENCE if len(competitors) == len(COMPETITORS) else None)
    if folder is not None:
        text = introduction(frame, competitors[0].name, processor)
        tables.append(competitors_table(competitors, versions))
        write_report(folder / "libraries.md", text, tables)
        frame.to_csv(folder / "libraries.csv", index=False)


def run_all(
    competitors: Sequence[Competitor], pythons: Sequence[Path], rounds: int, seeds: int
) -> tuple[pd.DataFrame, Mapping[str, Mapping[str, str]]]:
    """Return the rounds, and the versions that each competitor ran with."""
    programs: dict[str, Program] = {}
    with tempfile.TemporaryDirectory() as folder:
        objects = Path(folder) / "objects.npz"
        save(draw_objects(), objects)
        try:
            for one, python in zip(competitors, pythons, strict=True):
                words = ["benchmarks.libraries.worker", one.module, one.variant, str(objects)]
                log = Path(folder) / f"{one.name}.log"
                programs[one.name] = Program(
                    one.name, python, *words, environment=ONE_THREAD, log=log
                )
            versions = {name: program.receive() for name, program in programs.items()}
            return compare(programs, rounds, seeds), versions
        finally:
            for program in programs.values():
                program.kill()


def compare(programs: Mapping[str, Program], rounds: int, seeds: int) -> pd.DataFrame:
    """Return a row per strategy, seed, competitor and counted round; times in milliseconds.

    The competitor's column is called `contestant`, as in the published file.
    """
    frame = pd.DataFrame(_rows(programs, rounds, seeds))
    return frame.astype({"contestant": pd.CategoricalDtype(list(programs), ordered=True)})


def _rows(programs: Mapping[str, Program], rounds: int, seeds: int) -> Iterator[dict[str, Any]]:
    for strategy in STRATEGIES:
        for seed in range(seeds):
            for program in programs.values():
                program.ask(strategy=strategy, seed=seed)
            for turn in range(rounds // (TURN - 1)):
                # Another one begins each time, so that none always comes after the same one.
                first = turn % len(programs)
                names = [*programs, *programs][first : first + len(programs)]
                for name in names:
                    for position in range(TURN):
                        reply = programs[name].ask()
                        key = {"strategy": strategy, "seed": seed, "round": TURN * turn + position}
                        if position > 0:
                            yield {**key, "contestant": name, **_measured(reply)}


def _measured(reply: Mapping[str, Any]) -> dict[str, float]:
    times = {f"{name}_ms": round(1e3 * reply[name], 2) for name in ("processor", "wall", *PHASES)}
    return {**times, "accuracy": reply["accuracy"]}
