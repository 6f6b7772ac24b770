"""Errors of a custom network's code, with the file and line of that code."""

import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from alray.errors import AlrayError, SpecError

_LIBRARIES = ("site-packages", "/lib/python", "<")
"""What the paths of files have in common that hold no code of the user's."""


@contextmanager
def named_errors(model: str, when: str) -> Iterator[None]:
    """Turn an error of a custom network within a `with` statement into a SpecError with its place.

    Args:
        model: The setting `model.name`.
        when: What was done, for the message: "raised ValueError: TEXT, WHEN".
    """
    try:
        yield
    except AlrayError:
        raise
    except Exception as error:
        text = str(error).strip().partition("\n")[0].rstrip(".")
        place = _place(error.__traceback__, model.partition(":")[0])
        raise SpecError(
            f"model.name: {model!r} raised {type(error).__name__}: {text}, {when}{place}"
        ) from error


def _place(trace: TracebackType | None, module: str) -> str:
    """Return the file and line of the last frame of the user's code, nothing where there is none."""
    place = ""
    for frame, line in traceback.walk_tb(trace):
        path, name = frame.f_code.co_filename, str(frame.f_globals.get("__name__"))
        package = name.partition(".")[0]
        is_library = package == "alray" or any(part in path for part in _LIBRARIES)
        if name == module or not is_library:
            place = f" ({path}, line {line})"
    return place
