"""The settings of one run, from those of its arm."""

from alray.pools.variants import Pools
from alray.settings.run import RunSpec
from alray.studies.sweep.arm import Arm
from alray.studies.sweep.question_plan import asked_by, label_price


def run_of(pools: Pools, arm: Arm, seed: int) -> RunSpec:
    """Return the settings of an arm's run with this seed; settings at their defaults that came later are None."""
    study = arm.study
    execution = study.execution
    pool = pools.of(study.pool)
    return RunSpec(
        arm=arm.label,
        strategy=arm.text,
        strategy_options=arm.options,
        variant=arm.variant,
        against=arm.against,
        oracle=arm.strategy.oracle,
        seed=seed,
        study_seed=study.seed,
        pool_fingerprint=pool.fingerprint,
        pool_dtype=study.pool.dtype,
        split=study.split,
        model=study.model,
        training=study.training,
        initial=study.initial,
        query=study.query,
        rounds=study.rounds,
        metric_split=study.metric_split,
        threads=execution.cpus_per_run,
        device="cuda" if execution.gpus_per_run else "cpu",
        gpu_precision=None if execution.gpu_precision == "float32" else execution.gpu_precision,
        initial_draw=None if study.initial_draw == "distinct" else study.initial_draw,
        initial_selection=None if study.initial_selection == "random" else study.initial_selection,
        crowd=study.crowd,
        questions=asked_by(arm, len(pool.classes)),
        label_cost=label_price(arm, len(pool.classes)),
        candidates=study.candidates,
        screen=study.screen,
        evaluate_every=study.evaluate_every if study.evaluate_every > 1 else None,
        strategy_code=arm.strategy_code,
        model_code=arm.model_code,
    )
