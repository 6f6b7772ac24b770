"""Load a strategy or a network that the user supplies as `package.module:Name`."""

import sys
import traceback
from collections.abc import Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

from alray.errors import SpecError
from alray.settings.base import nearest

MAIN = "__main__"
"""The module of what a script or a notebook defines itself."""

_received: dict[str, Any] = {}
"""What was sent to this process by value, by name."""


def load(name: str, what: str) -> Any:
    """Return the object that `package.module:Name` names; messages begin with `what` and the name.

    Raises:
        SpecError: The module cannot be imported, or has no such name.
    """
    if name in _received:
        return _received[name]
    module_name, _, attribute = name.partition(":")
    refuse_path(name, what)
    module = _import(module_name, f"{what} {name!r}")
    try:
        return getattr(module, attribute)
    except AttributeError:
        raise SpecError(
            f"{what} {name!r} cannot be imported: {_missing(module, attribute)}"
        ) from None


def receive(values: Mapping[str, Any]) -> None:
    """Let `load` return these objects by their names: those of the driver's `__main__`, which no module holds here."""
    _received.update(values)


def file_of(thing: object) -> str:
    """Return the file of the module that defines a class, a function or an object's class, or that module's name."""
    name = getattr(thing, "__module__", None) or type(thing).__module__
    found: str | None = getattr(sys.modules.get(name), "__file__", None)
    return found or name


def describe_error(error: BaseException) -> str:
    """Return an error in one line, with the file and the line in which it was raised."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}, line {error.lineno}: {type(error).__name__}: {error.msg}"
    frames = traceback.extract_tb(error.__traceback__)
    reason = f"{type(error).__name__}: {error}".rstrip(": ").splitlines()[0]
    return f"{frames[-1].filename}, line {frames[-1].lineno}: {reason}" if frames else reason


def refuse_path(name: str, what: str) -> None:
    """Refuse a file in place of a module.

    Raises:
        SpecError: Says how to name the module.
    """
    path, _, attribute = name.partition(":")
    if "/" not in path and "\\" not in path and not path.endswith(".py"):
        return
    inner = path.removesuffix(".py").removeprefix("./").replace("\\", "/")
    outside = inner.startswith(("/", "..", "~"))
    module = inner.rpartition("/")[2] if outside else inner.strip("/").replace("/", ".")
    where = "in its folder, or with that folder in PYTHONPATH" if outside else "here"
    raise SpecError(
        f"{what} {name!r} names a file; name its module, {where}: {module}:{attribute or 'Name'}"
    )


def _import(module_name: str, subject: str) -> ModuleType:
    try:
        return import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{module_name}.".startswith(f"{error.name}."):
            reason = describe_error(error)
        else:
            reason = f"{error}; modules are found in the present folder and in those of PYTHONPATH"
        raise SpecError(f"{subject} cannot be imported: {reason}") from error
    except (Exception, SystemExit) as error:
        raise SpecError(f"{subject} cannot be imported: {describe_error(error)}") from error


def _missing(module: ModuleType, attribute: str) -> str:
    if module.__name__ == MAIN:
        return (
            f"this program defines no {attribute!r}; a class of {MAIN} has to be defined again, by the script or "
            "notebook that goes on with its study"
        )
    names = [name for name in vars(module) if not name.startswith("_")]
    near = nearest(attribute, names)
    hint = f"; did you mean {near!r}?" if near else ""
    return f"{file_of_module(module)} has no {attribute!r}{hint}"


def file_of_module(module: ModuleType) -> str:
    """Return a module's file, or its name where it has none."""
    return getattr(module, "__file__", None) or module.__name__
