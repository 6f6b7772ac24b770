import pandas as pd
import pytest

from alray.reporting.sources import problems_of
from alray.studies.retries import HERE


def runs(*rows: tuple[str, str, str]) -> pd.DataFrame:
    """Return a run per (status, host, error)."""
    frame = pd.DataFrame(rows, columns=["status", "host", "error"])
    return frame.assign(arm="margin", seed=range(len(rows)), rounds_done=3)


@pytest.mark.parametrize(
    ("host", "error", "said"),
    [
        ("node2", "OSError: disk", "margin, seed 0 on node2: OSError: disk."),
        (
            "node2",
            "it failed 2 times (node1, node2): no",
            "seed 0: it failed 2 times (node1, node2): no.",
        ),
        (HERE, "OSError: disk", "margin, seed 0: OSError: disk."),
        ("", "OSError: disk", "margin, seed 0: OSError: disk."),
    ],
)
def test_a_failed_run_is_named_with_its_node_once(host, error, said):
    (problem,) = problems_of(runs(("failed", host, error)), written=True)
    assert problem.startswith("1 run failed and is left out: ")
    assert problem.endswith(said)


def test_more_than_five_are_counted():
    (problem,) = problems_of(runs(*[("failed", "node1", "no")] * 7), written=True)
    assert problem.startswith("7 runs failed and are left out: ")
    assert problem.endswith("seed 4 on node1: no; and 2 more.")


def test_unfinished_runs_and_a_study_under_way():
    finished, unwritten = problems_of(
        runs(("finished", "", ""), ("unfinished", "", "")), written=False
    )
    assert finished == "1 run is not finished and left out: margin, seed 1: round 3."
    assert unwritten.startswith("The study has not ended")
