"""From a sweep's settings to its plan: read what they name, share it, check it."""

from dataclasses import replace

from alray.custom.code import CustomCode
from alray.pools.preparing import PoolVariant, share
from alray.pools.reading_variants import read_pools
from alray.settings.sweep import SweepSpec
from alray.studies.sweep.crowd_table import with_table
from alray.studies.sweep.plan import Plan, make_plan
from alray.studies.sweep.screen_choice import choose_precision
from alray.studies.sweep.tree_file import read_tree
from alray.studies.sweep.trial import try_strategies
from alray.studies.sweep.variation import choices, varied_study


def plan_of(spec: SweepSpec, code: CustomCode) -> Plan:
    """Read the pool and other files, split the pool, and check all that can be checked before a run starts.

    Raises:
        AlrayError: Something in the settings or the files prevents the study.
    """
    varied = [varied_study(spec, choice) for choice in choices(spec.vary)]
    tree = read_tree(spec.questions)
    pools = read_pools(spec.pool, [each.pool for each in varied], spec.split.column)
    spec, confusions = with_table(spec, pools.own.classes)
    variants = [PoolVariant(pools.of(each.pool), each.pool.dtype, each.split) for each in varied]
    shared = replace(share(variants, spec.seed, spec.seeds), confusions=confusions)
    plan = make_plan(spec, pools, shared, code, tree)
    try_strategies(plan)
    return choose_precision(plan)
