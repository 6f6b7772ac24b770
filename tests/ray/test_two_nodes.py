"""Two nodes, one of them bad: runs end on the other, to the bit as if nothing had happened, and a message says so."""

import re
import subprocess
from typing import Any

import pytest
from ray.cluster_utils import Cluster

from alray import api
from alray.api import correlate
from alray.studies.correlation.results import load_correlation
from alray.studies.sweep.results import load
from tests.helpers.correlation_studies import correlation_settings
from tests.helpers.plugins import NODE, misbehaving
from tests.helpers.processes import module_options, spec_file
from tests.helpers.studies import ROUNDS, comparable, settings

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("no_pauses_here")]

BAD = "bad"
STORE_BYTES = 100 * 2**20


@pytest.fixture(scope="module")
def address():
    """Start a cluster of two nodes, the second one larger and bad, and return its address."""
    options: dict[str, Any] = {
        "num_cpus": 1,
        "object_store_memory": STORE_BYTES,
        "include_dashboard": False,
    }
    cluster = Cluster(initialize_head=True, head_node_args=options)
    cluster.add_node(**{**options, "num_cpus": 3}, env_vars={NODE: BAD})
    yield cluster.address
    cluster.shutdown()


def on_cluster(address, folder, spec, command="sweep"):
    """Run a study as the command line does, in a process of its own."""
    words = [command, spec_file(folder, spec), "--results", folder]
    if command == "sweep":
        words.append("--no-report")
    options = module_options("tests.helpers.on_cluster", address, *words)
    return subprocess.run(**options, capture_output=True, timeout=120, check=False)


def test_what_one_node_does_to_runs_is_made_good_on_the_other(pool, address, tmp_path):
    """Runs that die or fail on the bad node only end well; one that dies everywhere is the only one to fail."""
    curable = [misbehaving(pool, act, 2, pause=0.2, node=BAD) for act in ("raise", "exit")]
    poison = misbehaving(pool, "exit", 2, pause=0.2)
    inline = api.sweep(
        settings(pool, strategies=["margin", *curable]), results=tmp_path / "inline"
    )
    spec = settings(
        pool, strategies=["margin", *curable, poison], execution={"executor": "ray", "attempts": 2}
    )
    ended = on_cluster(address, tmp_path, spec)
    assert ended.returncode == 1, ended.stderr
    study = load(tmp_path / "study")
    for name in ("rounds", "queries"):
        records = comparable(getattr(study, name))
        kept = records[records["strategy"] != poison].reset_index(drop=True)
        assert kept.equals(comparable(getattr(inline, name)))
    runs = study.runs.set_index("strategy")
    failed = runs.loc[poison].to_dict()
    assert (failed["status"], failed["attempts"]) == ("failed", 2)
    assert failed["error"].startswith("its worker died 2 times (")
    assert [line[:2] for line in failed["traceback"].splitlines()] == ["1.", "2."]
    well = runs.drop(poison)
    assert set(well["status"]) == {"finished"}
    assert set(well["rounds_done"]) == {ROUNDS}
    tried_again = well[well["attempts"] > 1]
    assert len(tried_again), "no run met the bad node"
    (good,) = set(tried_again["host"])
    (bad,) = set(re.findall(r"\((.*?)\)", failed["error"])[0].split(", ")) - {good}
    assert f"{bad}: worker died (" in ended.stderr or f"{bad}: ValueError" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_node_on_which_tasks_die_is_named_and_left_alone(pool, address, tmp_path):
    settings = {
        "model": {"name": "tests.helpers.plugins:deadly_model"},
        "fine_tune_seeds": 4,
        "grouping": ["score"],
    }
    inline = correlate(correlation_settings(pool, **settings), results=tmp_path / "inline")
    spec = correlation_settings(pool, execution={"executor": "ray", "attempts": 5}, **settings)
    ended = on_cluster(address, tmp_path, spec, "correlate")
    assert ended.returncode == 0, ended.stderr
    found = load_correlation(tmp_path / "study")
    assert found.failures.empty
    assert found.outcomes.equals(inline.outcomes)
    died = re.findall(r"^(.+): worker died \(its process was killed", ended.stderr, re.MULTILINE)
    assert len(set(died)) == 1
    assert len(re.findall(r"workers were lost or could not start", ended.stderr)) == 1
    assert f"{died[0]}: 3 workers were lost or could not start" in ended.stderr
