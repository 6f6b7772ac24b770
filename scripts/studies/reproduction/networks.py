"""Whether this version of alray builds another network for each of the settings that the part `networks` varies."""

from collections.abc import Iterable

import click

from studies.reproduction.parts import Part

NETWORKS = "networks"


def with_their_networks(parts: Iterable[Part]) -> list[Part]:
    """Return the parts without those whose networks do not exist yet, and say so.

    Their runs would all be of the usual network, would be kept, and would be taken for the others' later.
    """
    kept = list(parts)
    if any(part.name == NETWORKS for part in kept) and not builds_them():
        click.echo(
            f"{NETWORKS} is left out: this version of alray builds the same network for each model.block and "
            "model.fusion",
            err=True,
        )
        return [part for part in kept if part.name != NETWORKS]
    return kept


def builds_them() -> bool:
    """Whether highway layers and attention over modalities have weights that the usual network lacks."""
    from alray.networks.late_fusion import LateFusion  # noqa: PLC0415 -- imports torch
    from alray.settings.common import ModelSpec  # noqa: PLC0415

    def weights(spec: ModelSpec) -> int:
        network = LateFusion({"image": 4, "text": 4}, 3, spec)
        return sum(weight.numel() for weight in network.parameters())

    usual = weights(ModelSpec())
    others = (ModelSpec(block="highway"), ModelSpec(fusion="attention"))
    return all(weights(other) != usual for other in others)
