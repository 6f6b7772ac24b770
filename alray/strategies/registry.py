"""All strategies by name, and their text form `name:option=value:option=value`."""

import dataclasses
from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, get_type_hints

from alray.custom.code import CustomName
from alray.custom.loading import describe_error, load, refuse_path
from alray.errors import SpecError
from alray.settings.base import unknown_name
from alray.settings.option_texts import read_options
from alray.strategies.alfa_mix import AlfaMix
from alray.strategies.badge import Badge
from alray.strategies.bait import Bait
from alray.strategies.base import RankingStrategy, Strategy
from alray.strategies.batch_bald import BatchBald
from alray.strategies.best_of_batches import BestOfBatches
from alray.strategies.checking import check_attributes
from alray.strategies.class_balanced import ClassBalanced
from alray.strategies.cluster_margin import ClusterMargin
from alray.strategies.committee import (
    Bald,
    CommitteeEntropy,
    CommitteeLeastConfidence,
    CommitteeMargin,
)
from alray.strategies.coreset import CoreSet
from alray.strategies.density import Density
from alray.strategies.drop_query import DropQuery
from alray.strategies.epig import Epig
from alray.strategies.galaxy import Galaxy
from alray.strategies.herding import MaxHerding, UHerding
from alray.strategies.libraries import classes
from alray.strategies.loss import IdealLoss, LearningLoss, ReverseIdealLoss
from alray.strategies.probcover import ProbCover
from alray.strategies.product_margin import ProductMargin
from alray.strategies.questions.arms import QUESTIONS, refuse_unknown
from alray.strategies.random import Random
from alray.strategies.scorers import BY_NAME, ScoreOption, score_options
from alray.strategies.stochastic import Stochastic
from alray.strategies.typiclust import TypiClust
from alray.strategies.uncertainty import Entropy, LeastConfidence, Margin

STRATEGIES: Mapping[str, type[Strategy]] = {
    "random": Random,
    "least_confidence": LeastConfidence,
    "margin": Margin,
    "entropy": Entropy,
    "product_margin": ProductMargin,
    "committee_least_confidence": CommitteeLeastConfidence,
    "committee_margin": CommitteeMargin,
    "committee_entropy": CommitteeEntropy,
    "bald": Bald,
    "batch_bald": BatchBald,
    "epig": Epig,
    "badge": Badge,
    "bait": Bait,
    "coreset": CoreSet,
    "cluster_margin": ClusterMargin,
    "typiclust": TypiClust,
    "probcover": ProbCover,
    "max_herding": MaxHerding,
    "u_herding": UHerding,
    "drop_query": DropQuery,
    "alfa_mix": AlfaMix,
    "galaxy": Galaxy,
    "density": Density,
    "class_balanced": ClassBalanced,
    "learning_loss": LearningLoss,
    "ideal_loss": IdealLoss,
    "reverse_ideal_loss": ReverseIdealLoss,
    "best_of_batches": BestOfBatches,
}

Maker = Callable[..., Strategy]
"""A strategy's class. A class cannot be checked against `type[Strategy]`, since that protocol has properties."""

ENTRY_POINTS = "alray.strategies"
"""Entry point group under which an installed package offers strategies."""

KIND = "strategy"
"""What messages call what is named here."""


def parse(text: str) -> Strategy:
    """Build the strategy that `name:option=value:option=value` describes.

    The name is a built-in one, one that an installed package offers under the entry point group `alray.strategies`,
    one of another library (see `libraries`), one that asks yes/no questions (see `questions`), or
    `package.module:Class` for a custom class; options follow after further colons. A strategy that chooses by scores
    also has the options `stochastic` and `beta` (see `Stochastic`).

    Raises:
        SpecError: The name or an option is unknown, or a value does not fit; names the nearest valid one.
    """
    kind, name, words = _resolve(text)
    own, drawing = _options(kind, name, words, text)
    try:
        strategy = kind(**own)
    except (SpecError, TypeError) as error:
        raise SpecError(f"strategy {text!r}: {error}") from None
    except Exception as error:
        raise SpecError(f"strategy {text!r}: {describe_error(error)}") from error
    if name not in STRATEGIES:
        check_attributes(strategy)
    if not drawing or not isinstance(strategy, RankingStrategy):
        return strategy
    try:
        return Stochastic(strategy, **drawing)
    except SpecError as error:
        raise SpecError(f"strategy {text!r}: {error}") from None


