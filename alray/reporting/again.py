"""The command that made a study, to be typed again with other settings."""

import shlex
from collections.abc import Mapping, Sequence

SWEEP = ("alray", "sweep")
PYTHON = "alray.sweep(...)"
_FLAGS = ("--fresh", "--dry-run")


def again(command: str, changes: Mapping[str, str]) -> str:
    """Return a command with changed settings, in the place of those that it had; without what throws records away.

    Where the study was made from Python, or what made it is not known, it is said in words what is to be changed.

    Args:
        command: As the manifest has it.
        changes: Setting, as its option is called: its new value.
    """
    if command == PYTHON:
        given = "".join(f", {name}={_literal(value)}" for name, value in changes.items())
        return f"alray.sweep(...{given})"
    typed = _words(command)
    options = [word for name, value in changes.items() for word in (f"--{name}", value)]
    if typed is None:
        with_options = f" with {shlex.join(options)}" if options else ""
        return f"the same command{with_options}"
    return shlex.join([*_without(typed, changes), *options])


def _literal(value: str) -> str:
    return value if value.isdigit() else repr(value)


def _words(command: str) -> list[str] | None:
    """Return the words of `alray sweep ...`, None where it is another command or cannot be read."""
    try:
        words = shlex.split(command)
    except ValueError:
        return None
    return words if tuple(words[:2]) == SWEEP else None


def _without(words: Sequence[str], changes: Mapping[str, str]) -> list[str]:
    """Return the words without the options that set what is changed, and without those that begin anew."""
    kept: list[str] = []
    rest = list(words)
    while rest:
        word = rest.pop(0)
        name, equals, _ = word.partition("=")
        if name in _FLAGS:
            continue
        if name.removeprefix("--") in changes and name.startswith("--"):
            del rest[: not equals]
            continue
        if word == "--set" and rest and rest[0].partition("=")[0] in changes:
            del rest[0]
            continue
        if name == "--set" and equals and word.split("=")[1] in changes:
            continue
        kept.append(word)
    return kept
