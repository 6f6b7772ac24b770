"""Settings from YAML files, and from arguments of Python functions."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from alray.errors import SpecError
from alray.settings.base import AnySettings, Settings, validate

DATA_ENDINGS = (
    ".arrow", ".csv", ".feather", ".h5", ".hdf5", ".ipc", ".jsonl", ".npy", ".npz", ".parquet", ".pq", ".pt",
    ".safetensors", ".tsv",
)  # fmt: skip
"""Endings of files that hold no settings, whether a pool can be read from them or has to be imported first."""


def expand_home(path: str) -> str:
    """Return a path with the home folder in the place of `~`, as a shell does; other texts stay as they are."""
    if not path.startswith("~"):
        return path
    try:
        return str(Path(path).expanduser())
    except RuntimeError:  # `~name` of nobody, which may be a file's name
        return path


def parsed(text: str) -> Any:
    """Read a text as YAML.

    Raises:
        ValueError: It is none; says why and where, in one line.
    """
    try:
        return yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        reason = ", ".join(filter(None, [error.context, error.problem]))
        mark = error.problem_mark
        where = f" (line {mark.line + 1}, column {mark.column + 1})" if mark else ""
        raise ValueError(f"{reason}{where}") from error
    except Exception as error:  # what only looks like a date or a number raises Python's own
        raise ValueError(" ".join(str(error).split())) from error


def read_yaml(path: Path) -> dict[str, Any]:
    """Read a settings file, in which `pool: NAME` is short for `pool: {source: NAME}`.

    Raises:
        SpecError: It cannot be read, or does not hold settings.
    """
    try:
        values = parsed(Path(expand_home(str(path))).read_text())
    except OSError as error:
        raise SpecError(f"{path}: {error.strerror}; check the path") from error
    except ValueError as error:  # of the text's encoding, too
        raise SpecError(f"{path} is not YAML: {error}; correct the file") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise SpecError(
            f"{path}: expected settings (key: value), found {type(values).__name__}; a pool is a Parquet file, and "
            "`alray pool import --help` lists what can become one"
        )
    if isinstance(values.get("pool"), str):
        values["pool"] = {"source": values["pool"]}
    return values


def as_values(kind: type[Settings], study: object) -> dict[str, Any]:
    """Return settings as plain values, of settings, plain values, a YAML file, a pool, or None for the defaults.

    Raises:
        SpecError: A file cannot be read, or holds no settings.
    """
    if isinstance(study, kind):
        return study.model_dump(exclude_unset=True)
    if isinstance(study, (str, Path)):
        return {"pool": {"source": str(study)}} if is_pool(study) else read_yaml(Path(study))
    if study is not None and not isinstance(study, Mapping):
        raise SpecError(
            f"a study is settings, a file of them, or a pool, not {type(study).__name__}; name settings by keyword, "
            "such as seeds=8"
        )
    return dict(study or {})


def as_settings(
    kind: type[AnySettings], study: AnySettings | Mapping[str, Any] | str | Path | None
) -> AnySettings:
    """Return settings from settings, plain values, a YAML file, a pool, or None for the defaults.

    Raises:
        SpecError: They are not valid.
    """
    if isinstance(study, kind):
        return study
    origin = str(study) if isinstance(study, (str, Path)) else "the study"
    return validate(kind, as_values(kind, study), origin)


def is_pool(name: str | Path) -> bool:
    """Return whether a word in the place of a settings file is a pool: a folder, an address, or a file of data."""
    path = Path(expand_home(str(name)))
    return path.is_dir() or "://" in str(name) or path.suffix.lower() in DATA_ENDINGS
