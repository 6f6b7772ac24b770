"""The user's code that a study names: part of a run's identity, and what workers need to run the same."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from alray.settings.estimators import class_of


class CustomName(NamedTuple):
    """A strategy or a network of the user's.

    Attributes:
        name: `package.module:Name`.
        what: `strategy` or `model.name`, for messages.
        package: The installed package that offers it as an entry point, "" where none does.
        version: The package's version.
        by_version: Whether that says which code it is, and no file has to be read.
    """

    name: str
    what: str
    package: str = ""
    version: str = ""
    by_version: bool = False

    @property
    def module(self) -> str:
        """The module's name."""
        return self.name.partition(":")[0]


def custom_model(name: str) -> CustomName | None:
    """Return where the code of a network is that the user supplies; None for alray's and scikit-learn's own."""
    estimator = class_of(name)
    if estimator is not None:
        ours = estimator.partition(".")[0] == "sklearn"
        return None if ours else CustomName(estimator, "model.name: scikit-learn class")
    return CustomName(name, "model.name") if ":" in name else None


@dataclass(frozen=True)
class CustomCode:
    """The source of the strategies and networks that a study names and alray does not hold.

    Attributes:
        files: Per name (`package.module:Name`) its source: a file and the SHA-256 of its content, or the name of an
            installed package and its version.
        folders: Folders in which the modules were found.
        values: Classes and functions of `__main__` by name: they are sent to workers by value.
        versions: Versions of the installed packages that the study computes by, besides alray's own.
    """

    files: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    folders: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)

    def digest(self, name: str | None) -> str | None:
        """Return a hash of all that this name's code consists of, None for what alray holds itself."""
        files = self.files.get(name) if name is not None else None
        if files is None:
            return None
        lines = "\n".join(f"{files[file]} {file}" for file in sorted(files))
        return hashlib.sha256(lines.encode()).hexdigest()[:16]

    @property
    def all_files(self) -> dict[str, str]:
        """Every file of every name, with its SHA-256."""
        return {file: files[file] for files in self.files.values() for file in sorted(files)}


NO_CODE = CustomCode()
"""Of a study that names built-in strategies and networks only."""
