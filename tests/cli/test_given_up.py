"""A study goes on without an arm that has failed."""

from unittest.mock import Mock

from alray import load
from alray.analysis.sweep.asked_runs import asked_for
from alray.strategies.uncertainty import Margin
from tests.helpers.command import TWO_ARMS


def test_an_arm_that_failed_and_is_no_longer_asked_for_fails_no_later_command(
    sweep, results, monkeypatch
):
    """It stays on record with its error, and nothing says that the same command would try it again."""
    broken = Mock(side_effect=RuntimeError("broken on purpose"))
    with monkeypatch.context() as patch:
        patch.setattr(Margin, "select", broken, raising=False)
        first = sweep(*TWO_ARMS, "--seeds", "1")
        assert first.exit_code == 1
        assert "the same command tries it again" in " ".join(first.stdout.split())
    done = sweep("--strategies", "random", "--seeds", "1")
    assert done.exit_code == 0, done.output
    assert "tries it again" not in " ".join(done.stdout.split())
    runs = load(results / "pool").runs.set_index("arm")
    assert runs["status"].to_dict() == {"random": "finished", "margin": "failed"}
    assert runs["asked"].to_dict() == {"random": True, "margin": False}
    assert "broken on purpose" in runs["traceback"].to_dict()["margin"]
    assert "margin" in (results / "pool" / "errors.txt").read_text()
    assert "left out: margin 1" in " ".join(done.stdout.split())
    assert sweep(*TWO_ARMS, "--seeds", "1").exit_code == 0
    runs = load(results / "pool").runs
    assert runs["asked"].all()
    assert len(asked_for(runs.drop(columns="asked"))) == 2, "an older alray wrote no such column"
    assert not (results / "pool" / "errors.txt").exists()
