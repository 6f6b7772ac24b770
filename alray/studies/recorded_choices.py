"""What a study's manifest holds of choices that are measured where it begins, and how they differ from the settings."""

from collections.abc import Mapping
from typing import Any

from alray.settings.common import Precision

PRODUCTS = "products"
"""The manifest's entry for who computes matrix products, and in which precision a screen is scored."""

SCREENING = "screening"
"""What the entry calls the precision."""

PRECISION = "screen.precision"
"""The setting."""


def recorded_products(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Return who computes the matrix products of a study on record; empty where its manifest is lost.

    Before there was a choice, oneDNN did.
    """
    if not manifest:
        return {}
    recorded = {"scoring": "onednn", "training": "onednn"} | dict(manifest.get(PRODUCTS, {}))
    return {phase: library for phase, library in recorded.items() if phase != SCREENING}


def recorded_precision(manifest: Mapping[str, Any]) -> Precision | None:
    """Return what the screen of a study on record is scored in; None where its manifest is lost.

    Before there was a choice, it was int8.
    """
    if not manifest:
        return None
    found: Precision = manifest.get(PRODUCTS, {}).get(SCREENING, "int8")
    return found


def choice_changes(
    manifest: Mapping[str, Any], there: Mapping[str, Any], here: Mapping[str, Any]
) -> list[str]:
    """Return what differs in these choices between a study on record and the settings now, a line each.

    Args:
        manifest: The study's.
        there: Its settings by dotted name.
        here: The settings now by dotted name.
    """
    recorded: dict[str, Any] = {
        f"execution.products.{phase}": library
        for phase, library in recorded_products(manifest).items()
    }
    differ = [name for name in recorded if here.get(name) not in (None, recorded[name])]
    precision = here.get(PRECISION)
    recorded[PRECISION] = there.get(PRECISION) or recorded_precision(manifest)
    # A bf16 that is given is a part of the runs' names.
    if "bf16" in {there.get(PRECISION), precision} and there.get(PRECISION) != precision:
        recorded[PRECISION] = None if recorded[PRECISION] == precision else recorded[PRECISION]
        differ.append(PRECISION)
    elif recorded[PRECISION] is not None and precision not in (None, recorded[PRECISION]):
        differ.append(PRECISION)
    return [f"  {name}: {recorded[name]!r} there, {here.get(name)!r} now" for name in differ]
