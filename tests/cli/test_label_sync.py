"""`alray label sync` and `alray label next N --sync` as typed, against a small server."""

import pytest

from alray.cli.display.label_sync import print_pulled, print_sent
from alray.labelling.campaign import Campaign
from tests.helpers.campaigns import hidden_pool, truth_of
from tests.helpers.command import alray
from tests.helpers.label_studio import running
from tests.helpers.label_studio import server as studio
from tests.helpers.narrow import assert_whole

__all__ = ["running", "studio"]

QUICK = ("--initial", 150, "--set", "model.width=8")


@pytest.fixture(scope="module")
def pool(tmp_path_factory):
    return hidden_pool(tmp_path_factory.mktemp("pool") / "posts.parquet")


@pytest.fixture
def server(studio, pool, tmp_path, monkeypatch):
    """Return the server, in a folder with a campaign."""
    monkeypatch.chdir(tmp_path)
    assert alray("label", "start", pool, *QUICK).exit_code == 0
    return studio


def said(*words, code=0):
    """Type a command, and return what it says on one line."""
    found = alray("label", *words)
    assert found.exit_code == code, found.output
    return " ".join(found.output.split())


def refusal(*words):
    return said(*words, code=2)


def by(pool, ids):
    return {each: truth_of(pool)[each] for each in ids}


def test_rounds_as_typed(server, pool, tmp_path):
    project = f"project 1 of {server.url}"
    following = "next: have the 6 objects that wait answered, then alray label sync"
    assert said("next", 6, "--sync", "--label-studio", server.url).endswith(
        f" batch 1: 6 objects made {project}; from now on `alray label sync` will do "
        f"pushed: 6 objects of batch 1 {following}"
    )
    assert not [*tmp_path.glob("*.csv")]
    assert said("status").endswith("next: alray label sync")
    assert said("next", 6, "--sync") == (
        f"pulled: nothing; {project} has no answers yet "
        "batch 1 (6 objects) has no answers yet, so it is kept; --new chooses another "
        f"pushed: nothing; the 6 objects of batch 1 that wait were there already {following}"
    )
    last = server.ids()[5]
    server.answer(by(pool, server.ids()[:5]))
    assert said("sync") == (
        f"pulled: 5 answers from {project} tasks without an answer, left out: 1 ({last}) added: 5 answers used "
        "pushed: nothing; the 1 object of batch 1 that waits was there already "
        "next: have the 1 object that waits answered, then alray label sync"
    )
    server.answer({last: None})
    assert said("sync").endswith(
        "added: 0 answers used and 1 skipped 5 answers are on record already, and are not added again "
        "pushed: nothing; no object of batch 1 waits for answers next: alray label next 200 --sync"
    )
    assert said("status").endswith("next: alray label next 200 --sync")
    assert "pushed: 4 objects of batch 2" in said("next", 4, "--sync", "--out", "batch.csv")
    assert (tmp_path / "batch.csv").exists()
    assert len(server.ids()) == 10


def test_what_cannot_be_done_says_what_can(server):
    assert "name its address once" in refusal("sync")
    assert "choose objects with `alray label next 200`" in refusal(
        "sync", "--label-studio", server.url
    )
    assert "name its address once" in refusal("next", 5, "--sync")
    assert "add --sync" in refusal("next", 5, "--label-studio", server.url)
    down = refusal("next", 5, "--sync", "--label-studio", "http://127.0.0.1:9")
    assert "does not answer" in down
    assert Campaign("results/posts-labels")._store.last_batch == 0
    said("next", 5)
    said("sync", "--label-studio", server.url)
    server.projects[0]["id"] = 0
    assert "--new-project" in refusal("sync")
    assert "made project 2" in said("sync", "--new-project")


def test_what_came_and_went_fits_a_terminal(server, pool):
    said("next", 6)
    campaign = Campaign("results/posts-labels")
    sent = campaign.sync(server.url).sent
    server.answer(by(pool, server.ids()[:3]))
    pulled = campaign.pull()
    assert pulled is not None
    for width in (60, 80):
        assert_whole(lambda console: print_pulled(console, pulled), width)
        assert_whole(lambda console: print_sent(console, sent, ""), width)
