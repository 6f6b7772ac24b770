"""Estimators with scikit-learn's interface: found by their names, made with their options, seeded."""

import inspect
import warnings
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any

from alray.custom.loading import MAIN, describe_error, load
from alray.errors import SpecError
from alray.networks.generators import forked_rng
from alray.settings.base import unknown_name
from alray.settings.common import ModelSpec
from alray.settings.estimators import PREFIX, class_of

SEED = "random_state"


def estimator_maker(spec: ModelSpec) -> Callable[[], Any]:
    """Return what makes fresh estimators of these settings; one has been made and looked at.

    The name is that of a class, of a function that returns an estimator, or of an estimator such as a pipeline, which
    is copied without what it has learned.

    Raises:
        SpecError: scikit-learn is not installed, the name or an option is unknown, or it is no classifier with
            probabilities.
    """
    if find_spec("sklearn") is None:
        raise SpecError(
            f'model.name: {spec.name!r} needs scikit-learn, which is not installed: pip install "alray[sklearn]"'
        )
    thing = _load(spec.name)
    if not callable(thing) and str(class_of(spec.name)).startswith(f"{MAIN}:"):
        raise SpecError(
            f"model.name: {spec.name!r} is an object of this program, and a study cannot see whether it has changed: "
            "return it from a function, and name that one, or put it into a module"
        )
    options = {key: _number(value) for key, value in spec.options.items()}
    _check_options(spec.name, thing, options)

    def make() -> Any:
        if callable(thing):
            return thing(**options)
        if not hasattr(thing, "get_params"):
            return thing
        from sklearn.base import clone  # noqa: PLC0415 -- it need not be installed

        return clone(thing).set_params(**options)

    try:
        with forked_rng(0), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a fit says them again
            estimator = make()
    except SpecError:
        raise
    except Exception as error:
        raise SpecError(f"model.name: {spec.name!r}: {describe_error(error)}") from error
    _check_estimator(spec.name, estimator)
    return make


def seed_estimator(estimator: Any, seed: int) -> None:
    """Let an estimator and those within it draw from generators of this seed, wherever they have a `random_state`."""
    names = [
        name
        for name in estimator.get_params(deep=True)
        if name == SEED or name.endswith(f"__{SEED}")
    ]
    estimator.set_params(**{name: seed + number for number, name in enumerate(sorted(names))})


def _load(name: str) -> Any:
    path = str(class_of(name))
    try:
        # Its first import may draw numbers, which must not change any other's.
        with forked_rng(0):
            return load(path, "model.name")
    except SpecError as error:
        hint = _where(name)
        raise SpecError(
            str(error).replace(repr(path), repr(name)) + (f"; did you mean {hint!r}?" * bool(hint))
        ) from error


def _where(name: str) -> str:
    """Return the name under which scikit-learn has the class, "" where it has none of this name elsewhere."""
    from sklearn.utils import all_estimators  # noqa: PLC0415 -- it need not be installed

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = dict(all_estimators(type_filter="classifier")).get(name.rpartition(".")[2])
    if found is None:
        return ""
    public = found.__module__.partition("._")[0]
    return f"{PREFIX}{public}.{found.__name__}"


def _number(value: object) -> object:
    """Return the number that a text such as 1e-3 is, which YAML reads as text; other values as they are."""
    if not isinstance(value, str):
        return value
    try:
        return float(value)
    except ValueError:
        return value


def _check_options(name: str, thing: Any, options: Mapping[str, Any]) -> None:
    """Refuse options that the constructor does not have, and those that alray decides itself."""
    valid = _option_names(thing)
    for key, value in options.items():
        if key.endswith(SEED):
            raise SpecError(
                f"model.options.{key}: alray draws it anew for each round from the study's seed, so that runs can be "
                "repeated; leave it out, and use --seeds"
            )
        if valid is not None and key not in valid:
            reason = unknown_name("option", key, valid) if valid else "it has no options"
            raise SpecError(f"model.options of {name!r}: {reason}")
        if key.endswith("class_weight") and isinstance(value, Mapping):
            raise SpecError(
                f"model.options.{key}: weights by class cannot be given, since a classifier gets classes as numbers; "
                "set it to balanced, or leave it out"
            )


def _option_names(thing: Any) -> list[str] | None:
    """Return the names of an estimator's options, None where it takes any."""
    if not callable(thing):
        return [*thing.get_params(deep=True)] if hasattr(thing, "get_params") else []
    try:
        parameters = inspect.signature(thing).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(each.kind is each.VAR_KEYWORD for each in parameters):
        return None
    return [each.name for each in parameters]


def _check_estimator(name: str, estimator: Any) -> None:
    """Refuse what is no classifier with probabilities; whether it has them is seen on the object alone."""
    interface = ("fit", "get_params", "set_params")
    lacks = [word for word in interface if not hasattr(estimator, word)]
    if lacks:
        raise SpecError(
            f"model.name: {name!r} is no scikit-learn estimator: {type(estimator).__name__} lacks {', '.join(lacks)}; "
            "derive a class of your own from sklearn.base.ClassifierMixin and BaseEstimator"
        )
    if not hasattr(estimator, "predict_proba"):
        raise SpecError(
            f"model.name: {name!r} has no predict_proba{_remedy(estimator)}: strategies choose by probabilities; use a "
            "classifier that has them, such as LogisticRegression, or wrap this one in "
            "sklearn.calibration.CalibratedClassifierCV in a module of your own"
        )


def _remedy(estimator: Any) -> str:
    """Return the option that brings probabilities, where there is one."""
    options = estimator.get_params(deep=False)
    if options.get("probability") is False:
        return " without model.options.probability=true"
    if "loss" in options:
        return f" with loss={options['loss']} (--set model.options.loss=log_loss may bring it)"
    return ""
