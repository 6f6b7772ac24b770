"""The source of classes and functions of `__main__`: those that a script or the cells of a notebook define."""

import ast
import hashlib
import inspect
import linecache
import sys
import textwrap
from collections.abc import Iterator
from typing import Any

from alray.custom.loading import MAIN
from alray.custom.source import INSTALLED, folder_of, hashes, module_files
from alray.errors import SpecError

PLAIN = (bool, int, float, str, bytes, type(None))


def main_hashes(name: str, thing: Any, what: str) -> dict[str, str]:
    """Return a SHA-256 for each class, function and plain value of `__main__` that this one uses, itself included.

    Modules of the user's that it uses count too, by their files.

    Raises:
        SpecError: Its source cannot be read.
    """
    found: dict[str, str] = {}
    waiting = [(name.partition(":")[2], thing)]
    while waiting:
        word, value = waiting.pop()
        key = f"{MAIN}:{word}"
        if key in found:
            continue
        if isinstance(value, PLAIN) or (
            isinstance(value, tuple) and all(isinstance(each, PLAIN) for each in value)
        ):
            found[key] = _hash(repr(value))
        elif (inspect.isclass(value) or inspect.isfunction(value)) and value.__module__ == MAIN:
            source = _source(value, f"{what} {name!r}")
            found[key] = _hash(source)
            waiting += _used(source)
        else:
            found |= _of_module(value)
    return found


def _used(source: str) -> Iterator[tuple[str, Any]]:
    """Yield the names that a text uses and `__main__` defines, with their values."""
    defined = vars(sys.modules[MAIN])
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Name) and node.id in defined:
            yield node.id, defined[node.id]


def _of_module(value: Any) -> dict[str, str]:
    """Return the hashes of the module of a value, or that is the value, if it is neither installed nor alray's."""
    module = value.__name__ if inspect.ismodule(value) else getattr(value, "__module__", None)
    outermost = str(module).partition(".")[0]
    if module not in sys.modules or outermost in ("alray", MAIN, *sys.stdlib_module_names):
        return {}
    # To look for the files of an installed package, whose hashes are not wanted, takes seconds.
    installed = folder_of(str(module)).name in INSTALLED
    return {} if installed else hashes(module_files(str(module)))


def _source(thing: Any, subject: str) -> str:
    try:
        return textwrap.dedent(inspect.getsource(thing))
    except (OSError, TypeError):
        source = _source_in_cell(thing)
    if source is None:
        raise SpecError(
            f"{subject}: its source cannot be read, so alray could not see that it has changed; write it into a "
            "module, and import it"
        )
    return source


def _source_in_cell(thing: Any) -> str | None:
    """Return the source of a notebook's class by that of its methods: the class itself does not know its cell."""
    for value in vars(thing).values():
        function = inspect.unwrap(
            getattr(value, "fget", None) or getattr(value, "__func__", value)
        )
        if not inspect.isfunction(function):
            continue
        text = "".join(linecache.getlines(function.__code__.co_filename))
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef) and node.name == thing.__name__:
                decorators = [ast.unparse(each) for each in node.decorator_list]
                return "\n".join([*decorators, ast.get_source_segment(text, node) or ""])
    return None


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
