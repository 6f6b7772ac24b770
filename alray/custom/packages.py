"""Installed packages that a study computes by, besides alray's own: of these versions, on every node."""

from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version

from alray.custom.code import CustomCode
from alray.errors import SpecError
from alray.settings.base import Settings
from alray.settings.custom import model_names
from alray.settings.estimators import PACKAGE, by_scikit_learn


def with_packages(code: CustomCode, settings: Settings) -> CustomCode:
    """Return a study's code with the versions of the packages that it computes by, as they are here."""
    values = settings.model_dump()
    begun = [values.get("initial_selection"), *values.get("vary", {}).get("initial_selection", ())]
    needed = (
        any(by_scikit_learn(model=name) for name in model_names(settings))
        or any(by_scikit_learn(initial_selection=each) for each in begun)
        or any(by_scikit_learn(strategy=text) for text in values.get("strategies", ()))
    )
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
