"""Print the strategies in a terminal, or what is known about one."""

from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from alray.cli.visible import visible, visible_line
from alray.settings.libraries import LIBRARIES, Library
from alray.settings.questions import PREFIX
from alray.strategies import STRATEGIES
from alray.strategies.descriptions import DESCRIPTIONS, SYMBOLS
from alray.strategies.explaining import opening_of, options_of
from alray.strategies.libraries.catalogue import KNOWN, REFUSED
from alray.strategies.questions.arms import QUESTIONS
from alray.strategies.questions.descriptions import QUESTION_DESCRIPTIONS

_FEATURES = {
    "last": "features: the input of the last layer",
    "pool": "features: the pool's own",
}
_EXAMPLE = "alray sweep --strategies random,margin,bald:members=20"


def print_strategies(out: Console) -> None:
    """Print a row per built-in strategy."""
    table = _grid()
    for name in STRATEGIES:
        table.add_row(name, DESCRIPTIONS[name].chooses)
    out.print(table)
    out.print("\nalray strategies NAME explains one, with its options")
    out.print(f"to compare some: {_EXAMPLE}", soft_wrap=True)
    for library in LIBRARIES.values():
        out.print(
            f"of {library.package} too, such as {library.example}: alray strategies {library.module}",
            soft_wrap=True,
        )
    out.print(
        f"of yes/no questions in the place of labels: alray strategies {PREFIX}", soft_wrap=True
    )


def print_questions(out: Console) -> None:
    """Print a row per strategy that asks yes/no questions."""
    table = _grid()
    for name in QUESTIONS:
        table.add_row(name, QUESTION_DESCRIPTIONS[name].chooses)
    out.print("Strategies that ask yes/no questions about sets of classes", style="bold")
    out.print(table)
    example = f"{PREFIX}:passive,{PREFIX}:alpf"
    out.print(f"\nalray strategies {PREFIX}:alpf explains one, with its options")
    out.print(
        f"to compare some: alray sweep --strategies {example} --questions tree=names",
        soft_wrap=True,
    )


def print_library(library: Library, out: Console) -> None:
    """Print a row per strategy of another library with what it is given, and which others cannot be arms, and why."""
    table = _grid()
    for name, known in KNOWN[library.module].items():
        given = ["probabilities"] if known.model else []
        given += [_FEATURES[known.features]] if known.features is not None else []
        table.add_row(name, ", ".join(given) or "nothing else")
    out.print(f"Strategies of {library.package} ({library.install})", soft_wrap=True, style="bold")
    out.print("Each gets the labels that are known, and from alray's network:")
    out.print(table)
    out.print("\nThese cannot be arms:")
    refused = REFUSED[library.module]
    for reason in dict.fromkeys(refused.values()):
        names = ", ".join(name for name, each in refused.items() if each == reason)
        out.print(Padding(f"{names}: {reason}", (0, 0, 0, 2)))
    out.print(
        f"\nalray strategies {library.example} explains one, with its options", soft_wrap=True
    )


def _grid() -> Table:
    """Return a table of names and what there is to say of each."""
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    grid.add_column(overflow="fold")
    return grid


def print_explanation(name: str, out: Console) -> None:
    """Print what a strategy does, its options, its cost and its worth.

    Raises:
        SpecError: There is no such strategy.
    """
    options = options_of(name)
    out.print(visible_line(name), style="bold")
    out.print(visible(opening_of(name)))
    known = DESCRIPTIONS.get(name) or QUESTION_DESCRIPTIONS.get(name)
    if known is not None:
        facts = _grid()
        for title, text in (
            ("source", known.source),
            ("cost", known.cost),
            ("worth", known.worth),
        ):
            if text:
                facts.add_row(title, text)
        out.print()
        out.print(facts)
        out.print(f"In costs: {SYMBOLS}.", style="dim")
    out.print()
    if not options:
        out.print("It has no options.")
        return
    out.print("Options, written NAME:option=value:", style="bold")
    for option in options:
        default = f"default: {option.default}" if option.default else "to be given"
        out.print(visible_line(f"  {option.name}={option.values}  [{default}]"))
        if option.meaning:
            out.print(Padding(visible(option.meaning), (0, 0, 0, 6)))
