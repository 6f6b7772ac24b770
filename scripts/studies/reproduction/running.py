"""Runs the studies of a plan by alray's own commands, one after the other."""

import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from studies.reproduction.datasets import prepare
from studies.reproduction.parts import SEEDS, Correlation
from studies.reproduction.plan import Step, rounds_of

FAILED_RUNS = 1
"""Exit status of alray where some runs failed and the others are kept."""

SMALL_SEEDS = 6


def command_of(step: Step, work: Path, *, small: bool = False, inline: bool = False) -> list[str]:
    """Return the words of the command that makes a study, or goes on with it, without the program."""
    study = step.study
    common = ["--pool", step.data.pool, "--name", step.name, "--no-report"]
    for name, value in step.data.settings.items():
        # Only a sweep can choose among some of the candidates.
        if not (isinstance(study, Correlation) and name == "candidates"):
            common += ["--set", f"{name}={value}"]
    if small or inline:
        common += ["--executor", "inline"]
    if isinstance(study, Correlation):
        results = ["--results", str(work / "correlations")]
        return ["correlate", *common, *results, *study.options]
    words = ["sweep", *common, "--results", str(work / "sweeps")]
    words += ["--seeds", str(SMALL_SEEDS if small else SEEDS)]
    words += ["--initial", str(step.data.initial), "--query", str(study.query)]
    words += ["--rounds", str(rounds_of(step, small=small)), "--evaluate-every", str(study.every)]
    words += ["--strategies", ",".join(study.strategies)]
    for name, value in study.settings.items():
        words += ["--set", f"{name}={value}"]
    for name, values in study.vary.items():
        words += ["--vary", f"{name}={','.join(values)}"]
    return words


def run(steps: Sequence[Step], work: Path, *, small: bool, inline: bool) -> None:
    """Run studies; those that are finished are found and kept.

    Raises:
        click.ClickException: A study cannot be run; those before it are kept.
    """
    for data in {step.data.name: step.data for step in steps}.values():
        prepare(data, small=small)
    for number, step in enumerate(steps, start=1):
        words = command_of(step, work, small=small, inline=inline)
        click.echo(f"\n[{number}/{len(steps)}] alray {shlex.join(words)}", err=True)
        status = subprocess.run([sys.executable, "-m", "alray", *words], check=False).returncode
        if status == FAILED_RUNS:
            click.echo(f"{step.name}: some runs failed; the page counts them", err=True)
        elif status:
            raise click.ClickException(
                f"{step.name}: alray ended with {status}; its message is above. The same command goes on from here"
            )
