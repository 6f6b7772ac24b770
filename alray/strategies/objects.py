"""The text form of strategies that are given as objects: settings and records hold text alone."""

import dataclasses
from typing import Any

from alray.custom.loading import load
from alray.custom.objects import name_of
from alray.errors import SpecError
from alray.settings.libraries import LIBRARIES
from alray.strategies.libraries.strategy import LibraryStrategy
from alray.strategies.questions.arms import QUESTIONS
from alray.strategies.registry import KIND, STRATEGIES, canonical, parse
from alray.strategies.stochastic import Stochastic


def text_of(strategy: Any) -> str:
    """Return the text of a strategy that is text already, an object such as `Mine(k=3)`, or a class.

    Raises:
        SpecError: The text could not stand for it: names what prevents that.
    """
    if isinstance(strategy, str):
        return strategy
    if isinstance(strategy, Stochastic):
        return _text_of_drawing(strategy)
    kind = strategy if isinstance(strategy, type) else type(strategy)
    known = [name for name, each in {**STRATEGIES, **QUESTIONS}.items() if each is kind]
    if issubclass(kind, LibraryStrategy):
        known.append(kind.name)
    _refuse_of_library(kind)
    name = known[0] if known else name_of(kind, KIND)
    if not known and load(name, KIND) is not kind:
        raise SpecError(
            f"{KIND} {name!r} is another class now than that of {strategy!r}, as after its module was imported again: "
            "make the object anew"
        )
    if strategy is kind:
        return canonical(name)
    options = _options(strategy)
    text = ":".join([name, *(f"{key}={value}" for key, value in options.items())])
    try:
        same = parse(text) == strategy or not options
    except SpecError as error:
        raise SpecError(f"{KIND} {strategy!r} has no text form: {error}") from None
    if not same:
        raise SpecError(
            f"{KIND} {strategy!r} has no text form: {text} stands for {parse(text)!r}; options are numbers, truth "
            "values, and words without colons or spaces at the end"
        )
    return canonical(text)


def _text_of_drawing(strategy: Stochastic) -> str:
    text = f"{text_of(strategy.of)}:stochastic={strategy.stochastic}"
    if strategy.beta != Stochastic.beta:
        text = f"{text}:beta={strategy.beta}"
    if parse(text) != strategy:
        raise SpecError(
            f"{KIND} {strategy!r} has no text form: {text} stands for {parse(text)!r}; leave out the beta of drawing, "
            f"since {type(strategy.of).__name__} has an option beta of its own"
        )
    return canonical(text)


def _refuse_of_library(kind: type) -> None:
    """Refuse an object of another library itself: alray makes a fresh one for each query."""
    library = LIBRARIES.get(kind.__module__.partition(".")[0])
    if library is not None:
        raise SpecError(
            f"{KIND} {kind.__name__} is an object of {library.package}, and alray makes its own: write "
            f'"{library.module}:{kind.__name__}", with options behind further colons'
        )


def _options(strategy: Any) -> dict[str, Any]:
    """Return the options of a strategy that are not its class's own."""
    if not dataclasses.is_dataclass(strategy):
        if getattr(strategy, "__dict__", {}):
            raise SpecError(
                f"{KIND} {type(strategy).__name__} holds {', '.join(vars(strategy))}, which only a dataclass has as "
                "options: put @dataclass(frozen=True) before the class"
            )
        return {}
    values = [(field, getattr(strategy, field.name)) for field in dataclasses.fields(strategy)]
    return {field.name: value for field, value in values if value != field.default}
