"""`alray strategies`: which strategies there are, and what is known about one."""

import click

from alray.cli.running import console


@click.command()
@click.argument("name", required=False, metavar="[NAME]")
def strategies(name: str | None) -> None:
    """List the strategies, or explain the one of this NAME with its options.

    NAME may also be a custom one, package.module:Class; one of another library, skactiveml:TypiClust; or that library,
    skactiveml or small_text, whose strategies are then listed, as those that ask yes/no questions are by questions.
    """
    from alray.cli.display.strategies import (
        print_explanation,
        print_library,
        print_questions,
        print_strategies,
    )
    from alray.settings.libraries import LIBRARIES
    from alray.settings.questions import PREFIX

    if name is None:
        print_strategies(console())
    elif name == PREFIX:
        print_questions(console())
    elif name in LIBRARIES:
        print_library(LIBRARIES[name], console())
    else:
        print_explanation(name, console())
