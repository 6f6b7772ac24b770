"""Types of command-line options: numbers, and lists with commas between them."""

from collections.abc import Callable, Iterable

import click

COUNT = click.IntRange(min=1)


def counts(text: str) -> list[int]:
    """Read numbers of at least 1, such as `10,30,100`."""
    return [COUNT(word) for word in text.split(",")]


def some_of(names: Iterable[str]) -> Callable[[str], list[str]]:
    """Return a function that reads some of these names."""
    choice = click.Choice(list(names))

    def some(text: str) -> list[str]:
        return [choice(word) for word in text.split(",")]

    return some
