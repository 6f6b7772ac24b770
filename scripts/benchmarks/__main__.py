"""Measures how fast alray is and how much memory it takes; `scripts/bench COMMAND --help` describes a measurement."""

import sys

import click

from benchmarks.choose import choose
from benchmarks.engine import engine
from benchmarks.fine_tune import fine_tune
from benchmarks.gpu import gpu
from benchmarks.growth import growth
from benchmarks.harness.programs import ProgramError
from benchmarks.libraries.command import libraries
from benchmarks.margin_round import margin_round
from benchmarks.parts import parts
from benchmarks.strategies.command import strategies_bench
from benchmarks.sweeps.command import sweep


@click.group(help=__doc__, context_settings={"show_default": True})
def bench() -> None:
    """Run nothing before the command."""


for command in (
    *(engine, margin_round, libraries, sweep, growth, fine_tune, gpu, parts),
    *(strategies_bench, choose),
):
    bench.add_command(command)

if __name__ == "__main__":
    try:
        bench(prog_name="scripts/bench")
    except ProgramError as error:
        sys.exit(f"error: {error}")