def _options(
    kind: Maker, name: str, words: list[str], text: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a strategy's own options, and those of drawing by its scores, which all that have scores share.

    Options of the score that it goes by, as of `density:score=bald:members=20`, stand in its own option `score`.
    """
    hints = option_types(kind, name)
    valid = [field.name for field in option_fields(kind)]
    shared = {key: hint for key, hint in drawing_options(kind).items() if key not in valid}
    of_score = _options_of_score(kind, words, text)
    known = {key: hints[key] for key in valid} | shared | of_score
    found = read_options(words, known, KIND, name, text)
    own = {key: value for key, value in found.items() if key in valid}
    drawing = {key: value for key, value in found.items() if key in shared}
    given = [f"{key}={value}" for key, value in found.items() if key in of_score]
    if given:
        own["score"] = ":".join([own.get("score", ScoreOption.score), *given])
    if drawing and "stochastic" not in drawing:
        raise SpecError(
            f"strategy {text!r}: beta has no effect without stochastic; add stochastic=power, softmax or softrank, or "
            "leave beta out"
        )
    return own, drawing


def _options_of_score(kind: Maker, words: list[str], text: str) -> dict[str, Any]:
    """Return the options of the score that a strategy goes by with their types; none where it goes by none."""
    if not (isinstance(kind, type) and issubclass(kind, ScoreOption)):
        return {}
    given = [value for key, _, value in (word.partition("=") for word in words) if key == "score"]
    try:
        return score_options(given[-1] if given else ScoreOption.score)
    except SpecError as error:
        raise SpecError(f"strategy {text!r}: {error}") from None


def drawing_options(kind: Any) -> dict[str, Any]:
    """Return the options of drawing by scores with their types; none where a strategy does not choose by scores."""
    if not (isinstance(kind, type) and issubclass(kind, RankingStrategy)):
        return {}
    if kind.select is not RankingStrategy.select:
        return {}
    hints = get_type_hints(Stochastic)
    return {key: hints[key] for key in ("stochastic", "beta")}


def canonical(text: str) -> str:
    """Return the canonical text of this strategy: options in the order of its fields, defaults left out."""
    _, name, _ = _resolve(text)
    options = [
        f"{field.name}={getattr(part, field.name)}"
        for part, field in _options_with_parts(text)
        if getattr(part, field.name) != field.default
    ]
    return ":".join([name, *options])


def identity(text: str) -> str:
    """Return the strategy with every option, defaults too: a changed default is a different strategy.

    Of drawing by scores there are options only where scores are drawn by.
    """
    _, name, _ = _resolve(text)
    options = [
        f"{field.name}={_in_full(part, field.name)!r}" for part, field in _options_with_parts(text)
    ]
    return ":".join([name, *options])


def _in_full(part: Any, option: str) -> Any:
    """Return the value of an option; a score with every option of its own, unless its name alone has always stood."""
    value = getattr(part, option)
    of_score = isinstance(part, ScoreOption) and option == "score" and value not in BY_NAME
    return identity(value) if of_score else value


def _options_with_parts(text: str) -> list[tuple[Any, dataclasses.Field[Any]]]:
    """Return the options of the strategy of this text with the parts of it that have them, its own first."""
    strategy = parse(text)
    parts: list[Any] = [strategy.of, strategy] if isinstance(strategy, Stochastic) else [strategy]
    return [
        (part, field)
        for part in parts
        for field in option_fields(part)
        if not isinstance(getattr(part, field.name), RankingStrategy)
    ]


def option_types(kind: Any, name: str) -> dict[str, Any]:
    """Return the types of a strategy's options."""
    try:
        return get_type_hints(kind)
    except Exception as error:
        raise SpecError(
            f"strategy {name!r}: the type of an option: {describe_error(error)}"
        ) from error


def option_fields(kind: Any) -> tuple[dataclasses.Field[Any], ...]:
    """Return the fields of a strategy's dataclass: its options."""
    return dataclasses.fields(kind) if dataclasses.is_dataclass(kind) else ()


def custom_name(text: str) -> CustomName | None:
    """Return where the code of a strategy is that the user supplies; None for a built-in one.

    Raises:
        SpecError: There is no such strategy.
    """
    name, _ = _split(text)
    if name in STRATEGIES or name in QUESTIONS:
        return None
    if classes.is_name(name):
        return classes.code_of(name)
    entry = _entry(name)
    if entry is None:
        return CustomName(name, KIND)
    package = entry.dist
    known = (package.name, package.version) if package is not None else ("", "")
    return CustomName(entry.value.partition(" ")[0], KIND, *known)


def maker_of(text: str) -> Maker:
    """Return the class of the strategy that a text names.

    Raises:
        SpecError: There is no such strategy.
    """
    return _resolve(text)[0]


def _resolve(text: str) -> tuple[Maker, str, list[str]]:
    name, words = _split(text)
    if name in STRATEGIES:
        return STRATEGIES[name], name, words
    if name in QUESTIONS:
        return QUESTIONS[name], name, words
    if classes.is_name(name):
        return classes.strategy_class(name), name, words
    entry = _entry(name)
    return _checked(load(name if entry is None else entry.value, KIND), name), name, words


def _split(text: str) -> tuple[str, list[str]]:
    """Return a strategy's name, of a custom one `package.module:Class`, and its options, each as it is written.

    Raises:
        SpecError: It is neither a known name nor of that form.
    """
    name, *words = text.strip().split(":")
    if name in STRATEGIES or _entry(name) is not None:
        return name, words
    refuse_unknown(name, words[:1])
    classes.refuse_module_alone(":".join([name, *words[:1]]), KIND)
    if words and "=" not in words[0]:
        return f"{name}:{words[0]}", words[1:]
    refuse_path(name, KIND)
    offered = [*STRATEGIES, *(entry.name for entry in entry_points(group=ENTRY_POINTS))]
    raise SpecError(unknown_name(KIND, name, offered))


def _entry(name: str) -> EntryPoint | None:
    """Return the entry point of this name, None where no installed package offers it."""
    return next((entry for entry in entry_points(group=ENTRY_POINTS) if entry.name == name), None)


def _checked(kind: object, name: str) -> Maker:
    wanted = ("oracle", "needs", "loss_prediction", "select")
    missing = [word for word in wanted if not hasattr(kind, word)]
    if not isinstance(kind, type) or missing:
        raise SpecError(
            f"strategy {name!r} is not a strategy class: it lacks {', '.join(missing) or 'a class'}; "
            "write a frozen dataclass that inherits from alray.strategies.ScoreStrategy, with `needs` and `score`, or "
            "from BatchStrategy, with `needs` and `select`"
        )
    return kind
