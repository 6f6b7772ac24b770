"""What a sweep would do: its headline and a table of arms."""

from rich.console import Console

from alray.cli.display.phrases import size
from alray.cli.display.sweep_progress import sweep_headline
from alray.cli.display.tables import Column, FittingTable
from alray.studies.sweep.plan import Plan


def print_plan(console: Console, plan: Plan) -> None:
    """Print what the study is, the runs of each arm, and what a node must hold."""
    for line in sweep_headline(plan):
        console.print(line)
    table = FittingTable([Column("arm", "name"), Column("runs"), Column("objects scored")])
    runs = len(plan.study.seeds)
    for arm in plan.arms:
        oracle = " (oracle)" if arm.strategy.oracle else ""
        table.add(arm.label + oracle, f"{runs:,}", f"{runs * plan.forward_passes(arm):,}")
    console.print(table)
    console.print(f"pool in shared memory: {size(plan.prepared.nbytes)} on each node")
