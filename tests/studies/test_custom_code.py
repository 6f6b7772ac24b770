"""The user's code in a study: part of a run's identity, tried while planning, alone in its failures."""

import json
import re

import pytest

from alray import api
from alray.custom.code import NO_CODE
from alray.errors import SpecError, StoreError
from alray.studies import manifest
from tests.helpers.builders import one_run
from tests.helpers.experiments import POOL, after_passive, experiment
from tests.helpers.paths import local
from tests.helpers.studies import Recorder, assert_same_records, files, settings
from tests.helpers.user_modules import MINE, network_module, strategy_module

OTHER = MINE.replace("* self.k", "* -self.k")


@pytest.fixture
def mine(folder):
    """Return the file of the user's strategies, `mine:Mine`."""
    file = folder / "mine.py"
    file.write_text(MINE)
    return file


def planned(pool, **changes):
    return api.plan_sweep(settings(pool, **changes))


def test_runs_of_what_alray_holds_keep_their_names():
    former = {"batch_rule": "published", "stopping": "held_out"}
    run = one_run(POOL, training={"passive_epochs": 3, "batch_size": 16, **former})
    assert run.run_id == "margin__seed-0__41db87f77cba"
    assert run.passive_id == "passive__seed-0__fbc0b82b18cf"


def test_custom_code_is_part_of_the_runs_that_it_acts_in(pool, mine, folder):
    (folder / "net.py").write_text(network_module(1))
    strategies = ["random", "mine:Mine"]

    def runs(**changes):
        return planned(pool, strategies=strategies, **changes).runs

    plain, custom = runs()
    in_network, both = runs(model={"name": "net:Net"})
    assert plain.strategy_code is plain.model_code is custom.model_code is None
    assert plain.passive_id == custom.passive_id, "a strategy acts in the rounds alone"
    assert in_network.passive_id == both.passive_id != plain.passive_id
    mine.write_text(OTHER)
    plain_after, custom_after = runs()
    assert plain_after == plain
    assert custom_after.run_id != custom.run_id
    assert custom_after.passive_id == custom.passive_id
    (folder / "net.py").write_text(network_module(22))
    assert {run.passive_id for run in runs(model={"name": "net:Net"})} != {both.passive_id}


def test_changed_code_is_refused_before_anything_runs(pool, mine, tmp_path):
    study = settings(pool, strategies=["random", "mine:Mine"])
    first = api.sweep(study, results=tmp_path)
    code = json.loads((local(first.path) / "manifest.json").read_text())["code"]
    assert code["in_run_ids"]
    assert code["names"]["mine:Mine"].keys() == {"mine.py"}
    mine.write_text(OTHER)
    before = files(first.path)
    message = r"mine\.py has changed since .*study was begun.* another --name, or .*--fresh"
    with pytest.raises(StoreError, match=message):
        api.sweep({**study, "seeds": 2}, results=tmp_path)
    with pytest.raises(StoreError, match=message):
        api.runs_on_record(api.plan_sweep(study), tmp_path)
    with pytest.raises(StoreError, match=r"  mine\.py has changed\n"):
        api.sweep({**study, "query": 4}, results=tmp_path)
    assert files(first.path) == before
    # Arms without it go on, and do not forget what it was.
    more = api.sweep({**study, "strategies": ["random"], "seeds": 2}, results=tmp_path)
    assert len(more.runs) == 3
    with pytest.raises(StoreError, match="has changed"):
        api.sweep(study, results=tmp_path)
    mine.write_text(MINE)
    observer = Recorder()
    assert_same_records(more, api.sweep(study, results=tmp_path, observer=observer))
    assert not observer.of("progressed")
    mine.write_text(OTHER)
    fresh = api.sweep(study, results=tmp_path, fresh=True)
    assert len(fresh.runs) == 2
    assert set(fresh.runs["run_id"]) & set(first.runs["run_id"]) == {first.runs["run_id"][0]}


def test_a_study_from_before_code_was_recorded_goes_on_with_a_warning(
    pool, mine, tmp_path, monkeypatch, caplog
):
    study = settings(pool, strategies=["random", "mine:Mine"])
    with monkeypatch.context() as patch:
        patch.setattr(api, "find_code", lambda names: NO_CODE)
        old = api.sweep(study, results=tmp_path)
    path = local(old.path) / "manifest.json"
    content = json.loads(path.read_text())
    del content["code"]
    path.write_text(json.dumps(content))
    observer = Recorder()
    more = api.sweep({**study, "seeds": 2}, results=tmp_path, observer=observer)
    (text,) = caplog.messages
    assert "did not record custom code: whether it has changed since cannot be seen" in text
    assert set(old.runs["run_id"]) < set(more.runs["run_id"]), "no run was made again"
    assert len(more.runs) == 4
    api.sweep({**study, "seeds": 3}, results=tmp_path)
    assert len(caplog.messages) == 1
    mine.write_text(OTHER)
    with pytest.raises(StoreError, match=r"mine\.py has changed"):
        api.sweep({**study, "seeds": 3}, results=tmp_path)


@pytest.mark.parametrize("content", [None, b"half"])
def test_a_study_whose_manifest_is_lost_goes_on_more_than_once(pool, mine, tmp_path, content):
    study = settings(pool, strategies=["random", "mine:Mine"])
    path = local(api.sweep(study, results=tmp_path).path) / "manifest.json"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    more = api.sweep({**study, "seeds": 2}, results=tmp_path)
    assert len(more.runs) == 4
    observer = Recorder()
    again = api.sweep({**study, "seeds": 2}, results=tmp_path, observer=observer)
    assert_same_records(more, again)
    assert not observer.of("progressed")
    assert json.loads(path.read_text())["code"]["in_run_ids"]


