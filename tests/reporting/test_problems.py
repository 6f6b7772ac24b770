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


def test_more_than_five_are_counted_and_unfinished_ones_are_named():
    failed, unfinished, unwritten = problems_of(
        runs(*[("failed", "node1", "no")] * 7, ("unfinished", "", "")), written=False
    )
    assert failed.startswith("7 runs failed and are left out: ")
    assert failed.endswith("seed 4 on node1: no; and 2 more.")
    assert unfinished == "1 run is not finished and left out: margin, seed 7: round 3."
    assert unwritten.startswith("The study has not ended")
