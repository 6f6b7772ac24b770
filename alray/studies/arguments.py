"""Settings as Python functions take them: a file, values, objects, and keywords."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alray.custom.objects import model_name
from alray.settings.base import AnySettings, Settings, validate
from alray.settings.files import as_values
from alray.strategies.objects import text_of

Study = Settings | Mapping[str, Any] | str | Path | None
"""Settings, plain values for them, the path of a YAML file or of a pool, or nothing for the defaults."""


def study_settings(kind: type[AnySettings], study: Any, given: Mapping[str, Any]) -> AnySettings:
    """Return the settings of a study; what is given by keyword replaces the study's, within a section its parts.

    Raises:
        SpecError: They are not valid, or an object has no text form.
    """
    if isinstance(study, kind) and not given:
        return study
    values = _plain(as_values(kind, study))
    for key, value in _plain(given).items():
        before: Any = values.get(key)
        both = isinstance(before, Mapping) and isinstance(value, Mapping)
        values[key] = {**dict(before), **value} if both else value
    origin = str(study) if isinstance(study, (str, Path)) else "the study"
    return validate(kind, values, f"{origin} and the arguments" if given else origin)


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings in which objects have become text."""
    plain = {
        key: value.model_dump(exclude_unset=True) if isinstance(value, Settings) else value
        for key, value in values.items()
    }
    strategies, pool, model = (plain.get(key) for key in ("strategies", "pool", "model"))
    if strategies is not None and not isinstance(strategies, str):
        listed = strategies if isinstance(strategies, (list, tuple)) else [strategies]
        plain["strategies"] = [text_of(each) for each in listed]
    if isinstance(pool, (str, Path)):
        plain["pool"] = {"source": str(pool)}
    elif isinstance(pool, Mapping) and isinstance(pool.get("source"), Path):
        plain["pool"] = {**pool, "source": str(pool["source"])}
    crowd = plain.get("crowd")
    if isinstance(crowd, Mapping) and isinstance(crowd.get("table"), Path):
        plain["crowd"] = {**crowd, "table": str(crowd["table"])}
    if model is not None and not isinstance(model, Mapping):
        plain["model"] = {"name": model_name(model)}
    elif isinstance(model, Mapping) and "name" in model:
        plain["model"] = {**model, "name": model_name(model["name"])}
    if isinstance(plain.get("vary"), Mapping):
        plain["vary"] = {
            key: [*map(model_name, each)] if key == "model.name" else each
            for key, each in plain["vary"].items()
        }
    return plain
