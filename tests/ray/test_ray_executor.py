import re
import socket
import time
from typing import Any

import pytest
import ray

from alray import api
from alray.errors import ClusterError
from alray.ray_executor import actors, base, preflight, session
from alray.ray_executor.actors import ActorExecutor
from alray.ray_executor.address import require_answer
from alray.ray_executor.hangs import HangLimits
from alray.settings.common import ExecutionSpec
from alray.settings.sweep import SweepSpec
from alray.studies.events import Notice
from tests.helpers.plugins import misbehaving
from tests.helpers.studies import ROUNDS, Recorder, assert_same_records, settings

pytestmark = [pytest.mark.ray, pytest.mark.usefixtures("cluster")]

ON_RAY = {"executor": "ray"}
STRATEGIES = ["random", "margin", "bald:members=3", "learning_loss"]
OF_BATCHES: dict[str, Any] = {
    "strategies": [
        "badge",
        "coreset",
        "typiclust:clusters=40",
        "probcover",
        "max_herding",
        "u_herding",
        "density",
        "galaxy",
        "cluster_margin",
        "class_balanced",
        "margin:stochastic=softmax",
    ],
    "initial_selection": "typiclust",
    "rounds": 2,
}
"""A study of strategies that see a query as a whole, or draw it."""


# Tests of what a cluster does to an executor look at its session and workers: a driver sees jobs and hosts alone.


def plan_of(pool, **execution):
    return api.plan_sweep(
        SweepSpec.model_validate(settings(pool, execution={**ON_RAY, **execution}))
    )


@pytest.fixture(scope="module")
def inline(pool, tmp_path_factory):
    spec = settings(pool, strategies=STRATEGIES, seeds=2)
    return api.sweep(spec, results=tmp_path_factory.mktemp("inline"))


@pytest.mark.parametrize("parallel", [1, 2])
def test_ray_and_inline_give_the_same_records_however_many_runs_there_are_at_a_time(
    pool, inline, tmp_path, parallel
):
    spec = settings(
        pool, strategies=STRATEGIES, seeds=2, execution={**ON_RAY, "parallel": parallel}
    )
    study = api.sweep(spec, results=tmp_path)
    # Learning loss brings a random arm of the same training along.
    assert len(study.rounds) == 2 * (len(STRATEGIES) + 1) * (ROUNDS + 1)
    assert_same_records(inline, study)
    assert set(study.runs["host"]) == {socket.gethostname()}
    assert ray.is_initialized(), "a Ray that was there before stays"


@pytest.fixture(scope="module")
def of_batches(pool, tmp_path_factory):
    return api.sweep(settings(pool, **OF_BATCHES), results=tmp_path_factory.mktemp("of_batches"))


@pytest.mark.parametrize("parallel", [1, 2])
def test_so_do_strategies_that_choose_whole_batches(pool, of_batches, tmp_path, parallel):
    spec = settings(pool, **OF_BATCHES, execution={**ON_RAY, "parallel": parallel})
    study = api.sweep(spec, results=tmp_path)
    assert len(study.rounds) == 3 * len(OF_BATCHES["strategies"])
    assert_same_records(of_batches, study)


def test_an_error_and_a_worker_that_keeps_dying_fail_their_runs_alone(pool, tmp_path):
    strategies = [misbehaving(pool, act, 2) for act in ("raise", "exit")] + ["margin"]
    spec = settings(pool, strategies=strategies, execution={**ON_RAY, "attempts": 2})
    observer = Recorder()
    study = api.sweep(spec, results=tmp_path, observer=observer)
    runs = study.runs.set_index("strategy").loc[strategies]
    assert runs["status"].tolist() == ["failed", "failed", "finished"]
    assert runs["attempts"].tolist() == [1, 2, 1]
    raised, died, _ = runs.to_dict("records")
    assert raised["error"] == f"ValueError: no more than {strategies[0].rpartition('=')[2]}"
    assert "plugins.py" in raised["traceback"]
    assert re.match(
        r"its worker died 2 times \(.*\): its process was killed or has crashed",
        died["error"],
    )
    assert len(observer.of("lost")) == 2
    assert len(observer.of("failed")) == 2


def test_a_write_into_the_shared_pool_fails_the_run(pool, tmp_path):
    spec = settings(pool, strategies=[misbehaving(pool, "corrupt", 2)], execution=ON_RAY)
    (row,) = api.sweep(spec, results=tmp_path).runs.to_dict("records")
    assert row["status"] == "failed"
    assert row["error"] == (
        "RuntimeError: the shared pool's content has changed during the run: something wrote into it in place"
    )


def wait_for_notice(executor: ActorExecutor) -> str:
    """Drive an executor without any job until there is an event, and return the notice that it must be."""
    begin = time.monotonic()
    while not (events := executor.wait(0.1)):
        assert time.monotonic() - begin < 60
        executor.scale(1)
    assert isinstance(events[0], Notice)
    return events[0].text


