"""Other libraries whose strategies can be arms, and the installed packages that a run computes by besides alray's."""

from collections.abc import Mapping
from dataclasses import dataclass

from alray.settings.estimators import PACKAGE, by_scikit_learn


@dataclass(frozen=True)
class Library:
    """A library of strategies.

    Attributes:
        module: What a strategy's name begins with, as in `skactiveml:TypiClust`.
        package: The installed package.
        extra: The extra of alray that installs it.
        example: A strategy of it, for messages.
    """

    module: str
    package: str
    extra: str
    example: str

    @property
    def install(self) -> str:
        """The command that installs it."""
        return f'pip install "alray[{self.extra}]"'


LIBRARIES: Mapping[str, Library] = {
    "skactiveml": Library("skactiveml", "scikit-activeml", "skactiveml", "skactiveml:TypiClust"),
    "small_text": Library("small_text", "small-text", "small-text", "small_text:GreedyCoreset"),
}
"""Module: its library."""


def library_of(strategy: str) -> Library | None:
    """Return the library that a strategy's text names, None where it names none."""
    return LIBRARIES.get(strategy.strip().partition(":")[0])


def packages_of(
    *, model: str = "", initial_selection: str | None = None, strategy: str = ""
) -> tuple[str, ...]:
    """Return the packages that a network, a choice of initial labels or a strategy's text computes by."""
    library = library_of(strategy)
    # Both libraries compute by scikit-learn.
    by_it = library is not None or by_scikit_learn(
        model=model, initial_selection=initial_selection, strategy=strategy
    )
    packages = [PACKAGE] if by_it else []
    return (*packages, library.package) if library is not None else tuple(packages)
