"""Injects faults into a study and counts how many it survives.

Workers, nodes, links, drivers and disks fail at random moments of a study. Makes a cluster of three nodes out of
namespaces (cluster/local/nodes), as root, and runs one study on it repeatedly while a seeded plan of faults happens to
it. After each study its records are compared, to the bit, with those of the study run undisturbed in one process.
"""

import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path

import click
import yaml

from alray.api import plan_sweep
from benchmarks.harness.options import COUNT, some_of
from benchmarks.harness.programs import ROOT
from benchmarks.harness.tables import print_table
from chaos_study.cluster import Cluster, ClusterError, obstacle
from chaos_study.disk import Disk
from chaos_study.faults import KINDS, Fault, plan_faults
from chaos_study.journal import JOURNAL, PAUSE, Journal
from chaos_study.report import PUBLISHED, by_kind, publish
from chaos_study.running import Setup
from chaos_study.runs import StudyReport, run_all
from chaos_study.study import STUDY_SEED, Size, run_undisturbed, settings, write_pool


@click.command(help=__doc__, context_settings={"show_default": True})
@click.option("--faults", default=50, type=COUNT, help="Faults to inject in all.")
@click.option("--seed", default=0, help="Seed of their plan.")
@click.option("--kinds", default=",".join(KINDS), type=some_of(KINDS), help="Kinds of faults.")
@click.option("--most", default=6, type=COUNT, help="Faults per study.")
@click.option("--seeds", default=Size.seeds, type=COUNT, help="Runs of each strategy.")
@click.option("--rounds", default=Size.rounds, type=COUNT, help="Rounds of a run.")
@click.option("--write", is_flag=True, help=f"Keep the table in {PUBLISHED.relative_to(ROOT)}.")
def chaos(  # noqa: PLR0913 -- click passes each option
    *, faults: int, seed: int, kinds: list[str], most: int, seeds: int, rounds: int, write: bool
) -> None:
    """Inject faults; exit with 1 if one was not survived, with 2 where none can be injected."""
    # Nodes and disk are to be removed then too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if reason := obstacle():
        print(f"error: {reason}", file=sys.stderr)
        sys.exit(2)
    work, size = Path(tempfile.mkdtemp(prefix="alray-chaos-")), Size(seeds, rounds)
    print(f"{faults} faults, seed {seed}; evidence is kept in {work}", flush=True)
    try:
        studies = inject_all(plan_faults(faults, seed, kinds), size, most, work)
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    print_table(by_kind([outcome for study in studies for outcome in study.outcomes]))
    if write:
        publish(" ".join(sys.argv[1:]), size, studies)
    if any(study.problems for study in studies):
        sys.exit(1)
    shutil.rmtree(work)


def inject_all(faults: list[Fault], size: Size, most: int, work: Path) -> list[StudyReport]:
    """Inject the faults, at most `most` into a study, and return the studies."""
    write_pool(work / "pool.parquet")
    given = settings(work / "pool.parquet", size)
    (work / "study.yaml").write_text(yaml.safe_dump(given), encoding="utf-8")
    undisturbed = run_undisturbed(given, work / "undisturbed")
    journal = Journal(work / "journal", STUDY_SEED, size.seeds, size.rounds)
    # Nodes and commands import this checkout, and the strategies that write the journal.
    environment = {name: text for name, text in os.environ.items() if not name.startswith("RAY_")}
    environment["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "scripts")])
    environment |= {JOURNAL: str(journal.path), PAUSE: str(size.pause)}
    with Disk(work / "disk") as disk, Cluster(environment) as cluster:
        plan = plan_sweep(given)
        return run_all(Setup(cluster, disk, journal, work, plan, undisturbed), faults, most)


if __name__ == "__main__":
    chaos(prog_name="scripts/chaos")
