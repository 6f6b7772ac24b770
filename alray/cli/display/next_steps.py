"""What to do next, at the end of a sweep and of a report."""

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text

from alray.analysis.sweep.next_steps.steps import Step, time_said
from alray.cli.display.tables import breakable
from alray.cli.visible import visible

HEADING = "What to do next"


def print_next_steps(console: Console, steps: Sequence[Step]) -> None:
    """Print the steps, numbered; each command on a line of its own, to be copied whole."""
    if not steps:
        return
    console.print()
    console.print(Text(HEADING, style="bold"))
    for number, step in enumerate(steps, 1):
        words = f"{number}. {visible(step.sentence)}{time_said(step)}"
        console.print(breakable(Text(words), console.width))
        if step.command:
            console.print(Text(f"  {visible(step.command)}", style="bold"), soft_wrap=True)