def wait_for_idle(executor: ActorExecutor) -> None:
    """Drive an executor without any job until a worker is there."""
    begin = time.monotonic()
    while not executor.idle():
        assert time.monotonic() - begin < 60
        executor.scale(1)
        executor.wait(0.1)


def test_a_full_cluster_is_waited_for_and_a_notice_says_so(pool, monkeypatch):
    monkeypatch.setattr(base, "STALL_SECONDS", 0.5)
    plan = plan_of(pool)

    class Hog:
        def here(self):
            return True

    make_hog: Any = ray.remote(num_cpus=2)(Hog)
    hog = make_hog.remote()
    ray.get(hog.here.remote())
    with ActorExecutor(plan.shared, plan.study.execution) as executor:
        assert "0 CPUs are free, a run needs 1; waiting" in wait_for_notice(executor)
        ray.kill(hog)
        wait_for_idle(executor)


def test_a_worker_that_cannot_start_is_tried_again_and_not_for_ever(pool):
    plan = plan_of(pool, attempts=2)
    with ActorExecutor(plan.shared, plan.study.execution) as executor:
        broken: Any = "no code"
        good, executor._code = executor._code, broken
        assert wait_for_notice(executor) == (
            f"{socket.gethostname()}: a worker could not start: AttributeError: "
            "'str' object has no attribute 'folders'"
        )
        with pytest.raises(
            ClusterError, match="2 workers in a row could not start: AttributeError"
        ):
            wait_for_idle(executor)
        executor._code = good
        wait_for_idle(executor)
        assert list(executor.idle()) == [socket.gethostname()]
        assert not executor._failures.cannot_start(executor.hosts(), 1)


def test_a_worker_that_started_on_a_node_that_is_not_checked_yet_is_let_go(pool, monkeypatch):
    plan = plan_of(pool)
    with ActorExecutor(plan.shared, plan.study.execution) as executor:
        executor.scale(1)
        (reference,) = executor._starting
        assert ray.wait([reference], timeout=60)[0]
        with monkeypatch.context() as patch:
            ids = frozenset(node["NodeID"] for node in session.alive_nodes())
            patch.setattr(executor._session, "_unchecked", lambda: ids)
            assert executor._session.window() == 0
            executor._session.update(executor._nodes)
            executor._register_started()
            assert not executor._starting
            assert not executor.idle()
        wait_for_idle(executor)


def test_a_worker_that_hangs_is_named_and_then_ended(pool, tmp_path, monkeypatch):
    monkeypatch.setattr(actors, "HANG_LIMITS", HangLimits(times=2.0, least=1.5))
    hanging = misbehaving(pool, "hang", ROUNDS, pause=0.6)
    observer = Recorder()
    spec = settings(pool, strategies=[hanging], execution={**ON_RAY, "attempts": 1})
    (row,) = api.sweep(spec, results=tmp_path, observer=observer).runs.to_dict("records")
    assert re.match(
        rf"its worker died once \({socket.gethostname()}\): it was ended after", row["error"]
    )
    named, ended = observer.of("notice")
    assert re.match(
        rf"{socket.gethostname()}: .* has not reported for \d+ s, and never took", named
    )
    assert named.endswith("its worker is ended if this lasts as long again")
    assert ended.endswith("its worker is ended")


def test_an_address_that_does_not_answer_is_refused_at_once():
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        begin = time.monotonic()
        for address in (f"127.0.0.1:{port}", f"ray://127.0.0.1:{port}"):
            with pytest.raises(ClusterError, match=f"no Ray cluster answers at '{address}'"):
                require_answer(address)
        assert time.monotonic() - begin < 5


@pytest.mark.parametrize("address", [None, "auto", "local"])
def test_an_address_without_host_and_port_is_left_to_ray(address):
    require_answer(address)


def test_a_ray_that_does_not_start_is_an_error_of_the_cluster(pool, monkeypatch):
    plan = plan_of(pool)

    def fail(**_):
        raise RuntimeError("no room\ndetails")

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", fail)
    with pytest.raises(ClusterError, match="cannot start a local Ray: RuntimeError: no room; "):
        ActorExecutor(plan.shared, plan.study.execution).__enter__()
    with_address = ExecutionSpec(executor="ray", address="auto")
    with pytest.raises(ClusterError, match="cannot join the Ray cluster at 'auto'"):
        ActorExecutor(plan.shared, with_address).__enter__()


def test_a_ray_started_for_the_study_ends_with_it_even_if_it_is_refused(pool, monkeypatch):
    plan = plan_of(pool)
    steps = []
    nodes = session.alive_nodes()
    monkeypatch.setattr(session, "alive_nodes", lambda: nodes)
    monkeypatch.setattr(session.RaySession, "_watch", lambda _: None)  # no cluster is joined
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", lambda **_: steps.append("init"))
    monkeypatch.setattr(ray, "shutdown", lambda: steps.append("shutdown"))
    monkeypatch.setattr(preflight, "STORE_FACTOR", 1e6)
    with pytest.raises(ClusterError, match="object store"):
        ActorExecutor(plan.shared, plan.study.execution).__enter__()
    assert steps == ["init", "shutdown"]
