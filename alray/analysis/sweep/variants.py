"""Names of variants: which varied settings they hold, and what they are called without some of these."""

from collections.abc import Collection

from alray.settings.crowd import WORLD, CrowdSpec

CROWD = frozenset(CrowdSpec.model_fields)
"""Settings of a crowd, as the names of variants hold them."""

CROWD_CHOICES = CROWD - set(WORLD)
"""Those of them that a team can choose; the others say what its assessors are like."""

INITIAL_SELECTION = "initial_selection"
"""How the objects that a run begins with are chosen."""


def settings_in(variant: str, names: Collection[str]) -> list[str]:
    """Return the parts of a variant's name, such as `answers=1`, that are of these settings."""
    return [part for part in _parts(variant) if _name(part) in names]


def without_variant(label: str) -> str:
    """Return the name of an arm of any variant without that of the variant."""
    return label.partition(" [")[0]


def variant_in(label: str) -> str:
    """Return the name of the variant in that of an arm, "" where there is none."""
    return label.partition(" [")[2].removesuffix("]")


def without(variant: str, names: Collection[str]) -> str:
    """Return the name of the variant that has the study's own values of these settings."""
    return ", ".join(part for part in _parts(variant) if _name(part) not in names)


def _parts(variant: str) -> list[str]:
    return variant.split(", ") if variant else []


def _name(part: str) -> str:
    return part.partition("=")[0]
