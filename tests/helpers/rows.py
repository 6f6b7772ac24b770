"""Rows of a run for the tests of what writes them, and how to read them back."""

from typing import Any

from alray.studies.sweep.store import SweepStore

ROWS: list[dict[str, Any]] = [{"run_id": "a", "round": 0}, {"run_id": "a", "round": 1}]


def read_back(store: SweepStore, run_id: str) -> tuple[list[dict[str, Any]], ...]:
    """Return a run's rows of rounds and of queries, without the columns that are null."""
    recorded = store.read_run(run_id)
    assert recorded is not None
    return tuple(
        [
            {name: value for name, value in row.items() if value is not None}
            for row in table.to_pylist()
        ]
        for table in recorded
    )
