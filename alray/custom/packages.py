"""Installed packages that a study's networks come from: of these versions, on every node."""

from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version

from alray.custom.code import CustomCode
from alray.errors import SpecError
from alray.settings.base import Settings
from alray.settings.custom import model_names
from alray.settings.estimators import PACKAGE, class_of


def with_packages(code: CustomCode, settings: Settings) -> CustomCode:
    """Return a study's code with the versions of the packages that its networks come from, as they are here."""
    needed = any(class_of(name) is not None for name in model_names(settings))
    return replace(code, versions={PACKAGE: _version()}) if needed else code


def require_same_packages(code: CustomCode) -> None:
    """Refuse to run where these packages are of other versions: their numbers differ.

    Raises:
        SpecError: Names the package and both versions.
    """
    for name, there in code.versions.items():
        here = _version()
        if here != there:
            raise SpecError(
                f"this node has {name} {here}, and the program that started the study {there}: install the same "
                "version on every node"
            )


def _version() -> str:
    try:
        return version(PACKAGE)
    except PackageNotFoundError:
        return "not installed"
