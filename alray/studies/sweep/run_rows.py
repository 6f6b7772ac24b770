"""The rows that a run has so far, as its files hold them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from alray.pools.pool import Pool
from alray.settings.run import RunSpec
from alray.studies.sweep.answer_rows import answer_rows, reply_rows
from alray.studies.sweep.jobs import Progress
from alray.studies.sweep.records import query_rows, round_rows
from alray.studies.sweep.store import SweepStore

Rows = list[dict[str, Any]]


@dataclass
class RunRows:
    """Rows of one run.

    Attributes:
        rounds: A row per round.
        queries: A row per queried object.
        answers: A row per answer of a crowd, or to a yes/no question; none where the pool's labels are revealed.
    """

    rounds: Rows = field(default_factory=list)
    queries: Rows = field(default_factory=list)
    answers: Rows = field(default_factory=list)

    @staticmethod
    def recorded(store: SweepStore, run_id: str, last: int) -> "RunRows | None":
        """Return the rows on record up to a round; None where there are none."""
        recorded = store.read_run(run_id)
        if recorded is None:
            return None
        tables = (*recorded, store.read_answers_of(run_id))
        return RunRows(
            *([row for row in table.to_pylist() if row["round"] <= last] for table in tables)
        )

    def add(self, name: Mapping[str, Any], run: RunSpec, result: Progress, pool: Pool) -> Rows:
        """Add what a worker reported; return the rows of rounds among it. `name` is as `run_values` has it."""
        added = round_rows(name, result.results)
        self.rounds += added
        self.queries += query_rows(name, result.results, pool)
        if run.crowd is not None:
            self.answers += answer_rows(name, result.results, pool, run.crowd.cost)
        if run.questions is not None:
            self.answers += reply_rows(name, result.results, pool, run.questions.cost)
        return added

    def write(self, store: SweepStore, run_id: str) -> None:
        """Write the rows under this name."""
        store.write_run(run_id, self.rounds, self.queries, self.answers)
