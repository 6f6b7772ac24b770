"""What a sweep would do: its headline and a table of arms."""

from rich.console import Console

from alray.cli.display.phrases import size
from alray.cli.display.sweep_progress import sweep_headline
from alray.cli.display.tables import Column, FittingTable
from alray.studies.sweep.arm import Arm
from alray.studies.sweep.plan import Plan


def print_plan(console: Console, plan: Plan) -> None:
    """Print what the study is, the runs of each arm, and what a node must hold."""
    for line in sweep_headline(plan):
        console.print(line)
    columns = [Column("arm", "name"), Column("runs"), Column("objects scored")]
    runs, budgets = len(plan.study.seeds), {_labels(arm) for arm in plan.arms}
    table = FittingTable(columns + [Column("labels")] * (len(budgets) > 1))
    for arm in plan.arms:
        oracle = " (oracle)" if arm.strategy.oracle else ""
        cells = [arm.label + oracle, f"{runs:,}", f"{runs * plan.forward_passes(arm):,}"]
        table.add(*cells, *[_labels(arm)] * (len(budgets) > 1))
    console.print(table)
    console.print(f"pool in shared memory: {size(plan.shared.nbytes)} on each node")
    if plan.shared.files():
        on_disk = size(plan.shared.bytes_on_disk)
        console.print(
            f"features in a mapped file: {on_disk} on the disk of each node", soft_wrap=True
        )


def _labels(arm: Arm) -> str:
    study = arm.study
    if study.rounds == 0:
        return f"{study.initial:,}"
    return f"{study.initial:,} + {study.rounds:,} x {study.query:,} = {study.budget:,}"
