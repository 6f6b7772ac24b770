"""`scripts/bench choose`: its check against memory, and the arithmetic of its table."""

import pandas as pd
from click.testing import CliRunner

from alray.labelling.choosing import choose_with
from alray.settings.common import ExecutionSpec
from benchmarks import choose
from benchmarks.__main__ import bench


def test_rates_are_of_the_rows_after_the_first_part():
    parts = {"strategy": "margin", "rows": 50_000, "reading": 1.0, "scoring": 3.0, "whole": 9.0}
    frame = pd.DataFrame(
        [
            {**parts, "peak": 400.0 + at, "driver": 300.0, "at": at}
            for at in (0.0, 2.0, 4.0, 6.0, 8.0)
        ]
    )
    table = choose.as_table(frame, 128, 2)
    assert table.rows == [["margin", "9.0", "25,000", "25 %", "400", "408", "300"]]
    note = table.notes[-1]
    assert "1,000,000,000 / (100 x 25,000 rows/s) = 400 s" in note
    assert "gives each node 13 MB/s and one driver keeps up with 50 parts/s" in note


def test_a_choice_in_parts_is_held_against_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(choose, "COMPARED", 1500)
    monkeypatch.setattr(choose, "ROW_GROUP", 400)
    network, path = choose.network_for(8), tmp_path / "pool.parquet"
    lines = choose.compare(path, 8, network, 50)
    assert [" equals that in memory" in line for line in lines] == [True, True]
    work = choose.work_on(path, network, "margin", 50, ExecutionSpec(executor="inline"))
    expected = choose.in_memory(path, 8, network, "margin")
    expected[:, [0, 1]] = expected[:, [1, 0]]
    assert not choose.equal_in_memory(choose_with(work), expected)


def test_a_pool_of_one_part_is_refused():
    done = CliRunner().invoke(bench, ["choose", "--objects", "50000"])
    assert done.exit_code == 2
    assert "more than 50,000, so that there are two parts" in done.output
