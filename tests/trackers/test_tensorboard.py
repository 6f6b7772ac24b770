import pytest

from alray import api
from alray.errors import SpecError
from alray.settings.location import location_of
from alray.trackers import choosing
from tests.helpers.studies import settings

accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")


def curves(folder):
    """Return run: name of a metric: (step, value) in the order of its event files, as TensorBoard reads them."""
    found = {}
    for run in sorted(path for path in folder.iterdir() if path.is_dir()):
        events = accumulator.EventAccumulator(str(run)).Reload()
        found[run.name] = {
            tag: [(event.step, event.value) for event in events.Scalars(tag)]
            for tag in events.Tags()["scalars"]
        }
        assert events.Tags()["tensors"] == ["settings"]
    return found


def test_curves_lie_in_event_files_once_however_often_the_command_is_given(pool, tmp_path):
    spec = settings(pool, strategies=["random", "margin"], execution={"tracker": "tensorboard"})
    api.sweep({**spec, "strategies": ["random"]}, results=tmp_path)
    for _ in range(2):
        study = api.sweep(spec, results=tmp_path)
        found = curves(tmp_path / "study" / "tensorboard")
        assert found.keys() == set(study.rounds["run_id"])
        for run_id, rows in study.rounds.groupby("run_id"):
            curve = found[run_id]["accuracy"]
            assert [step for step, _ in curve] == rows["labels"].tolist()
            assert [value for _, value in curve] == pytest.approx(rows["accuracy"].tolist())
            assert "screen_recall" not in found[run_id], "what is not known is left out"


def test_curves_go_with_the_records_of_their_runs(pool, tmp_path):
    """Where runs get more rounds, under another name, and where the study is thrown away; others keep theirs."""
    spec = settings(pool, seeds=[0, 1], rounds=1, execution={"tracker": "tensorboard"})
    first = api.sweep(spec, results=tmp_path).runs.set_index("seed")["run_id"]
    longer = api.sweep({**spec, "seeds": [0], "rounds": 2}, results=tmp_path)
    folder = tmp_path / "study" / "tensorboard"
    (own,) = longer.runs["run_id"]
    assert curves(folder).keys() == {own, first[1]}
    assert len(curves(folder)[own]["accuracy"]) == 3
    other = {**spec, "training": {"passive_epochs": 1}}
    fresh = api.sweep(other, results=tmp_path, fresh=True)
    assert curves(folder).keys() == set(fresh.runs["run_id"])


def test_curves_of_a_shorter_run_go_when_the_longer_one_that_began_anew_is_finished(
    pool, tmp_path
):
    spec = settings(pool, rounds=1, execution={"tracker": "tensorboard", "keep_last": False})
    api.sweep(spec, results=tmp_path)
    study = api.sweep({**spec, "rounds": 2}, results=tmp_path)
    assert curves(study.path / "tensorboard").keys() == set(study.runs["run_id"])


def test_a_folder_is_named_where_the_study_lies_in_an_object_store(tmp_path):
    folder = location_of("s3://bucket/results/study")
    with pytest.raises(SpecError, match="name one, such as tensorboard:runs"):
        choosing.tracker_of("tensorboard", folder)
    choosing.tracker_of(f"tensorboard:{tmp_path / 'runs'}", folder).begin("study")
    assert (tmp_path / "runs").is_dir()
