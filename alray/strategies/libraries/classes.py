"""Makes a strategy's class of another library's: its options are those of the library's constructor."""

import dataclasses
import functools
import inspect
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType
from typing import Any

from alray.custom.code import CustomName
from alray.custom.loading import describe_error
from alray.errors import SpecError
from alray.settings.base import unknown_name
from alray.settings.libraries import LIBRARIES, Library
from alray.strategies.libraries.catalogue import KNOWN, REFUSED, Features, Known
from alray.strategies.libraries.documentation import meanings, opening
from alray.strategies.libraries.strategy import LibraryStrategy

Number = int | float
Word = int | float | bool | str
"""What an option may be whose default is None."""

POOLS = {"skactiveml": "skactiveml.pool", "small_text": "small_text"}
"""Library: the module that holds its strategies."""

OBJECTS = ("_dict", "_params", "_kwargs", "_name", "_algo", "_func", "_regressor", "_matrix")
"""Endings of options that take an object, which no text stands for."""

NOT_OPTIONS = ("self", "missing_label", "random_state", "classes", "deltas", "pbar", "kwargs")
"""Arguments that alray decides, and further objects."""

Field = tuple[str, Any, Any]
"""An option: its name, its type and its default."""


def is_name(name: str) -> bool:
    """Return whether `module:Class` names another library's strategy."""
    return name.partition(":")[0] in LIBRARIES


def refuse_module_alone(name: str, kind: str) -> None:
    """Refuse a library's name without a strategy, or its package's name in the place of its module's.

    Raises:
        SpecError: Shows how to write a strategy of it.
    """
    module, colon, _ = name.partition(":")
    for library in LIBRARIES.values():
        wrong = library.package == module or (not colon and library.module == module)
        if wrong and library.module != library.package:
            raise SpecError(
                f"there is no {kind} {name!r}; strategies of {library.package} are written {library.module}:NAME, such "
                f"as {library.example}; `alray strategies {library.module}` lists them"
            )


def code_of(name: str) -> CustomName:
    """Return what a library's strategy is known by: the installed version.

    Raises:
        SpecError: The library is not installed, or the strategy cannot be an arm.
    """
    library, _ = _known(name)
    return CustomName(name, "strategy", library.package, _version(library, name), by_version=True)


@functools.cache
def strategy_class(name: str) -> type[LibraryStrategy]:
    """Return the class of the strategy `module:Class`, always the same one.

    Raises:
        SpecError: It cannot be an arm, or the library is not installed or lacks it; says why.
    """
    library, known = _known(name)
    origin = f"{library.package} {_version(library, name)}"
    kind = _library_class(library, name)
    options = [*_options(kind), *_our_options(known)]
    return dataclasses.make_dataclass(
        name,
        [
            (option, hint, dataclasses.field(default=default))
            if default is not inspect.Parameter.empty
            else (option, hint)
            for option, hint, default in options
        ],
        bases=(LibraryStrategy,),
        frozen=True,
        namespace={
            "name": name,
            "origin": origin,
            "known": known,
            "kind": kind,
            "asking": _asking(library),
            "__doc__": _docstring(kind, known, origin, [option for option, _, _ in options]),
        },
    )


def _known(name: str) -> tuple[Library, Known]:
    module, _, word = name.partition(":")
    library = LIBRARIES[module]
    reason = REFUSED[module].get(word)
    if reason is not None:
        raise SpecError(
            f"strategy {name!r} of {library.package} cannot be an arm: {reason}; alray gives other libraries "
            "probabilities and features that it has computed, never the model"
        )
    if word not in KNOWN[module]:
        raise SpecError(f"{library.package}: {unknown_name('strategy', word, [*KNOWN[module]])}")
    return library, KNOWN[module][word]


def _version(library: Library, name: str) -> str:
    try:
        return version(library.package)
    except PackageNotFoundError:
        raise SpecError(
            f"strategy {name!r} needs {library.package}, which is not installed: {library.install}"
        ) from None


def _library_class(library: Library, name: str) -> Any:
    word = name.partition(":")[2]
    try:
        module = import_module(POOLS[library.module])
    except Exception as error:
        raise SpecError(
            f"strategy {name!r}: {library.package} cannot be imported: {describe_error(error)}"
        ) from error
    found = getattr(module, word, None)
    if found is None:
        raise SpecError(
            f"strategy {name!r}: the installed {library.package} {_version(library, name)} has no {word}; install "
            f"another version: {library.install}"
        )
    return found


def _asking(library: Library) -> ModuleType:
    return import_module(f"alray.strategies.libraries.asking_{library.module}")


def _options(kind: Any) -> Iterator[Field]:
    """Yield the options of the library's constructor that can be written as a text."""
    for name, parameter in inspect.signature(kind.__init__).parameters.items():
        default = parameter.default
        if name in NOT_OPTIONS or name.endswith(OBJECTS):
            continue
        if default is None:
            yield name, Word, None
        elif isinstance(default, bool | str):
            yield name, type(default), default
        elif isinstance(default, int | float):
            yield name, Number, default


def _our_options(known: Known) -> Iterator[Field]:
    if known.features is not None:
        yield "features", Features, known.features
        yield "unit_length", bool, known.unit_length


def _docstring(kind: Any, known: Known, origin: str, options: list[str]) -> str:
    """Return a docstring in alray's form."""
    parts = {"the labels": True, "alray's probabilities": bool(known.model)}
    words = [what for what, is_given in parts.items() if is_given]
    words += ["the features that are chosen below"] if known.features is not None else []
    is_given = words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
    room = (
        f" At most {known.most:,} candidates, since it compares all with all."
        if known.most
        else ""
    )
    said = {
        **meanings(kind, options),
        "features": "Its embedding: last is the input of the network's last layer, pool the pool's own features.",
        "unit_length": "Whether features are divided by their length.",
    }
    lines = [f"    {name}: {said[name]}" for name in options if said.get(name)]
    attributes = "\n\nAttributes:\n" + "\n".join(lines) if lines else ""
    return f"{opening(kind)}\n\nOf {origin}, which alray gives {is_given}, and never the model.{room}{attributes}\n"