def test_a_changed_network_is_refused_in_a_correlation_study(pool, folder, tmp_path):
    (folder / "net.py").write_text(network_module(1))
    plan = api.plan_correlation(
        {"pool": {"source": str(pool)}, "model": {"name": "net:Net"}, "scores": ["margin"]}
    )
    recorded = {"code": {"in_run_ids": True, "names": plan.code.files}}
    assert not manifest.changed_files(recorded, plan.code)
    (folder / "net.py").write_text(network_module(22))
    after = api.plan_correlation(plan.spec)
    assert manifest.changed_files(recorded, after.code) == ["net.py"]


N, K = 60, 5
BAD = {
    "short": (
        "def score(self, signals): return super().score(signals)[:-1]",
        rf"shape \({N - 1},\)",
    ),
    "column": (
        "def score(self, signals): return super().score(signals)[:, None]",
        rf"score returned torch.Tensor of shape \({N}, 1\).* one number per candidate: .* \({N},\)",
    ),
    "array": ("def score(self, signals): return np.zeros(3)", r"numpy\.ndarray of shape \(3,\)"),
    "complex": ("def score(self, signals): return 1j * signals.log_probs[:, 0]", "complex64"),
    "nan": (
        "def score(self, signals): return signals.log_probs[:, 0] * np.nan",
        rf"score returned NaN for {N} of {N} candidates.* outputs that it was given are numbers",
    ),
    "no needs": ("needs = None", r"its `needs` is NoneType; give it a property"),
    "needs that raises": (
        "@property\ndef needs(self): return self.x",
        r"`needs` raised .*mine\.py",
    ),
    "no oracle": ("oracle = 'no'", r"its `oracle` is str; give it True"),
    "forgotten needs": ("needs = ScoreStrategy.needs", r"has no `needs`: give it a property"),
    "unnamed signal": (
        "def score(self, signals): return signals.features[:, 0]",
        r"raised an error in a trial round of 60 candidates: .*mine\.py, line",
    ),
    "plain array": (
        "def select(self, signals, k, rng): return signals.candidates[:k]",
        r"select returned numpy\.ndarray .*must return alray\.strategies\.Query\(indices, scores\)",
    ),
    "floats": (
        "def select(self, signals, k, rng): return Query(signals.candidates[:k] * 1.0, np.ones(k))",
        rf"indices that are .* float64, and must return a NumPy array of {K} pool indices",
    ),
    "no array": (
        "def select(self, signals, k, rng): return Query(list(signals.candidates[:k]), np.ones(k))",
        "indices that are list",
    ),
    "words": (
        "def select(self, signals, k, rng): return Query(signals.candidates[:k], np.array(['a'] * k))",
        "scores that are .*<U1",
    ),
    "negative": (
        "def select(self, signals, k, rng): return Query(-1 - np.arange(k), np.ones(k))",
        rf"{K} indices \(0 distinct candidates\)",
    ),
    "repeated": (
        "def select(self, signals, k, rng): return Query(signals.candidates[[0] * k], np.ones(k))",
        rf"{K} indices \(1 distinct candidates\) and {K} scores instead of {K}$",
    ),
    "positions": (
        "def select(self, signals, k, rng): return Query(np.arange(k), np.ones(k))",
        r"0 distinct candidates.*; if these are positions among the candidates, return signals\.cand",
    ),
}


@pytest.mark.parametrize(("body", "message"), BAD.values(), ids=BAD.keys())
def test_an_answer_that_is_none_is_refused_while_planning(pool, mine, body, message):
    mine.write_text(strategy_module(body))
    assert len(planned(pool).prepared.train) == N * 2 + settings(pool)["initial"]
    with pytest.raises(SpecError, match=message) as caught:
        planned(pool, strategies=["mine:Bad"])
    assert re.search(rf"strategy Bad \({re.escape(str(mine))}\)", str(caught.value))


def test_an_arm_that_fails_later_fails_alone(pool, mine, tmp_path):
    mine.write_text(
        strategy_module(
            "def score(self, signals):\n"
            "    if len(signals.candidates) == 115: return signals.log_probs[:, :1]\n"
            "    return signals.log_probs[:, 0]"
        )
    )
    study = settings(pool, strategies=["mine:Bad", "margin"])
    runs = api.sweep(study, results=tmp_path).runs.set_index("strategy")
    assert runs["status"].to_dict() == {"mine:Bad": "failed", "margin": "finished"}
    assert re.match(
        r"ScoreError: strategy Bad .*score returned.* \(115, 1\)", runs["error"]["mine:Bad"]
    )


def test_a_passive_phase_needs_no_strategy():
    run = one_run(POOL, strategies=["random"])
    without = run.model_copy(update={"strategy": "not_there:Mine"})
    result = experiment(without).passive()
    assert result.indices.tolist() == experiment(run).passive().indices.tolist()
    with pytest.raises(SpecError, match="not_there"):
        after_passive(without).next_round()


def test_draws_from_global_generators_repeat(pool, mine, tmp_path):
    mine.write_text(
        strategy_module(
            "def score(self, signals):\n"
            "    n = len(signals.candidates)\n"
            "    draws = np.random.random(n) + [random.random() for _ in range(n)]\n"
            "    return torch.as_tensor(draws) + torch.rand(n)"
        )
    )
    study = settings(pool, strategies=["mine:Bad"], seeds=2)
    one, two = (api.sweep(study, results=tmp_path / name) for name in "ab")
    assert_same_records(one, two)
    chosen = one.queries[one.queries["round"] > 0]
    scores = chosen.groupby(["run_id", "round"])["score"].first()
    assert scores.nunique() == len(scores), "every round of every run draws other numbers"
