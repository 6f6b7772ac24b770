"""Settings from YAML files, and from arguments of Python functions."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from alray.errors import SpecError
from alray.settings.base import AnySettings, validate


def expand_home(path: str) -> str:
    """Return a path with the home folder in the place of `~`, as a shell does; other texts stay as they are."""
    if not path.startswith("~"):
        return path
    try:
        return str(Path(path).expanduser())
    except RuntimeError:  # `~name` of nobody, which may be a file's name
        return path


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a settings file.

    Raises:
        SpecError: It cannot be read, or does not hold settings.
    """
    try:
        values = yaml.safe_load(Path(expand_home(str(path))).read_text())
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror}; check the path") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise SpecError(f"{path} is not YAML: {error}") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise SpecError(f"{path}: expected settings (key: value), found {type(values).__name__}")
    return values


def as_settings(
    kind: type[AnySettings], study: AnySettings | Mapping[str, Any] | str | Path | None
) -> AnySettings:
    """Return settings from settings, plain values, a YAML file, or None for the defaults.

    Raises:
        SpecError: They are not valid.
    """
    if isinstance(study, kind):
        return study
    if isinstance(study, (str, Path)):
        return validate(kind, read_yaml(Path(study)), str(study))
    return validate(kind, study or {}, "the study")  # type: ignore[arg-type]  # `kind` excludes other settings
