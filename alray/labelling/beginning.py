"""What is filled in and said before a campaign begins."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from alray.custom.code import CustomCode, custom_model
from alray.custom.finding import find_code
from alray.pools.builtin import BUILTIN_POOLS, pool_name, with_own_settings
from alray.pools.open_pool import OpenPool
from alray.settings.base import assign, flatten
from alray.settings.campaign import CampaignSpec
from alray.settings.location import location_of
from alray.settings.names import study_name
from alray.strategies import custom_name
from alray.studies.campaign.campaign import first_ledger
from alray.studies.campaign.checks import about_audit
from alray.studies.campaign.parts import parts_of

NAME_ENDING = "-labels"
"""What follows the pool's name in the name of a campaign that is given none."""


def resolved(spec: CampaignSpec) -> CampaignSpec:
    """Return the settings with the name filled in, and the pool where it lies, from wherever one looks later."""
    pool = with_own_settings(spec.pool)
    name = spec.name or study_name(pool_name(pool.source), NAME_ENDING)
    if pool.source not in BUILTIN_POOLS:
        where = location_of(pool.source)
        source = str(Path.cwd() / where) if isinstance(where, Path) else pool.source
        pool = pool.model_copy(update={"source": source})
    return spec.model_copy(update={"pool": pool, "name": name})


def code_of(spec: CampaignSpec) -> CustomCode:
    """Return what the user supplies: strategy and network."""
    names = [custom_name(spec.strategy), custom_model(spec.model.name)]
    return find_code(name for name in names if name is not None)


def about(spec: CampaignSpec, pool: OpenPool, classes: tuple[str, ...]) -> list[str]:
    """Return what there is to label."""
    ledger = first_ledger(pool.known)
    parts = parts_of(pool, ledger, spec.seed, spec.audit)
    labels = len(ledger.initial)
    unlabelled = len(pool.known.ids) - labels
    begun = (
        f"{spec.strategy} chooses from the first batch on"
        if labels >= (spec.initial or 0)
        else f"{spec.initial_selection} selection chooses until {spec.initial:,} labels are known, then {spec.strategy}"
    )
    return [
        f"{pool.known.path}: {unlabelled:,} of {len(pool.known.ids):,} objects have no label; "
        f"{len(classes)} classes are known",
        about_audit(spec, parts),
        begun,
    ]


def merged(values: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return nested plain values with those that are given in their places."""
    found: dict[str, Any] = {}
    for each in (values, given):
        for name, value in flatten(each).items():
            if name.startswith("pool.modalities") and each is given:
                found.get("pool", {}).pop("modalities", None)
            assign(found, name, value)
    return found
