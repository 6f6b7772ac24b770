"""What a report says, in a terminal."""

from rich.console import Console
from rich.text import Text

from alray.cli.display.next_steps import print_next_steps
from alray.cli.display.tables import breakable
from alray.reporting.writing import Report


def print_report(console: Console, made: Report) -> None:
    """Print what is missing, the findings in a paragraph, and where the report lies, and what to do next."""
    for problem in made.problems:
        console.print(breakable(Text(problem, style="red"), console.width))
    console.print(breakable(Text(made.verdict), console.width))
    where = made.page if made.page is not None else made.folder
    console.print(f"report: {where} ({len(made.files)} files)", soft_wrap=True)
    print_next_steps(console, made.next_steps)
