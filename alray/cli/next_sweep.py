"""The command that goes on with the variant that a sweep without rounds has chosen: as it is typed."""

import contextlib
import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from alray.cli.settings_options import Setting, pairs
from alray.settings.files import parsed
from alray.settings.names import study_name
from alray.settings.sweep import SweepSpec, fitting_budget

ENDING = "-chosen"
"""What the study's name adds to that of the study by which the variant was chosen: its settings are others."""

LEFT_OUT = ("rounds", "vary", "name")
"""Settings of the command that was typed which the next one has anew."""


@dataclass(frozen=True)
class Typed:
    """What was typed for a sweep.

    Attributes:
        study: The settings file or the pool, None for neither.
        given: Setting: its value, of the options.
        settings: The texts of `--set`.
        others: Further words, such as `--results DIR`.
    """

    study: str | None
    given: Mapping[str, Any]
    settings: Sequence[str] = ()
    others: Sequence[str] = ()


def next_command(
    typed: Typed,
    options: Mapping[str, Setting],
    spec: SweepSpec,
    chosen: Mapping[str, Any],
    train: int | None = None,
) -> str:
    """Return the command with the chosen settings, the other words as they were typed, and rounds.

    Args:
        typed: The command by which was chosen.
        options: Name of an option: the setting that it sets.
        spec: The settings that were resolved from it, the study's name included.
        chosen: Setting: the chosen value.
        train: Objects of the smallest train part, None where unknown.
    """
    budget = _budget(spec, chosen, train)
    replaced = {*chosen, *LEFT_OUT, *budget}
    words = ["alray", "sweep", *([typed.study] if typed.study else [])]
    for name, setting in options.items():
        words += _option(name, setting.name, typed.given, replaced)
    for name, text in pairs("--set", tuple(typed.settings)).items():
        if name not in replaced:
            words += ["--set", f"{name}={text}"]
    for name, value in chosen.items():
        if name not in budget:
            words += ["--set", f"{name}={_yaml(value)}"]
    for name, value in budget.items():
        words += [f"--{name.replace('_', '-')}", str(value)]
    # A settings file may have these of its own.
    if typed.study and spec.vary and "vary" not in typed.given:
        words += ["--set", "vary={}"]
    words += ["--name", study_name(str(spec.name), ENDING), *typed.others]
    return shlex.join(words)


def _option(name: str, setting: str, given: Mapping[str, Any], replaced: set[str]) -> list[str]:
    """Return the words of an option as it was given, if it was."""
    if setting in replaced:
        return []
    inner = [key for key in given if key.startswith(f"{setting}.")]
    if inner:
        return [
            word
            for key in inner
            for word in (f"--{name}", f"{key.removeprefix(f'{setting}.')}={given[key]}")
        ]
    if setting not in given:
        return []
    value = given[setting]
    if value is True or value == {}:
        return [f"--{name}"]
    if value is False or value is None:
        return [f"--no-{name}"]
    return [f"--{name}", str(value)]


def _budget(spec: SweepSpec, chosen: Mapping[str, Any], train: int | None) -> dict[str, int]:
    """Return the settings `rounds` and others by which the sweep's labels fit into the train part; rounds always."""
    usual = SweepSpec.model_fields["rounds"].default
    initial, query = (int(chosen.get(name, getattr(spec, name))) for name in ("initial", "query"))
    every = spec.evaluate_every
    rounds = usual
    if train is not None and initial + usual * query > train:
        # Where all is labelled in the end, all strategies are equally good there.
        rounds = (train - initial) // (2 * query)
    rounds -= rounds % every
    if rounds > 0:
        return {"rounds": rounds}
    fields = SweepSpec.model_fields
    defaults = {name: int(fields[name].default) for name in ("initial", "query", "rounds")}
    fitting = fitting_budget(train, 2) if train else {}
    return {**defaults, **fitting, **({"evaluate_every": 1} if every > 1 else {})}


def _yaml(value: Any) -> str:
    """Return a value as `--set` reads it."""
    with contextlib.suppress(ValueError):  # a text that is no YAML needs its quotes
        if isinstance(value, str) and parsed(value) == value:
            return value
    return json.dumps(value)
