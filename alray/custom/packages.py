"""Installed packages that a study computes by, besides alray's own: of these versions, on every node."""

import itertools
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version

from alray.custom.code import CustomCode
from alray.errors import SpecError
from alray.settings.base import Settings
from alray.settings.custom import model_names
from alray.settings.libraries import packages_of


def with_packages(code: CustomCode, settings: Settings) -> CustomCode:
    """Return a study's code with the versions of the packages that it computes by, as they are here."""
    values = settings.model_dump()
    begun = [values.get("initial_selection"), *values.get("vary", {}).get("initial_selection", ())]
    needed = [
        *(packages_of(model=name) for name in model_names(settings)),
        *(packages_of(initial_selection=each) for each in begun),
        *(packages_of(strategy=text) for text in values.get("strategies", ())),
    ]
    names = dict.fromkeys(itertools.chain.from_iterable(needed))
    return replace(code, versions={name: _version(name) for name in names}) if names else code


def require_same_packages(code: CustomCode) -> None:
    """Refuse to run where these packages are of other versions: their numbers differ.

    Raises:
        SpecError: Names the package and both versions.
    """
    for name, there in code.versions.items():
        here = _version(name)
        if here != there:
            raise SpecError(
                f"this node has {name} {here}, and the program that started the study {there}: install the same "
                "version on every node"
            )


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
