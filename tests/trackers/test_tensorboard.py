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


def test_a_folder_is_named_where_the_study_lies_in_an_object_store(tmp_path):
    folder = location_of("s3://bucket/results/study")
    with pytest.raises(SpecError, match="name one, such as tensorboard:runs"):
        choosing.tracker_of("tensorboard", folder)
    choosing.tracker_of(f"tensorboard:{tmp_path / 'runs'}", folder).begin("study")
    assert (tmp_path / "runs").is_dir()
