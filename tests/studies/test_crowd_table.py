"""Sweeps whose crowd is the workers of a file of answers."""

import csv
import logging
from pathlib import Path

import numpy as np
import pytest

from alray import api
from alray.errors import AlrayError, SpecError, StoreError
from alray.networks.tensors import PoolTensors
from alray.studies.sweep.annotation import crowd_of
from alray.studies.sweep.plan import Plan
from tests.helpers.studies import assert_same_records, settings

WORKERS = 5


def write_answers(
    path: Path, seed: int = 0, *, workers: int = WORKERS, truth: bool = True
) -> Path:
    """Write answers about 300 tasks; the last worker is wrong half of the time, towards the next class."""
    rng = np.random.default_rng(seed)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["task", "worker", "label", *["truth"] * truth])
        for task in range(300):
            known = task % 3
            for worker in range(workers):
                wrong = rng.random() < (0.5 if worker == workers - 1 else 0.1)
                label = (known + 1) % 3 if wrong else known
                row = [f"t{task}", f"w{worker}", f"class-{label}", f"class-{known}"]
                writer.writerow(row if truth else row[:3])
    return path


@pytest.fixture
def table(tmp_path):
    return write_answers(tmp_path / "answers.csv")


def sweep(pool, results, crowd, **changes):
    return api.sweep(settings(pool, crowd=crowd, **changes), results=results)


def plan(pool, crowd, **changes) -> Plan:
    return api.plan_sweep(settings(pool, crowd=crowd, **changes))


def test_the_assessors_are_the_workers_and_err_as_they_do(pool, table):
    planned = plan(pool, {"table": str(table)})
    assert planned.study.crowd is not None
    assert planned.study.crowd.assessors == WORKERS
    assert planned.study.crowd.errors == "table"
    assert "5 assessors, who err as the workers of" in planned.study.crowd.words
    run = planned.runs[0]
    crowd = crowd_of(run, PoolTensors(planned.shared.view(run)))
    assert crowd is not None
    confusions = crowd._crowd.confusions
    assert confusions.shape == (WORKERS, 3, 3)
    assert crowd._crowd.skills == pytest.approx([0.9, 0.9, 0.9, 0.9, 0.5], abs=0.06)
    towards_next = confusions[4][np.arange(3), (np.arange(3) + 1) % 3]
    assert towards_next == pytest.approx([0.5] * 3, abs=0.1)


def test_without_a_truth_it_is_estimated_and_said(pool, tmp_path, caplog):
    known = plan(pool, {"table": str(write_answers(tmp_path / "a.csv"))})
    with caplog.at_level(logging.INFO, "alray"):
        other = plan(pool, {"table": str(write_answers(tmp_path / "b.csv", truth=False))})
    assert known.shared.confusions is not None
    assert other.shared.confusions == pytest.approx(known.shared.confusions, abs=0.05)
    assert "the truth of 300 of 300 tasks is estimated from the answers" in caplog.text
    assert known.runs[0].run_id != other.runs[0].run_id


def test_a_study_is_the_same_wherever_its_table_lies_and_its_settings_are_settings(
    pool, table, tmp_path
):
    first = sweep(pool, tmp_path / "one", {"table": table}, execution={"parallel": 2})
    names = set(first.answers["assessor"])
    assert names <= set(range(WORKERS))
    moved = table.rename(tmp_path / "moved.csv")
    again = sweep(pool, tmp_path / "one", {"table": str(moved)})
    assert_same_records(first, again)
    other = sweep(pool, tmp_path / "two", {"table": str(moved)})
    assert_same_records(first, other)
    rerun = api.sweep(tmp_path / "two" / "study" / "study.yaml", results=tmp_path / "three")
    assert_same_records(first, rerun)


def test_a_study_does_not_go_on_with_a_changed_table(pool, table, tmp_path):
    sweep(pool, tmp_path / "one", {"table": str(table)}, rounds=1)
    write_answers(table, seed=1)
    with pytest.raises(StoreError, match=r"crowd\.table_content: '.*' there, '.*' now"):
        sweep(pool, tmp_path / "one", {"table": str(table)})
    with pytest.raises(SpecError, match="has changed since these settings were written"):
        api.sweep(tmp_path / "one" / "study" / "study.yaml", results=tmp_path / "two")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"crowd": {"assessors": 9}}, "has 5 workers, and crowd.assessors is 9"),
        ({"crowd": {"answers": 6}}, "answers = 6 is more than assessors = 5"),
        ({"vary": {"crowd.assessors": [3, 5]}}, "vary: .*crowd.assessors"),
    ],
)
def test_what_contradicts_the_table_is_refused(pool, table, changes, message):
    crowd = {"table": str(table), **changes.pop("crowd", {})}
    with pytest.raises(AlrayError, match=message):
        plan(pool, crowd, **changes)


def test_a_class_that_the_pool_lacks_is_refused_with_the_file(pool, table):
    table.write_text(table.read_text().replace("class-2", "class-7"))
    with pytest.raises(
        SpecError, match=r"answers\.csv: column 'label' names 1 classes .*'class-7'"
    ):
        plan(pool, {"table": str(table)})
